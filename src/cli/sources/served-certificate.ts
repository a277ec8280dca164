import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';

const connectLimitMs = 5_000;
/** Certificates that are taken of a chain. */
const longestChain = 10;

/** Where a certificate is served. */
export interface ServedAt {
  readonly host: string;
  readonly port: number;
  /** The name that the certificate must have. */
  readonly serverName: string;
}

/** The chain as it came: a certificate that issued itself is its own issuer there. */
function chainOf(peer: DetailedPeerCertificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = peer;
  while (next?.raw !== undefined && chain.length < longestChain) {
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}

/**
 * The certificate that is served at an address, with the chain that came with it. Nothing is sent there.
 * @returns undefined where none is served, or nobody answers.
 */
export async function servedChain({
  host,
  port,
  serverName,
}: ServedAt): Promise<readonly X509Certificate[] | undefined> {
  const { promise, resolve } = Promise.withResolvers<readonly X509Certificate[] | undefined>();
  // Whether it is trusted is what is to be found out.
  // The name of a server is never an address: https://www.rfc-editor.org/rfc/rfc6066#section-3
  const servername = isIP(serverName) === 0 ? serverName : '';
  const socket = connect({ host, port, servername, rejectUnauthorized: false });
  const timer = setTimeout(() => socket.destroy(), connectLimitMs);
  socket.once('secureConnect', () => {
    const chain = chainOf(socket.getPeerCertificate(true));
    resolve(chain.length > 0 ? chain : undefined);
    socket.destroy();
  });
  socket.once('error', () => resolve(undefined));
  socket.once('close', () => {
    clearTimeout(timer);
    resolve(undefined);
  });
  return promise;
}
