import { once } from 'node:events';
import { createServer } from 'node:net';

/*
 * Below the range from which systems take the ports of outgoing connections (Linux from 32768, others from 49152): while a server is
 * stopped, a client that calls its port in vain could be given that very port as its own, and the restarted server could not listen.
 * https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html#ip-variables
 */
const firstPort = 12_000;
const lastPort = 31_999;
const attempts = 100;

const given = new Set<number>();

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host: '127.0.0.1' });
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** A TCP port of 127.0.0.1 that nothing listens on, never given twice by one process. Another process may take it before its user does. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort + 1));
    if (!given.has(port) && (await isFree(port))) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`no free port on 127.0.0.1 between ${firstPort} and ${lastPort} after ${attempts} attempts`);
}
