import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Written, writeLabel } from '../../../src/cli/label/write-label.ts';
import type { NamespaceWriter } from '../../../src/cli/sources/namespace-writer.ts';
import { UnwrittenError } from '../../../src/cli/sources/unwritten-error.ts';
import { ApiError } from '../../../src/cluster/api/api-errors.ts';
import type { JsonObject } from '../../../src/objects/json.ts';

const bound = { 'services.k8s.aws/owner-account-id': '111122223333' };
const judged = { name: 'shop', labels: new Map(), annotations: new Map(Object.entries(bound)) };
const conflict = new ApiError(409, 'Conflict', 'the API server answered 409 Conflict');
const busy = new ApiError(429, 'TooManyRequests', 'the API server answered 429', 1);

const stored = (resourceVersion: string, metadata: object = {}): JsonObject => ({
  metadata: { name: 'shop', resourceVersion, annotations: bound, ...metadata },
});

/** One that has these objects, one at each read, and answers these to each write. */
function writerOf(objects: readonly (JsonObject | undefined)[], answers: readonly (ApiError | undefined)[]) {
  const patches: JsonObject[] = [];
  let reads = 0;
  const writer: NamespaceWriter = {
    namespaceObject: async () => objects[Math.min(reads++, objects.length - 1)],
    patchNamespace: async (name, patch) => {
      const answer = answers[patches.length];
      patches.push(patch);
      if (answer !== undefined) throw new UnwrittenError(name, answer);
    },
  };
  return { writer, patches };
}

const patchOf = (resourceVersion: string) => ({
  metadata: { resourceVersion, labels: { 'carm-webhook.dev/inject': 'enabled' } },
});

describe('the write of a label', () => {
  const changed = { labels: { 'carm-webhook.dev/inject': 'disabled' } };
  const cases: Readonly<
    Record<
      string,
      readonly [
        objects: readonly (JsonObject | undefined)[],
        answers: readonly (ApiError | undefined)[],
        written: Written | string,
        versions: readonly string[],
      ]
    >
  > = {
    'names the version that was read': [[stored('7')], [undefined], 'labelled', ['7']],
    'is tried again with the version that is there then': [
      [stored('7'), stored('8', { labels: { team: 'shop' } })],
      [conflict, undefined],
      'labelled',
      ['7', '8'],
    ],
    'waits where the API server asks for it': [[stored('7')], [busy, undefined], 'labelled', ['7', '7']],
    'ends after three conflicts': [[stored('7')], [conflict, conflict, conflict], 'NamespaceChanged', ['7', '7', '7']],
    'is not made where someone opted out since': [[stored('7', changed)], [], 'NamespaceChanged', []],
    'is not made where someone opted out between read and write': [
      [stored('7'), stored('8', changed)],
      [conflict],
      'NamespaceChanged',
      ['7'],
    ],
    'is not made where the binding changed since': [[stored('7', { annotations: {} })], [], 'NamespaceChanged', []],
    'is not made where the mode changed since': [
      [stored('7', { labels: { 'carm-webhook.dev/mode': 'warn' } })],
      [],
      'NamespaceChanged',
      [],
    ],
    'is not needed where someone gave it the label since': [
      [stored('7', { labels: { 'carm-webhook.dev/inject': 'enabled' } })],
      [],
      'labelled',
      [],
    ],
    'is not made of a namespace that is gone': [[undefined], [], 'gone', []],
    'is not made of a namespace that is being deleted': [[stored('7', { deletionTimestamp: 'now' })], [], 'gone', []],
    'may find it gone': [[stored('7')], [new ApiError(404, 'NotFound', 'gone')], 'gone', ['7']],
  };
  for (const [what, [objects, answers, expected, versions]] of Object.entries(cases)) {
    test(what, async () => {
      const { writer, patches } = writerOf(objects, answers);
      const written = await writeLabel(judged, writer, false);
      assert.equal(typeof written === 'string' ? written : written.reason, expected);
      assert.deepEqual(patches, versions.map(patchOf));
    });
  }

  test('is not made in a dry run, which looks at the namespace all the same', async () => {
    const { writer, patches } = writerOf([stored('7')], []);
    assert.equal(await writeLabel(judged, writer, true), 'labelled');
    const gone = writerOf([undefined], []);
    assert.equal(await writeLabel(judged, gone.writer, true), 'gone');
    assert.deepEqual([patches, gone.patches], [[], []]);
  });

  test('that is denied says so, once', async () => {
    const { writer, patches } = writerOf([stored('7')], [new ApiError(403, 'Forbidden', 'answered 403 Forbidden')]);
    await assert.rejects(writeLabel(judged, writer, false), {
      message: 'cannot label Namespace "shop": answered 403 Forbidden (you need the right to patch namespaces)',
    });
    assert.equal(patches.length, 1);
  });
});
