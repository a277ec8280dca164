/** Large objects make pages small where they are, and nowhere else; and a page that was too long is not half taken. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { listPages, mostPageBytes } from '../../../src/cluster/api/list-pages.ts';
import { mostObjectBytes } from '../../../src/cluster/api/read-json.ts';
import { projection } from '../../../src/cluster/projections/projection.ts';
import { connectionTo } from '../watch/watch-loop-harness.ts';

interface Listed {
  readonly names: readonly string[];
  /** Start and limit of each request. */
  readonly asked: readonly (readonly [start: number, limit: number])[];
}

/** Lists `count` objects, each with so many bytes that say nothing. */
async function listOf(count: number, bytesOf: (index: number) => number): Promise<Listed> {
  const asked: [number, number][] = [];
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams;
    const start = Number(query.get('continue') ?? 0);
    const limit = Number(query.get('limit'));
    asked.push([start, limit]);
    const end = Math.min(count, start + limit);
    response.on('error', () => {});
    response.write(`{"metadata":{"resourceVersion":"7"${end < count ? `,"continue":"${end}"` : ''}},"items":[`);
    for (let index = start; index < end; index++) {
      const name = `object-${index}-of-request-${asked.length}`;
      response.write(`${index > start ? ',' : ''}{"metadata":{"name":"${name}","resourceVersion":"1"},"x":"`);
      response.write(Buffer.alloc(bytesOf(index), 'x'));
      response.write('"}');
    }
    response.end(']}');
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const pool = connectionTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`).pool(2);
  const names: string[] = [];
  try {
    await listPages(pool, '/things', {
      accept: 'application/json',
      pageSize: 100,
      signal: AbortSignal.timeout(10_000),
      projection: projection(() => ({ value: () => undefined })),
      onObject: ({ name }) => names.push(name),
      onPage: () => {},
    });
    return { names, asked };
  } finally {
    await pool.close();
    server.closeAllConnections();
    server.close();
  }
}

test('a hostile page in the middle of a large list costs a few small pages, and the list goes on', async () => {
  const isLarge = (index: number) => index >= 300 && index < 320;
  const { names, asked } = await listOf(3000, index => (isLarge(index) ? 1_400_000 : 10));
  const indices = names.map(name => Number(/^object-(\d+)-/.exec(name)?.[1]));
  assert.deepEqual(
    indices,
    Array.from({ length: 3000 }, (_, index) => index),
    'each once, in order',
  );
  assert.equal(asked.filter(([start]) => start === 0).length, 1, 'it is not begun a second time');
  assert.deepEqual(
    asked.slice(0, 4).map(([, limit]) => limit),
    [100, 100, 100, 100],
  );
  const [smallest] = asked.map(([, limit]) => limit).sort((a, b) => a - b);
  assert.ok(smallest === 4 || smallest === 5, `${smallest} of 1.4 MB are as many as make ${mostPageBytes} bytes`);
  assert.equal(asked.at(-1)?.[1], 100, 'they have grown again');
  // 30 pages, if there were no large ones.
  assert.ok(asked.length <= 45, `${asked.length} requests`);
});

test('of a page that was too long nothing is taken: it may have changed until it is asked for again', async () => {
  const { names, asked } = await listOf(10, () => 2_000_000);
  assert.deepEqual(asked[0], [0, 100]);
  assert.ok(names.every(name => !name.endsWith('request-1')));
  assert.equal(names.length, 10);
});

test('an object may be as large as can be, and no larger', async () => {
  assert.equal((await listOf(2, () => mostPageBytes + 1000)).names.length, 2);
  await assert.rejects(
    listOf(1, () => mostObjectBytes),
    { name: 'AnswerTooLongError' },
  );
});
