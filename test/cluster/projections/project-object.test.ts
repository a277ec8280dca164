import assert from 'node:assert/strict';
import { test } from 'node:test';
import { projectRoleMaps, projectRoleSelectors } from '../../../src/cluster/projections/object-projections.ts';
import { projectObject } from '../../../src/cluster/projections/project-object.ts';

test('a parsed object is read as its bytes would be', () => {
  const data = JSON.parse('{"a":"x","__proto__":"y","\\u00e9\\n":"\\"","number":1}');
  assert.deepEqual(
    [...(projectObject(projectRoleMaps, 'map', { metadata: null, data }) ?? [])],
    [
      ['a', 'x'],
      ['__proto__', 'y'],
      ['é\n', '"'],
    ],
  );
  assert.equal(projectObject(projectRoleSelectors, 'one', { spec: { arn: 'x' } })?.name, 'one');
});

test('a name that no object can have is none', () => {
  for (const name of ['', 'x'.repeat(2000)]) assert.equal(projectObject(projectRoleMaps, name, {}), undefined);
});

test('what cannot be read is an error', () => {
  assert.throws(() => projectObject(projectRoleSelectors, 'one', { spec: { arn: 1 } }), { code: 'InvalidReview' });
});
