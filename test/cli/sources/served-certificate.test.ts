import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer as createPlain, type Server } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { createServer } from 'node:tls';
import { servedChain } from '../../../src/cli/sources/served-certificate.ts';
import { makeSelfSigned } from '../../../src/server/self-signed.ts';

async function portOf(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const at = (port: number) => ({ host: '127.0.0.1', port, serverName: 'localhost' });

describe('the certificate that is served', () => {
  test('comes with its chain, whoever issued it, also from a server that asks for a certificate', async t => {
    const { current, caPem } = await makeSelfSigned();
    for (const asks of [{}, { requestCert: true, rejectUnauthorized: true, ca: caPem }]) {
      const server = createServer({
        cert: `${current.certPem}\n${caPem}`,
        key: current.keyPem,
        minVersion: 'TLSv1.3',
        ...asks,
      });
      const chain = await servedChain(at(await portOf(t, server)));
      assert.deepEqual(
        chain?.map(({ fingerprint256 }) => fingerprint256),
        [current.certPem, caPem].map(pem => new X509Certificate(pem).fingerprint256),
      );
    }
  });

  test('is not known where nobody answers, or something else does', async t => {
    const closed = createPlain();
    const port = await portOf(t, closed);
    closed.close();
    assert.equal(await servedChain(at(port)), undefined);
    const other = createPlain(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    assert.equal(await servedChain(at(await portOf(t, other))), undefined);
    assert.equal(await servedChain({ ...at(port), host: 'carm-webhook.carm-webhook.svc' }), undefined);
  });
});
