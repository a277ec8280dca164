import { readFile } from 'node:fs/promises';
import { type Certificate, CertificateError, type CertificateSource, parseCertificate } from './certificate.ts';

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

type Contents = Readonly<Record<'cert' | 'key' | 'clientCa', string | undefined>>;

async function read(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new CertificateError('CertificateUnreadable', `cannot read ${path}: ${code}`, { cause });
  }
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
  #seen: Contents | undefined;
  #lastError = '';
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: CertificateFilesOptions, contents: Contents, current: Certificate) {
    this.#options = options;
    this.#seen = contents;
    this.#current = current;
    this.#schedule();
  }

  /** @throws {CertificateError} when the files cannot be served. */
  static async open(options: CertificateFilesOptions): Promise<CertificateFiles> {
    const contents = await CertificateFiles.#readAll(options);
    return new CertificateFiles(options, contents, CertificateFiles.#parse(options, contents));
  }

  get current(): Certificate {
    return this.#current;
  }

  onChange(listener: (certificate: Certificate) => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  static async #readAll({ certFile, keyFile, clientCaFile }: CertificateFilesOptions): Promise<Contents> {
    const [cert, key, clientCa] = await Promise.all([read(certFile), read(keyFile), read(clientCaFile)]);
    return { cert, key, clientCa };
  }

  static #parse(options: CertificateFilesOptions, { cert = '', key = '', clientCa }: Contents): Certificate {
    const names = { cert: options.certFile, key: options.keyFile, clientCa: options.clientCaFile ?? '' };
    return parseCertificate({ cert, key, clientCa }, names);
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#look(), this.#options.pollMs ?? 2000);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    try {
      const contents = await CertificateFiles.#readAll(this.#options);
      if (!this.#closed && !this.#isSeen(contents)) {
        this.#seen = contents;
        this.#serve(CertificateFiles.#parse(this.#options, contents));
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#schedule();
    }
  }

  #isSeen({ cert, key, clientCa }: Contents): boolean {
    return this.#seen?.cert === cert && this.#seen?.key === key && this.#seen?.clientCa === clientCa;
  }

  #serve(certificate: Certificate): void {
    this.#lastError = '';
    const { certPem, keyPem, clientCaPem } = this.#current;
    // The good pair came back after a bad one.
    if (certPem === certificate.certPem && keyPem === certificate.keyPem && clientCaPem === certificate.clientCaPem)
      return;
    this.#current = certificate;
    for (const listener of this.#listeners) listener(certificate);
    this.#options.onReload?.(certificate);
  }

  #fail(cause: unknown): void {
    const error =
      cause instanceof CertificateError
        ? cause
        : new CertificateError('CertificateInvalid', 'the new certificate could not be taken into use', { cause });
    if (error.code === 'CertificateUnreadable') {
      // Looked at again as soon as it can be read, told once for as long as it cannot.
      this.#seen = undefined;
      if (this.#lastError === error.message) return;
    }
    this.#lastError = error.message;
    this.#options.onError?.(error);
  }
}
