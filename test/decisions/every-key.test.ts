import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyRows } from '../../src/objects/keys.ts';
import { manifests } from './state.ts';
import { rows } from './table.ts';

test('the decisions of the table rest on every label and annotation that we read', () => {
  const text = JSON.stringify([manifests(), rows.map(({ review }) => review)]);
  assert.deepEqual(
    keyRows
      .filter(({ us }) => us.length > 0)
      .map(({ key }) => key.replace('SERVICE', 's3'))
      .filter(key => !text.includes(JSON.stringify(key))),
    [],
  );
});
