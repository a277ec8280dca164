import type { Flag } from '../../src/cli/flags/flag.ts';
import { serveFlags } from '../../src/cli/serve/serve.ts';

const start = '<!-- flags: written by `make docs` -->';
const end = '<!-- /flags -->';

function row({ name, placeholder, help, defaultText }: Flag<unknown>): string {
  const flag = placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`;
  return `| \`${flag}\` | ${defaultText === undefined ? '' : `\`${defaultText}\``} | ${help.replaceAll('<', '&lt;')} |`;
}

/** `docs/flags.md` with its table made from the flags themselves. */
export function withFlags(page: string): string {
  const table = ['| flag | default | what |', '|---|---|---|', ...Object.values(serveFlags).map(row)].join('\n');
  const [before, rest] = page.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/flags.md must have ${start} and ${end}`);
  return `${before}${start}\n${table}\n${end}${after}`;
}
