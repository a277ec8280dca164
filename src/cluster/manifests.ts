import { type Document, isAlias, isMap, isNode, isSeq, LineCounter, type Node, parseAllDocuments, visit } from 'yaml';
import { type Fields, isFields } from '../injection/fields.ts';
import { kubectlYaml } from './kubectl-yaml.ts';

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
  /** `FILE:LINE` of the object, for messages. */
  readonly place: string;
  /** Which document of the file it came from, and where in it: empty, or the way to an item of a List. */
  readonly document: number;
  readonly path: readonly (string | number)[];
}

/** A file of manifests: its documents as they were written, comments and all, and the objects in them. */
export interface ManifestFile {
  readonly documents: readonly Document[];
  /** The text of each document, with the `---` in front of it. */
  readonly texts: readonly string[];
  readonly manifests: readonly Manifest[];
}

/** The API group of an `apiVersion`: `apps` of `apps/v1`, empty for the core group's `v1`. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** One file while it is read. */
class FileReader {
  readonly #file: string;
  readonly #lines = new LineCounter();

  constructor(file: string) {
    this.#file = file;
  }

  parse(text: string): readonly Document[] {
    const parsed = parseAllDocuments(text, { ...kubectlYaml, lineCounter: this.#lines, prettyErrors: true });
    return Array.isArray(parsed) ? parsed : [];
  }

  /** `FILE:LINE` of a node, or of the document's first line. */
  placeOf(node: unknown, document: Document): string {
    const start = isNode(node) ? node.range?.[0] : undefined;
    return `${this.#file}:${this.#lines.linePos(start ?? document.range?.[0] ?? 0).line}`;
  }

  #fail(offset: number, message: string, cause?: unknown): never {
    const { line, col } = this.#lines.linePos(offset);
    throw new ManifestError(`${this.#file}:${line}:${col}: ${message}`, { cause });
  }

  /** The document as plain values. @throws {ManifestError} */
  valueOf(document: Document): unknown {
    const [error] = document.errors;
    if (error !== undefined) {
      this.#fail(error.pos[0], error.message.split('\n', 1)[0]?.replace(/ at line .*$/, '') ?? error.code);
    }
    let bad: Node | undefined;
    visit(document, {
      Alias: (_, alias) => {
        if (alias.resolve(document) !== undefined) return undefined;
        bad = alias;
        return visit.BREAK;
      },
    });
    if (isAlias(bad)) this.#fail(bad.range?.[0] ?? 0, `there is no anchor for the alias *${bad.source}`);
    try {
      return document.toJS();
    } catch (cause) {
      // So many aliases that they would fill the memory, or a merge key of something else than a map.
      this.#fail(document.contents?.range?.[0] ?? 0, cause instanceof Error ? cause.message : String(cause), cause);
    }
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
function itemsOf(manifest: Manifest, document: Document, reader: FileReader): readonly Manifest[] {
  const { object, kind } = manifest;
  if (!kind.endsWith('List') || !Array.isArray(object['items'])) return [manifest];
  const nodes = document.get('items', true);
  return object['items'].map((item, index) => {
    const node = isSeq(nodes) ? nodes.items[index] : undefined;
    return manifestOf(item, reader.placeOf(node, document), manifest.document, ['items', index]);
  });
}

/**
 * Reads YAML or JSON: many documents, Lists, empty documents.
 * @param file how messages call the text.
 * @throws {ManifestError}
 */
export function parseManifests(text: string, file: string): ManifestFile {
  const reader = new FileReader(file);
  const documents = reader.parse(text);
  const manifests: Manifest[] = [];
  for (const [index, document] of documents.entries()) {
    const value = reader.valueOf(document);
    if (value === null || value === undefined) continue;
    const place = reader.placeOf(isMap(document.contents) ? document.contents : undefined, document);
    manifests.push(...itemsOf(manifestOf(value, place, index, []), document, reader));
  }
  // The first document's range leaves out the comments in front of it.
  const starts = documents.map((document, index) => (index === 0 ? 0 : (document.range?.[0] ?? 0)));
  const texts = starts.map((start, index) => text.slice(start, starts[index + 1]));
  return { documents, texts, manifests };
}
