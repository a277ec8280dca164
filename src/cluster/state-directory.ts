import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cluster, Reference, Referent, View } from '../admission/cluster.ts';
import { ManifestError, parseManifests } from './manifests.ts';
import { Snapshot } from './snapshot.ts';
import { type Unreadable, whyUnreadable } from './why-unreadable.ts';

/** An error to be thrown when a state folder cannot be used: one line that names the folder or the file. */
export class StateError extends Error {
  override readonly name = 'StateError';
  readonly code = 'InvalidState';
}

const manifestFile = /^[^.].*\.(?:ya?ml|json)$/;

/** @throws {StateError} that says which path cannot be read, and why. */
async function reading<T>(path: string, what: Unreadable, called: string, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (cause) {
    const why = whyUnreadable(cause, what);
    if (why === undefined) throw cause;
    throw new StateError(`cannot read ${called}${JSON.stringify(path)}: ${why}`, { cause });
  }
}

/**
 * The manifest files of a folder and its folders, in a stable order. Hidden ones are passed over.
 * @throws {StateError}
 */
async function listFiles(folder: string, called = 'the state folder '): Promise<readonly string[]> {
  const entries = await reading(folder, 'folder', called, readdir(folder, { withFileTypes: true }));
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files = await Promise.all(
    entries.map(async entry => {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.')) return [];
      // A mounted ConfigMap holds symbolic links to its files.
      const isLink = entry.isSymbolicLink();
      const isFolder = (isLink ? await reading(path, 'link', '', stat(path)) : entry).isDirectory();
      if (isFolder) return listFiles(path, 'the folder ');
      return manifestFile.test(entry.name) ? [path] : [];
    }),
  );
  return files.flat();
}

/** Changes whenever a file does. */
async function signatureOf(folder: string): Promise<string> {
  const files = await listFiles(folder);
  const stats = await Promise.all(files.map(file => stat(file, { bigint: true })));
  return stats.map(({ mtimeNs, size, ino }, index) => `${files[index]} ${mtimeNs} ${size} ${ino}`).join('\n');
}

/** A list or a map where a text belongs. */
function isCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/**
 * Reads what a cluster would know from a folder of manifests.
 * @throws {StateError}
 */
export async function readState(folder: string): Promise<Snapshot> {
  try {
    const snapshot = new Snapshot();
    const seen = new Map<string, string>();
    for (const file of await listFiles(folder)) {
      const text = await reading(file, 'file', '', readFile(file, 'utf8'));
      for (const manifest of parseManifests(text, file).manifests) {
        const { kind, apiVersion, object, place } = manifest;
        const { name, namespace } = (object['metadata'] ?? {}) as { name?: unknown; namespace?: unknown };
        // Whoever reads the kind says what is wrong with such a name.
        if (![name, namespace].some(isCollection)) {
          const key = JSON.stringify([apiVersion, kind, namespace ?? 'default', name]);
          const earlier = seen.get(key);
          if (earlier !== undefined)
            throw new StateError(`${place}: ${kind} ${JSON.stringify(name)} stands in ${earlier} already`);
          seen.set(key, place);
        }
        snapshot.add(manifest);
      }
    }
    return snapshot;
  } catch (cause) {
    throw cause instanceof ManifestError ? new StateError(cause.message, { cause }) : cause;
  }
}

export interface StateDirectoryOptions {
  readonly folder: string;
  /** Between two looks at the folder; default 500 ms. */
  readonly pollMs?: number;
  readonly onReload?: (state: Snapshot) => void;
  /** Told once of each state of the folder that cannot be read; the last good one stays. */
  readonly onError?: (error: StateError) => void;
}

/** A cluster out of a folder of manifests, read again when a file changes. */
export class StateDirectory implements Cluster {
  readonly #options: StateDirectoryOptions;
  #snapshot: Snapshot;
  #signature: string;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: StateDirectoryOptions, signature: string, snapshot: Snapshot) {
    this.#options = options;
    this.#signature = signature;
    this.#snapshot = snapshot;
    this.#schedule();
  }

  /** @throws {StateError} when the folder cannot be read. */
  static async open(options: StateDirectoryOptions): Promise<StateDirectory> {
    // Before the reading: a change in between is seen at the next look.
    const signature = await signatureOf(options.folder).catch(() => '');
    return new StateDirectory(options, signature, await readState(options.folder));
  }

  get memory(): Snapshot {
    return this.#snapshot;
  }

  /** The folder is all there is to ask; it is looked at often enough. */
  async read<R extends Reference>(reference: R): Promise<Referent<R>> {
    return lookUp(this.#snapshot, reference) as Referent<R>;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#look(), this.#options.pollMs ?? 500);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const { folder, onReload, onError } = this.#options;
    const signature = await signatureOf(folder).catch(error => `unreadable: ${error}`);
    if (!this.#closed && signature !== this.#signature) {
      this.#signature = signature;
      try {
        this.#snapshot = await readState(folder);
        onReload?.(this.#snapshot);
      } catch (error) {
        onError?.(error instanceof StateError ? error : new StateError(String(error), { cause: error }));
      }
    }
    this.#schedule();
  }
}

/** A reference by a view. */
export function lookUp(view: View, reference: Reference): Referent<Reference> {
  switch (reference.kind) {
    case 'Namespace':
      return view.namespace(reference.name);
    case 'ServiceAccount':
      return view.serviceAccount(reference.namespace, reference.name);
    case 'RoleMap':
      return view.roleMap(reference.map, reference.ackSystem);
    case 'RoleSelectors':
      return view.roleSelectors();
    case 'Namespaces':
      return [...view.namespaces()];
    case 'Resources':
      return view.findResources(reference.search);
  }
}
