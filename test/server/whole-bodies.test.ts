import assert from 'node:assert/strict';
import http from 'node:http';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { BodyReader } from '../../src/server/body-reader.ts';
import { BodyRoom } from '../../src/server/body-room.ts';
import { listen } from '../../src/server/listen.ts';

/** Sends a body in parts, and tells what the reader made of it and what was charged. */
async function receive(t: TestContext, parts: readonly string[]) {
  const room = new BodyRoom(1024 * 1024);
  const { promise, resolve } = Promise.withResolvers<{ readonly body: string; readonly charged: number }>();
  const server = http.createServer(async (request, response) => {
    const reader = new BodyReader(request, {
      peer: { address: 'a', share: 'a', trusted: false },
      limitBytes: 100_000,
      timeoutMs: 3000,
      room,
      onRead: () => {},
      onShortage: () => {},
    });
    const body = (await reader.done).toString();
    resolve({ body, charged: room.bytes });
    response.end();
  });
  t.after(() => server.close().closeAllConnections());
  const port = await listen(server, { port: 0, host: '127.0.0.1', portFlag: '' });
  const socket = connect(port, '127.0.0.1').setNoDelay(true);
  t.after(() => socket.destroy());
  const length = parts.join('').length;
  const [first = '', ...others] = parts;
  socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${first}`);
  for (const part of others) {
    await new Promise(next => setTimeout(next, 30));
    socket.write(part);
  }
  return promise;
}

test('a usual review, which comes in one piece, is not copied: it is charged its own length', async t => {
  const body = 'x'.repeat(9000);
  assert.deepEqual(await receive(t, [body]), { body, charged: 9000 });
});

test('a body in pieces is charged the buffer that it is copied to', async t => {
  const parts = ['x'.repeat(9000), 'y'.repeat(5000), 'z'];
  assert.deepEqual(await receive(t, parts), { body: parts.join(''), charged: 16_384 });
});
