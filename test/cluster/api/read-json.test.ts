import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { readAnswer } from '../../../src/cluster/api/read-json.ts';
import { JsonStream } from '../../../src/objects/json-stream.ts';

const root = () => ({ kind: 'object', member: () => undefined }) as const;

test('others have their turns while a large answer is read, even one that comes at once', async () => {
  const body = Readable.from([Buffer.from(`{"x":"${'x'.repeat(8_000_000)}"}`)], { objectMode: false });
  let turns = 0;
  let done = false;
  const count = () => {
    turns += 1;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  await readAnswer(body, new JsonStream(root), 10_000_000);
  done = true;
  assert.ok(turns >= 8_000_000 / 300_000, `${turns} turns`);
});

for (const [what, chunks, code] of [
  ['half an answer', ['{"x":1'], 'ApiProtocol'],
  ['two answers', ['{}', '{}'], 'ApiProtocol'],
  ['no answer', [], 'ApiProtocol'],
  ['other words', ['It works!'], 'ApiProtocol'],
  ['too much', [`{"x":"${'x'.repeat(2000)}"}`], 'ApiProtocol'],
] as const) {
  test(`${what} is an error`, async () => {
    const body = Readable.from(
      chunks.map(chunk => Buffer.from(chunk)),
      { objectMode: false },
    );
    await assert.rejects(readAnswer(body, new JsonStream(root), 1000), { code });
    assert.ok(body.destroyed);
  });
}

test('an answer that breaks off is no answer', async () => {
  const body = new Readable({ read: () => {} });
  const read = readAnswer(body, new JsonStream(root), 1000);
  body.push('{"x":');
  setImmediate(() => body.destroy(new Error('reset')));
  await assert.rejects(read, { code: 'ClusterUnreachable' });
});
