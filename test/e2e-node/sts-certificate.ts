import { randomBytes } from 'node:crypto';
import { generate } from 'selfsigned';

const dayMs = 86_400_000;

/** All as PEM. */
export interface StsCertificate {
  /** The CA that clients must trust; its key is gone. */
  readonly caPem: string;
  readonly certPem: string;
  readonly keyPem: string;
}

/** Regions whose endpoint a certificate has by default. */
export const defaultRegions: readonly string[] = ['eu-central-1', 'eu-west-1', 'us-east-1', 'us-west-2'];

/**
 * A CA and a certificate for the global endpoint of STS and those of regions. Each name is written out: TLS clients take an
 * asterisk only for the first label, and that is `sts`. https://www.rfc-editor.org/rfc/rfc6125#section-6.4.3
 * https://docs.aws.amazon.com/general/latest/gr/sts.html
 */
export async function makeStsCertificate(regions = defaultRegions): Promise<StsCertificate> {
  // The CA is part of an image, which may be older than this run, and newer than the clock of the machine that it runs on.
  const notBeforeDate = new Date(Date.now() - 3_600_000);
  const notAfterDate = new Date(notBeforeDate.getTime() + 30 * dayMs);
  const kind = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256', notBeforeDate, notAfterDate } as const;
  const caName = `STS stand-in CA ${randomBytes(8).toString('hex')}`;
  const ca = await generate([{ name: 'commonName', value: caName }], {
    ...kind,
    extensions: [
      { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const names = ['sts.amazonaws.com', ...regions.map(region => `sts.${region}.amazonaws.com`)];
  const leaf = await generate([{ name: 'commonName', value: 'STS stand-in' }], {
    ...kind,
    ca: { key: ca.private, cert: ca.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: names.map(value => ({ type: 2, value })) },
    ],
  });
  return { caPem: ca.cert, certPem: leaf.cert, keyPem: leaf.private };
}
