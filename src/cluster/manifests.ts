import { type Document, isMap, LineCounter, parseAllDocuments } from 'yaml';
import { type Fields, isFields } from '../injection/fields.ts';

/** An error to be thrown when a manifest cannot be read: one line with the file and, where it is known, the place in it. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
  readonly code = 'InvalidManifest';
}

/** One object of a manifest file. */
export interface Manifest {
  readonly object: Fields;
  readonly apiVersion: string;
  readonly kind: string;
  /** `FILE:LINE` of its document, for messages. */
  readonly place: string;
  /** Which document of the file it came from, and where in it: empty, or the way to an item of a List. */
  readonly document: number;
  readonly path: readonly (string | number)[];
}

/** A file of manifests: its documents as they were written, comments and all, and the objects in them. */
export interface ManifestFile {
  readonly documents: readonly Document[];
  readonly manifests: readonly Manifest[];
}

function toObject(document: Document, place: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    // An alias that is not there, or so many of them that they would fill the memory.
    throw new ManifestError(`${place}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function manifestOf(value: unknown, place: string, document: number, path: Manifest['path']): Manifest {
  if (!isFields(value)) throw new ManifestError(`${place}: not an object of Kubernetes`);
  const { apiVersion, kind } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '') {
    throw new ManifestError(`${place}: an object without apiVersion and kind`);
  }
  return { object: value, apiVersion, kind, place, document, path };
}

/** The objects of a List are its items; a List in a List is what kubectl makes of neither. */
function itemsOf(manifest: Manifest): readonly Manifest[] {
  const { object, place, document } = manifest;
  if (!manifest.kind.endsWith('List') || !Array.isArray(object['items'])) return [manifest];
  return object['items'].map((item, index) => manifestOf(item, `${place} items[${index}]`, document, ['items', index]));
}

/**
 * Reads YAML or JSON: many documents, Lists, empty documents.
 * @param file how messages call the text.
 * @throws {ManifestError}
 */
export function parseManifests(text: string, file: string): ManifestFile {
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter, prettyErrors: true });
  const documents = Array.isArray(parsed) ? parsed : [];
  const manifests: Manifest[] = [];
  for (const [index, document] of documents.entries()) {
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = lineCounter.linePos(error.pos[0]);
      throw new ManifestError(
        `${file}:${line}:${col}: ${error.message.split('\n', 1)[0]?.replace(/ at line .*$/, '')}`,
      );
    }
    const start = isMap(document.contents) ? document.contents.range?.[0] : document.range[0];
    const place = `${file}:${lineCounter.linePos(start ?? 0).line}`;
    const value = toObject(document, place);
    if (value === null || value === undefined) continue;
    manifests.push(...itemsOf(manifestOf(value, place, index, [])));
  }
  return { documents, manifests };
}
