import { renderRefusalTable } from '../../src/aws/refusals.ts';

const start = '<!-- refusals: written by `make docs` -->';
const end = '<!-- /refusals -->';

/** `docs/aws.md` with its table of AWS's refusals made from the list that `carm-webhook verify` explains them by. */
export function withRefusals(page: string): string {
  const [before, rest] = page.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`docs/aws.md must have ${start} and ${end}`);
  return `${before}${start}\n${renderRefusalTable()}\n${end}${after}`;
}
