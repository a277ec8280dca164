import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import fc from 'fast-check';
import { ApiError, ApiProtocolError } from '../../../src/cluster/api/api-errors.ts';
import { projection } from '../../../src/cluster/projections/projection.ts';
import { type WatchEvent, watchEvents } from '../../../src/cluster/watch/watch-stream.ts';

const line = (type: string, name: string, resourceVersion = '1') =>
  JSON.stringify({ type, object: { metadata: { name, namespace: 'team', resourceVersion } } });

const names = projection(() => ({ value: ({ name }) => name }));

async function eventsOf(chunks: readonly (Buffer | string)[]): Promise<WatchEvent<string>[]> {
  const events: WatchEvent<string>[] = [];
  const body = Readable.from(chunks, { objectMode: false });
  for await (const event of watchEvents(body, names)) events.push(event);
  return events;
}

test('property: however the bytes are cut, the events are the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      async (names, cuts) => {
        const bytes = Buffer.from(names.map(name => `${line('ADDED', name)}\n`).join(''));
        const chunks: Buffer[] = [];
        for (let from = 0, i = 0; from < bytes.length; i += 1) {
          const length = cuts[i % cuts.length] ?? 1;
          chunks.push(bytes.subarray(from, from + length));
          from += length;
        }
        const events = await eventsOf(chunks);
        assert.deepEqual(
          events.map(event => (event.type === 'set' ? event.object.name : undefined)),
          names,
        );
      },
    ),
  );
});

test('property: any line is an event, nothing yet, or a typed error', async () => {
  const value = fc.jsonValue();
  const shaped = fc.record(
    {
      type: fc.oneof(fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR', 'toString'), value),
      object: fc.oneof(value, fc.record({ metadata: value, code: value, reason: value, kind: fc.constant('Status') })),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        shaped.map(shape => JSON.stringify(shape)),
      ),
      async text => {
        try {
          const events = await eventsOf([`${text}\n`]);
          for (const { type } of events) assert.ok(['set', 'deleted', 'bookmark'].includes(type));
        } catch (error) {
          assert.ok(error instanceof ApiError || error instanceof ApiProtocolError, String(error));
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('a half line at the end is dropped; empty lines are skipped', async () => {
  const text = `${line('ADDED', 'a')}\n\r\n\n${line('DELETED', 'a', '2')}\n${line('ADDED', 'b').slice(0, 30)}`;
  assert.deepEqual(
    (await eventsOf([Buffer.from(text)])).map(({ type, resourceVersion }) => [type, resourceVersion]),
    [
      ['set', '1'],
      ['deleted', '2'],
    ],
  );
});

test('a line without end is refused before it fills the memory', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  const begin = Buffer.from('{"type":"');
  const error = { code: 'ApiProtocol', message: 'a line of the watch is too long' };
  await assert.rejects(eventsOf([begin, ...Array.from({ length: 40 }, () => chunk)]), error);
});
