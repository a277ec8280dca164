import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cluster, type Lookup, type LookupResult, UnverifiedError, type View } from '../../admission/cluster.ts';
import { describeLookup, lookUpIn } from '../../admission/lookup.ts';
import { inCircle, type Unreadable, whyUnreadable } from '../../why-unreadable.ts';
import { type Manifest, ManifestError, parseManifests } from './manifests.ts';
import { Snapshot } from './snapshot.ts';

const mostLines = 10;

/** An error to be thrown when a state folder cannot be used. */
export class StateError extends Error {
  override readonly name = 'StateError';
  readonly code = 'InvalidState';
  /** A line for each bad file, ten at most, then how many more there are. */
  readonly lines: readonly string[];

  constructor(failures: readonly string[]) {
    const more = failures.length - mostLines;
    const rest = more > 0 ? [`and ${more} more bad file${more === 1 ? '' : 's'} in the state folder`] : [];
    const lines = [...failures.slice(0, mostLines), ...rest];
    super(lines.join('; '));
    this.lines = lines;
  }
}

const manifestFile = /^[^.].*\.(?:ya?ml|json)$/;

/** What stands at a path of the folder and cannot be used, as one line. */
class UnreadableEntry {
  readonly line: string;

  constructor(line: string) {
    this.line = line;
  }
}

/** Reads of the system; what it does not let be read is an `UnreadableEntry`. */
async function reading<T>(
  path: string,
  what: Unreadable,
  called: string,
  read: Promise<T>,
): Promise<T | UnreadableEntry> {
  try {
    return await read;
  } catch (cause) {
    const why = whyUnreadable(cause, what);
    if (why === undefined) throw cause;
    return new UnreadableEntry(`cannot read ${called}${JSON.stringify(path)}: ${why}`);
  }
}

/**
 * The manifest files of a folder and its folders, in a stable order. Hidden ones are passed over.
 * @param above the folders that it was come to by, without symbolic links.
 */
async function listFiles(
  folder: string,
  above: readonly string[] = [],
): Promise<readonly (string | UnreadableEntry)[]> {
  const called = above.length === 0 ? 'the state folder ' : 'the folder ';
  const real = await reading(folder, 'folder', called, realpath(folder));
  if (real instanceof UnreadableEntry) return [real];
  // Else the same files would be found again and again, until the system has enough of it.
  if (above.includes(real)) return [new UnreadableEntry(`cannot read ${called}${JSON.stringify(folder)}: ${inCircle}`)];
  const entries = await reading(folder, 'folder', called, readdir(folder, { withFileTypes: true }));
  if (entries instanceof UnreadableEntry) return [entries];
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files = await Promise.all(
    entries.map(async entry => {
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.')) return [];
      // A mounted ConfigMap holds symbolic links to its files.
      const target = entry.isSymbolicLink() ? await reading(path, 'link', '', stat(path)) : entry;
      if (target instanceof UnreadableEntry) return [target];
      if (target.isDirectory()) return listFiles(path, [...above, real]);
      return manifestFile.test(entry.name) ? [path] : [];
    }),
  );
  return files.flat();
}

/** Changes whenever a file does. */
async function signatureOf(folder: string): Promise<string> {
  const files = await listFiles(folder);
  const lines = files.map(async file => {
    if (file instanceof UnreadableEntry) return file.line;
    const { mtimeNs, size, ino } = await stat(file, { bigint: true });
    return `${file} ${mtimeNs} ${size} ${ino}`;
  });
  return (await Promise.all(lines)).join('\n');
}

/** A list or a map where a text belongs. */
function isCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** A folder while it is read, file by file. */
class StateReader {
  readonly snapshot: Snapshot;
  readonly #places = new Map<string, string>();

  constructor(roleSelectors: boolean) {
    this.snapshot = new Snapshot({ roleSelectors });
  }

  /** Takes the objects of a file in, up to the first one that cannot be used. */
  async take(file: string): Promise<UnreadableEntry | undefined> {
    const text = await reading(file, 'file', '', readFile(file, 'utf8'));
    if (text instanceof UnreadableEntry) return text;
    try {
      for (const manifest of parseManifests(text, file).manifests) {
        const again = this.#isAgain(manifest);
        if (again !== undefined) return again;
        this.snapshot.add(manifest);
      }
    } catch (error) {
      if (error instanceof ManifestError) return new UnreadableEntry(error.message);
      throw error;
    }
    return undefined;
  }

  #isAgain({ apiVersion, kind, object, place }: Manifest): UnreadableEntry | undefined {
    const { name, namespace } = (object['metadata'] ?? {}) as { name?: unknown; namespace?: unknown };
    // Whoever reads the kind says what is wrong with such a name.
    if ([name, namespace].some(isCollection)) return undefined;
    const key = JSON.stringify([apiVersion, kind, namespace ?? 'default', name]);
    const earlier = this.#places.get(key);
    if (earlier !== undefined)
      return new UnreadableEntry(`${place}: ${kind} ${JSON.stringify(name)} is already defined in ${earlier}`);
    this.#places.set(key, place);
    return undefined;
  }
}

/**
 * Reads what a cluster would know from a folder of manifests.
 * @param roleSelectors whether IAMRoleSelectors are looked at.
 * @throws {StateError} that tells of every bad file.
 */
export async function readState(folder: string, roleSelectors: boolean): Promise<Snapshot> {
  const reader = new StateReader(roleSelectors);
  const failures: string[] = [];
  for (const file of await listFiles(folder)) {
    const unreadable = file instanceof UnreadableEntry ? file : await reader.take(file);
    if (unreadable !== undefined) failures.push(unreadable.line);
  }
  if (failures.length > 0) throw new StateError(failures);
  return reader.snapshot;
}

export interface StateDirectoryOptions {
  readonly folder: string;
  /** Whether IAMRoleSelectors are looked at. */
  readonly roleSelectors: boolean;
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
    return new StateDirectory(options, signature, await readState(options.folder, options.roleSelectors));
  }

  get cache(): View {
    return this.#snapshot.cache;
  }

  /** The folder is all there is to ask; it is looked at often enough. */
  async read<R extends Lookup>(lookup: R): Promise<LookupResult<R>> {
    if (lookup.kind === 'BindGrant')
      throw new UnverifiedError(503, `${describeLookup(lookup)} is not in a folder of manifests`);
    return lookUpIn(this.#snapshot, lookup);
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
    const { folder, roleSelectors, onReload, onError } = this.#options;
    const signature = await signatureOf(folder).catch(error => `unreadable: ${error}`);
    if (!this.#closed && signature !== this.#signature) {
      this.#signature = signature;
      try {
        this.#snapshot = await readState(folder, roleSelectors);
        onReload?.(this.#snapshot);
      } catch (error) {
        onError?.(error instanceof StateError ? error : new StateError([String(error)]));
      }
    }
    this.#schedule();
  }
}
