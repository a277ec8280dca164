import { once } from 'node:events';
import { connect } from 'node:tls';

/** The serial number of the certificate that a new connection is shown, whoever signed it. */
export async function servedSerialNumber(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, timeout: 2000 });
  socket.once('timeout', () => socket.destroy(new Error(`${url} shows no certificate in time`)));
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().serialNumber;
  } finally {
    socket.destroy();
  }
}
