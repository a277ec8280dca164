import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { withFlags } from './flags-table.ts';

test('docs/flags.md has the flags of serve (to write it: make docs)', async () => {
  const page = await readFile(new URL('../../docs/flags.md', import.meta.url), 'utf8');
  assert.equal(page, withFlags(page));
});
