import { mkdirSync, mkdtempSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const dataLink = '..data';

/**
 * A folder of files that are all renewed at one moment, as kubelet does it: each file is a link into `..data`, which is a link
 * to a folder that is never changed, and is swapped by one rename.
 * https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/volume/util/atomic_writer.go
 */
export class MountedSecret {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'carm-webhook-mounted-secret-'));
  #versions = 0;

  /** The path of a file, whichever version is there. */
  path(key: string): string {
    return join(this.folder, key);
  }

  write(data: Readonly<Record<string, string>>): void {
    this.#versions += 1;
    const version = `..version-${this.#versions}`;
    const before = this.#versions === 1 ? undefined : readlinkSync(this.path(dataLink));
    mkdirSync(this.path(version));
    for (const [key, text] of Object.entries(data))
      writeFileSync(join(this.folder, version, key), text, { mode: 0o600 });
    symlinkSync(version, this.path('..data_tmp'));
    renameSync(this.path('..data_tmp'), this.path(dataLink));
    if (before !== undefined) rmSync(this.path(before), { recursive: true });
    else for (const key of Object.keys(data)) symlinkSync(join(dataLink, key), this.path(key));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
