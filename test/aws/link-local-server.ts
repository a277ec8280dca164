import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Tests in other processes may listen there until they end. */
const limitMs = 240_000;
const pollMs = 200;

/** Listens at port 80 of an address that `isolated.sh` gives to loopback. */
export async function listenAt(address: string, onRequest: RequestListener): Promise<Server> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const server = createServer(onRequest);
    try {
      server.listen(80, address);
      await once(server, 'listening');
      return server;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EADDRNOTAVAIL') {
        throw new Error(`${address} is not there: run the test by "test/aws/isolated.sh node --test FILE"`, {
          cause: error,
        });
      }
      if (code !== 'EADDRINUSE' || Date.now() > deadline) throw error;
      await sleep(pollMs);
    }
  }
}

export async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
