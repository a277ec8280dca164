import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { withLimits } from './limits-table.ts';

test('docs/limits.md has the limits of the source (to write it: make docs)', async () => {
  const page = await readFile(new URL('../../docs/limits.md', import.meta.url), 'utf8');
  assert.equal(page, withLimits(page));
});
