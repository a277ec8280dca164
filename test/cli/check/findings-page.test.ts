import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { findingKinds } from '../../../src/cli/check/finding.ts';
import { inRepository } from '../command-runs.ts';

test('docs/findings.md documents every reason of a finding in the words of the list, and no other', async () => {
  const page = await readFile(inRepository('docs/findings.md'), 'utf8');
  const rows = page
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line =>
      line
        .split('|')
        .map(cell => cell.trim())
        .slice(1, -1),
    );
  const expected = Object.entries(findingKinds).map(([reason, { severity, on, cause, remedy }]) => [
    `\`${reason}\``,
    severity,
    on,
    cause,
    remedy,
  ]);
  assert.deepEqual(rows, expected);
});
