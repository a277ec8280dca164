import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fastJsonPatch from 'fast-json-patch';
import { addAnnotations, addLabels } from '../../src/objects/metadata-patch.ts';
import { readNamespace } from '../../src/objects/namespace.ts';
import { readPod } from '../../src/objects/pod.ts';

type Entries = readonly (readonly [string, string])[];

const entries: Entries = [
  ['a.dev/role~x', 'r'],
  ['b', ''],
];
const strings = { 'a.dev/role~x': 'r', b: '' };

for (const [field, patchOf] of [
  ['annotations', (object: unknown, added: Entries) => addAnnotations(readPod(object), added)],
  ['labels', (object: unknown, added: Entries) => addLabels(readNamespace(object, 'x'), added)],
] as const) {
  const applied = (object: object) =>
    fastJsonPatch.applyPatch(structuredClone(object), [...patchOf(object, entries)], true).newDocument;

  describe(`${field} that are added`, () => {
    test('bring the metadata and the field that are missing', () => {
      assert.deepEqual(applied({}), { metadata: { [field]: strings } });
      assert.deepEqual(applied({ metadata: null }), { metadata: { [field]: strings } });
      assert.deepEqual(applied({ metadata: { name: 'x' } }), { metadata: { name: 'x', [field]: strings } });
      assert.deepEqual(applied({ metadata: { [field]: null } }), { metadata: { [field]: strings } });
    });
    test('stand beside others, in place of those of the same keys', () => {
      const metadata = { [field]: { b: 'old', other: 'x' } };
      assert.deepEqual(applied({ metadata }), { metadata: { [field]: { other: 'x', ...strings } } });
    });
    test('are no patch when there are none', () => assert.deepEqual(patchOf({}, []), []));
  });
}
