import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyRows } from '../../src/objects/keys.ts';
import { manifests } from './state.ts';
import { rows } from './table.ts';

test('the decisions of the table rest on every label and annotation that we read', () => {
  const text = JSON.stringify([manifests(), rows.map(({ review }) => review)]);
  assert.deepEqual(
    keyRows.filter(({ key, us }) => us.length > 0 && !text.includes(JSON.stringify(key))).map(({ key }) => key),
    [],
  );
});
