import { randomBytes } from 'node:crypto';
import { generate } from 'selfsigned';
import { type Certificate, type CertificateSource, parseCertificate } from './certificate.ts';

const dayMs = 86_400_000;

/** A certificate made on the spot, and the CA that signed it, for `caBundle` or `curl --cacert`. */
export interface SelfSigned extends CertificateSource {
  /** PEM of the CA certificate; its key is gone. */
  readonly caPem: string;
}

/**
 * Makes a CA and a server certificate (EC P-256, one year) for localhost, 127.0.0.1 and ::1.
 * For trying things out: every start makes another CA.
 */
export async function makeSelfSigned(): Promise<SelfSigned> {
  // Clocks differ between machines: valid from an hour ago.
  const notBeforeDate = new Date(Date.now() - 3_600_000);
  const notAfterDate = new Date(notBeforeDate.getTime() + 365 * dayMs);
  const kind = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256', notBeforeDate, notAfterDate } as const;
  // A name of its own: clients that trust the CAs of two starts tell them apart by their names.
  const caName = `carm-webhook self-signed CA ${randomBytes(8).toString('hex')}`;
  const ca = await generate([{ name: 'commonName', value: caName }], {
    ...kind,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const leaf = await generate([{ name: 'commonName', value: 'carm-webhook' }], {
    ...kind,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  const label = 'the self-signed certificate';
  const current: Certificate = parseCertificate(
    { cert: leaf.cert, key: leaf.private },
    { cert: label, key: `the key of ${label}`, clientCa: 'the client CA' },
  );
  return { current, reloadFailed: false, caPem: ca.cert, onChange: () => {}, close: () => {} };
}
