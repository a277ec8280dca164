import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { quoteField } from '../../src/objects/field-path.ts';
import { pointerSegment } from '../../src/objects/json.ts';
import { anyCharacter } from '../any-character.ts';

describe('a field in a message', () => {
  for (const [pointer, field] of [
    ['/metadata', '"metadata"'],
    ['/spec/to/namespace', '"spec.to.namespace"'],
    ['/spec/containers/0/env/1', '"spec.containers[0].env[1]"'],
    ['/metadata/annotations/carm-webhook.dev~1role', '"metadata.annotations[carm-webhook.dev/role]"'],
    ['/metadata/labels/a~01', '"metadata.labels[a~1]"'],
    ['/metadata/labels/a~1~0', '"metadata.labels[a/~]"'],
    ['/data/111122223333', '"data[111122223333]"'],
    ['/metadata/labels/', '"metadata.labels[]"'],
    ['/spec/a b\n', '"spec[a b\\u000a]"'],
    [
      '/spec/template/spec/initContainers/12/env/3/valueFrom/secretKeyRef',
      '"...spec.initContainers[12].env[3].valueFrom.secretKeyRef"',
    ],
  ] as const) {
    test(`${pointer} is ${field}`, () => assert.equal(quoteField(pointer), field));
  }

  test('is one word of printable ASCII in quotes, at most 64 characters, whatever its keys are', () => {
    const keys = fc.array(fc.string({ unit: anyCharacter, maxLength: 90 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(keys, segments => {
        const field = quoteField(segments.map(key => `/${pointerSegment(key)}`).join(''));
        assert.match(field, /^"[\x20-\x7e]*"$/);
        assert.ok(field.length <= 64, field);
        assert.equal(typeof JSON.parse(field), 'string');
      }),
    );
  });

  test('of many keys costs no more than its length', () => {
    assert.equal(quoteField('/a'.repeat(1_000_000)), `"...a${'.a'.repeat(28)}"`);
  });
});
