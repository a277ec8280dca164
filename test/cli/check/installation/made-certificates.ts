import { generate } from 'selfsigned';

/** A certificate and its key, as PEM. */
export interface Made {
  readonly cert: string;
  readonly key: string;
}

const day = 86_400_000;
const kind = { keyType: 'ec', curve: 'P-256', algorithm: 'sha256' } as const;

/** Valid from a day before to so many days after a moment. */
function validity(nowMs: number, days: number): { readonly notBeforeDate: Date; readonly notAfterDate: Date } {
  return { notBeforeDate: new Date(nowMs - day), notAfterDate: new Date(nowMs + days * day) };
}

export async function makeCa(nowMs: number, days: number, name = 'ca', issuer?: Made): Promise<Made> {
  const made = await generate([{ name: 'commonName', value: name }], {
    ...kind,
    ...validity(nowMs, days),
    ...(issuer && { ca: issuer }),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  return { cert: made.cert, key: made.private };
}

export async function makeLeaf(nowMs: number, days: number, issuer: Made, host: string): Promise<Made> {
  const made = await generate([{ name: 'commonName', value: 'webhook' }], {
    ...kind,
    ...validity(nowMs, days),
    ca: issuer,
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: host },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}
