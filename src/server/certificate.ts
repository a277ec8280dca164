import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

export type CertificateErrorCode =
  | 'CertificateUnreadable'
  | 'CertificateInvalid'
  | 'CertificateMismatch'
  | 'ClientCaInvalid';

/** An error to be thrown when certificate files cannot be served. Its message is one line and names the file. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
  readonly code: CertificateErrorCode;

  constructor(code: CertificateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A chain and its key, checked to belong together, as PEM. */
export interface Certificate {
  readonly certPem: string;
  readonly keyPem: string;
  /** The CAs that client certificates must come from; `undefined` where clients need none. */
  readonly clientCaPem: string | undefined;
  /** Begin and end of the leaf's validity, milliseconds since the epoch. */
  readonly validFromMs: number;
  readonly expiresAtMs: number;
}

/** Where the server takes its certificate from. */
export interface CertificateSource {
  readonly current: Certificate;
  /** True while its files hold what cannot be served: a restart would find nothing else. */
  readonly reloadFailed: boolean;
  /** Called with each later certificate. */
  onChange(listener: (certificate: Certificate) => void): void;
  close(): void;
}

/** What a certificate is made of, as PEM. */
export interface CertificatePem {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string | undefined;
}

/** What messages call the parts: files by flag and path, or words. */
export type CertificateNames = Readonly<Record<keyof CertificatePem, string>>;

function causeOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0] ?? '';
}

/** Every certificate of a PEM file; OpenSSL takes a CA file without any in silence. */
function readBundle(pem: string, name: string): void {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new CertificateError('ClientCaInvalid', `${name} holds no PEM certificate`);
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (cause) {
      throw new CertificateError('ClientCaInvalid', `${name} holds an unreadable certificate: ${causeOf(cause)}`, {
        cause,
      });
    }
  }
}

/**
 * Checks a pair before it is served.
 * @throws {CertificateError} one line, naming the file at fault.
 */
export function parseCertificate(pem: CertificatePem, names: CertificateNames): Certificate {
  const leaf = parsePart(names.cert, 'a PEM certificate', () => new X509Certificate(pem.cert));
  const key = parsePart(names.key, 'a PEM private key without a passphrase', () => createPrivateKey(pem.key));
  if (!leaf.checkPrivateKey(key)) {
    throw new CertificateError(
      'CertificateMismatch',
      `the key in ${names.key} does not belong to the certificate in ${names.cert}`,
    );
  }
  // What OpenSSL would refuse at a handshake (a chain cut in its middle) it refuses here already.
  parsePart(names.cert, 'a certificate chain that can be served', () =>
    createSecureContext({ cert: pem.cert, key: pem.key }),
  );
  if (pem.clientCa !== undefined) readBundle(pem.clientCa, names.clientCa);
  return {
    certPem: pem.cert,
    keyPem: pem.key,
    clientCaPem: pem.clientCa,
    validFromMs: leaf.validFromDate.getTime(),
    expiresAtMs: leaf.validToDate.getTime(),
  };
}

function parsePart<T>(name: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new CertificateError('CertificateInvalid', `${name} is not ${what}: ${causeOf(cause)}`, { cause });
  }
}
