import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { whyUnreadable } from '../why-unreadable.ts';
import {
  type Certificate,
  CertificateError,
  type CertificateNames,
  type CertificatePem,
  type CertificateSource,
  parseCertificate,
} from './certificate.ts';

export interface CertificateFilesOptions {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile?: string | undefined;
  /** Between two looks at the files; default 2 s. */
  readonly pollMs?: number;
  /** Told once of each new pair that is served. */
  readonly onReload?: (certificate: Certificate) => void;
  /** Told once of each content of the files that cannot be served; the last good pair stays. */
  readonly onError?: (error: CertificateError) => void;
}

/** What messages call the files: by the flag that names each. */
function namesOf({ certFile, keyFile, clientCaFile = '' }: CertificateFilesOptions): CertificateNames {
  return {
    cert: `--tls-cert-file ${JSON.stringify(certFile)}`,
    key: `--tls-private-key-file ${JSON.stringify(keyFile)}`,
    clientCa: `--client-ca-file ${JSON.stringify(clientCaFile)}`,
  };
}

async function read(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const why = whyUnreadable(cause, 'file');
    if (why === undefined) throw cause;
    throw new CertificateError('CertificateUnreadable', `cannot read ${name}: ${why}`, { cause });
  }
}

async function readAll(options: CertificateFilesOptions): Promise<CertificatePem> {
  const { certFile, keyFile, clientCaFile } = options;
  const names = namesOf(options);
  const [cert, key, clientCa] = await Promise.all([
    read(certFile, names.cert),
    read(keyFile, names.key),
    clientCaFile === undefined ? undefined : read(clientCaFile, names.clientCa),
  ]);
  return { cert, key, clientCa };
}

/**
 * A certificate in files that something else renews. The contents are polled: kubelet swaps a symbolic link, editors
 * write in place, and file events miss one or the other.
 * https://kubernetes.io/docs/concepts/configuration/secret/#mounted-secrets-are-updated-automatically
 */
export class CertificateFiles implements CertificateSource {
  readonly #options: CertificateFilesOptions;
  readonly #listeners: ((certificate: Certificate) => void)[] = [];
  #current: Certificate;
  /** What was looked at last, good or not; `undefined` after a file could not be read. */
  #seen: CertificatePem | undefined;
  /** Empty while what the files hold is served. */
  #lastError = '';
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: CertificateFilesOptions, contents: CertificatePem, current: Certificate) {
    this.#options = options;
    this.#seen = contents;
    this.#current = current;
    this.#schedule();
  }

  /** @throws {CertificateError} when the files cannot be served. */
  static async open(options: CertificateFilesOptions): Promise<CertificateFiles> {
    const contents = await readAll(options);
    return new CertificateFiles(options, contents, parseCertificate(contents, namesOf(options)));
  }

  get current(): Certificate {
    return this.#current;
  }

  get reloadFailed(): boolean {
    return this.#lastError !== '';
  }

  onChange(listener: (certificate: Certificate) => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#look(), this.#options.pollMs ?? 2000);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    try {
      const contents = await readAll(this.#options);
      if (!this.#closed && !isDeepStrictEqual(contents, this.#seen)) {
        this.#seen = contents;
        this.#serve(parseCertificate(contents, namesOf(this.#options)));
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#schedule();
    }
  }

  #serve(certificate: Certificate): void {
    this.#lastError = '';
    // The good pair came back after a bad one.
    if (isDeepStrictEqual(certificate, this.#current)) return;
    this.#current = certificate;
    for (const listener of this.#listeners) listener(certificate);
    this.#options.onReload?.(certificate);
  }

  #fail(cause: unknown): void {
    const error =
      cause instanceof CertificateError
        ? cause
        : new CertificateError('CertificateInvalid', 'the new certificate could not be put to use', { cause });
    if (error.code === 'CertificateUnreadable') {
      // Looked at again as soon as it can be read, told once for as long as it cannot.
      this.#seen = undefined;
      if (this.#lastError === error.message) return;
    }
    this.#lastError = error.message;
    this.#options.onError?.(error);
  }
}
