/** A CA for a test, and what it signs. */

import { type GenerateResult, generate } from 'selfsigned';

const key = { keyType: 'ec', algorithm: 'sha256' } as const;

export interface CertificateAuthority {
  readonly cert: string;
  /** A certificate for 127.0.0.1 and localhost, or for a client of this name. */
  readonly sign: (commonName: string) => Promise<{ readonly key: string; readonly cert: string }>;
}

export async function makeAuthority(name: string): Promise<CertificateAuthority> {
  const ca: GenerateResult = await generate([{ name: 'commonName', value: name }], {
    ...key,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, digitalSignature: true, critical: true },
    ],
  });
  return {
    cert: ca.cert,
    sign: async commonName => {
      const signed = await generate([{ name: 'commonName', value: commonName }], {
        ...key,
        ca: { key: ca.private, cert: ca.cert },
        extensions: [
          { name: 'basicConstraints', cA: false },
          { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
          {
            name: 'subjectAltName',
            altNames: [
              { type: 2, value: 'localhost' },
              { type: 7, ip: '127.0.0.1' },
            ],
          },
        ],
      });
      return { key: signed.private, cert: signed.cert };
    },
  };
}
