import type { Flag } from '../../src/cli/flag.ts';
import { serveFlags } from '../../src/cli/serve.ts';

const start = '<!-- flags: written by `make docs` -->';
const end = '<!-- /flags -->';

function row({ name, placeholder, help, defaultText }: Flag<unknown>): string {
  const flag = placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`;
  return `| \`${flag}\` | ${defaultText === undefined ? '' : `\`${defaultText}\``} | ${help} |`;
}

/** The README with its table of flags made from the flags themselves. */
export function withFlags(readme: string): string {
  const table = ['| flag | default | what |', '|---|---|---|', ...Object.values(serveFlags).map(row)].join('\n');
  const [before, rest] = readme.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`README.md must have ${start} and ${end}`);
  return `${before}${start}\n${table}\n${end}${after}`;
}
