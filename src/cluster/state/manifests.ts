import {
  Composer,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  Parser,
  visit,
} from 'yaml';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import { kubectlYaml } from './kubectl-yaml.ts';
import { partsOf } from './stream-parts.ts';

/** An error to be thrown when a manifest cannot be read: one line with the file and, where it is known, the place in it. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
  readonly code = 'InvalidManifest';
}

export interface Manifest {
  readonly object: JsonObject;
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

/** What neither YAML nor JSON allows in a text. https://yaml.org/spec/1.2.2/#51-character-set */
const controlCharacter = /(?![\t\n\r\u007f-\u009f])\p{Cc}/u;

/** A value that is not of the type that its tag says; kubectl minds no other tag. */
const wrongTag = /Unresolved tag: tag:yaml\.org,2002:(?:int|float|bool|null)\b/;

/** Deeper than any API; whoever walks values much deeper than that overflows the stack. */
const deepest = 250;
const tooDeep = `lists and maps are nested too deeply (more than ${deepest} levels)`;

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some(each => isDeeper(each, levels - 1));
}

/** A document, and where its text begins. */
interface WrittenDocument {
  readonly document: Document;
  readonly start: number;
}

class FileReader {
  readonly #file: string;
  readonly #lines = new LineCounter();

  constructor(file: string) {
    this.#file = file;
  }

  /** The documents with where each begins, comments in front of it included. @throws {ManifestError} */
  parse(text: string): readonly WrittenDocument[] {
    const starts = partsOf(text);
    const read = starts.flatMap((start, index) => this.#parsePart(text.slice(start, starts[index + 1]), start));
    const control = controlCharacter.exec(text);
    if (control !== null) {
      const code = control[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
      this.#fail(control.index, `the control character U+${code} is not allowed`);
    }
    return read;
  }

  #parsePart(text: string, start: number): readonly WrittenDocument[] {
    const parser = new Parser(this.#lines.addNewLine);
    parser.offset = start;
    const composer = new Composer(kubectlYaml);
    return [...composer.compose(parser.parse(text))].map((document, index) => ({
      document,
      // The first document's range leaves out the comments in front of it.
      start: index === 0 ? start : (document.range?.[0] ?? start),
    }));
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
    const error = document.errors[0] ?? document.warnings.find(({ message }) => wrongTag.test(message));
    if (error !== undefined) {
      this.#fail(error.pos[0], error.code === 'RESOURCE_EXHAUSTION' ? tooDeep : error.message);
    }
    const start = document.contents?.range?.[0] ?? 0;
    try {
      this.#checkNodes(document);
      const value: unknown = document.toJS();
      if (isDeeper(value, deepest)) this.#fail(start, tooDeep);
      return value;
    } catch (cause) {
      if (cause instanceof ManifestError) throw cause;
      if (cause instanceof RangeError) this.#fail(start, tooDeep, cause);
      // So many aliases that they would fill the memory, or a merge key of something else than a map.
      this.#fail(start, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  /** Every alias has an anchor before it, and none stands within what its anchor names; all is what JSON can say. */
  #checkNodes(document: Document): void {
    const anchors = new Map<string, Node>();
    visit(document, {
      Pair: (_, { key }) => {
        const named = isAlias(key) ? anchors.get(key.source) : key;
        const start = isNode(key) ? (key.range?.[0] ?? 0) : 0;
        if (isCollection(named)) this.#fail(start, 'a map or list cannot be a key');
        if (isScalar(named) && named.value === null) this.#fail(start, 'null cannot be a key');
      },
      Value: (_, node) => {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
        if (isScalar(node) && typeof node.value === 'number' && !Number.isFinite(node.value)) {
          this.#fail(node.range?.[0] ?? 0, `${node.source} is not a number in JSON`);
        }
      },
      Alias: (_, alias, path) => {
        const { source, range } = alias;
        const named = anchors.get(source);
        if (named === undefined) this.#fail(range?.[0] ?? 0, `there is no anchor for the alias *${source}`);
        if (path.some(above => above === named)) {
          this.#fail(range?.[0] ?? 0, `anchor ${JSON.stringify(source)} contains itself`);
        }
      },
    });
  }
}

function manifestOf(value: unknown, place: string, document: number, path: Manifest['path']): Manifest {
  if (!isJsonObject(value)) throw new ManifestError(`${place}: not a Kubernetes object`);
  const { apiVersion, kind } = value;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '') {
    throw new ManifestError(`${place}: the object has no apiVersion or no kind`);
  }
  return { object: value, apiVersion, kind, place, document, path };
}

/** An item of a list as an object of its own; the API server leaves out what the list says: a PodList is one of Pods. */
function itemOf(item: unknown, list: Manifest): unknown {
  const kind = list.kind.replace(/List$/, '');
  if (!isJsonObject(item) || 'apiVersion' in item || 'kind' in item || kind === '') return item;
  return { apiVersion: list.apiVersion, kind, ...item };
}

/**
 * What has items is a list of them, whatever its kind; a list within one is an error, as to kubectl.
 * https://github.com/kubernetes/apimachinery/blob/master/pkg/apis/meta/v1/unstructured/helpers.go
 */
function itemsOf(list: Manifest, document: Document, reader: FileReader): readonly Manifest[] {
  if (!('items' in list.object)) return [list];
  const { items } = list.object;
  if (items === null) return [];
  if (!Array.isArray(items))
    throw new ManifestError(`${list.place}: the items of a ${JSON.stringify(list.kind)} are not a list`);
  const nodes = document.get('items', true);
  return items.map((item, index) => {
    const place = reader.placeOf(isSeq(nodes) ? nodes.items[index] : undefined, document);
    const manifest = manifestOf(itemOf(item, list), place, list.document, ['items', index]);
    if ('items' in manifest.object) throw new ManifestError(`${place}: a list within a list`);
    return manifest;
  });
}

/**
 * Reads YAML or JSON: many documents, Lists, empty documents.
 * @param file how messages call the text.
 * @throws {ManifestError}
 */
export function parseManifests(text: string, file: string): ManifestFile {
  const reader = new FileReader(file);
  const read = reader.parse(text);
  const manifests: Manifest[] = [];
  for (const [index, { document }] of read.entries()) {
    const value = reader.valueOf(document);
    if (value === null || value === undefined) continue;
    const place = reader.placeOf(isMap(document.contents) ? document.contents : undefined, document);
    manifests.push(...itemsOf(manifestOf(value, place, index, []), document, reader));
  }
  return {
    documents: read.map(({ document }) => document),
    texts: read.map(({ start }, index) => text.slice(start, read[index + 1]?.start)),
    manifests,
  };
}
