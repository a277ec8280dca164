import { findingKinds } from '../../src/cli/check/finding.ts';

/** `docs/findings.md` with its table made from the list of findings. */
export function withFindings(page: string): string {
  const rows = Object.entries(findingKinds).map(
    ([reason, { severity, on, cause, remedy }]) => `| \`${reason}\` | ${severity} | ${on} | ${cause} | ${remedy} |`,
  );
  const table = ['| reason | severity | found on | cause | fix |', '|---|---|---|---|---|', ...rows];
  const lines = page.split('\n');
  const start = lines.findIndex(line => line.startsWith('| reason'));
  const length = lines.slice(start).findIndex(line => !line.startsWith('|'));
  return [...lines.slice(0, start), ...table, ...(length < 0 ? [] : lines.slice(start + length))].join('\n');
}
