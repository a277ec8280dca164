import jsonPatch from 'fast-json-patch';
import { type Document, isAlias, isCollection, isMap, isNode, isSeq, type Node, Scalar, visit } from 'yaml';
import type { Addition } from '../../objects/json-patch.ts';
import { sameJson } from '../../objects/same-json.ts';

type Path = readonly (string | number)[];

/** The segments of a JSON Pointer. https://www.rfc-editor.org/rfc/rfc6901#section-4 */
function segmentsOf(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map(segment => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Plain values that share nothing: those behind an alias are one object with those of its anchor. */
function unshared(document: Document): unknown {
  return JSON.parse(JSON.stringify(document.toJS()));
}

function childOf(parent: Node, segment: string | number): Node | undefined {
  if (!isMap(parent) && !isSeq(parent)) return undefined;
  const child = parent.get(isSeq(parent) ? Number(segment) : segment, true);
  return isNode(child) ? child : undefined;
}

/** Writes a node of plain values out, where an alias or a merge key stood for it. */
function writeOut(document: Document, parent: Node, segment: string | number): Node {
  const value: unknown = Reflect.get(Object(parent.toJS(document)), segment);
  const node = document.createNode(JSON.parse(JSON.stringify(value)), { aliasDuplicateObjects: false });
  if (isMap(parent) || isSeq(parent)) parent.set(isSeq(parent) ? Number(segment) : segment, node);
  return node;
}

/** Aliases of a node that is about to change stand for what it was. */
function freezeAliases(document: Document, node: Node & { anchor?: string | undefined }): void {
  const { anchor } = node;
  if (!anchor) return;
  const value = JSON.parse(JSON.stringify(node.toJS(document)));
  visit(document, {
    Alias: (_, alias) => {
      if (alias.source !== anchor || alias.resolve(document) !== node) return undefined;
      return document.createNode(value, { aliasDuplicateObjects: false });
    },
  });
  delete node.anchor;
}

/** What is added would make one long line of a collection in flow style (`{a: b}`), and block style cannot stand in it. */
function prepare(document: Document, node: Node): void {
  freezeAliases(document, node);
  if (isCollection(node)) node.flow = false;
}

/** The node at a path, made writable: nothing else in the document changes with it. */
function ownNode(document: Document, path: Path): Node | undefined {
  let node: Node | null = document.contents;
  for (const segment of path) {
    if (node === null) return undefined;
    prepare(document, node);
    const child: Node | undefined = childOf(node, segment);
    node = child === undefined || isAlias(child) ? writeOut(document, node, segment) : child;
  }
  if (node !== null) prepare(document, node);
  return node ?? undefined;
}

function add(document: Document, base: Path, { path, value }: Addition): void {
  const segments = segmentsOf(path);
  const parent = ownNode(document, [...base, ...segments.slice(0, -1)]);
  const key = segments.at(-1) ?? '';
  if (isSeq(parent)) {
    parent.add(document.createNode(value));
  } else if (isMap(parent)) {
    const old = parent.get(key, true);
    const node = document.createNode(value);
    if (old instanceof Scalar && node instanceof Scalar) node.comment = old.comment ?? null;
    parent.set(key, node);
  }
}

/** A patch of one object of a document. */
export interface ObjectPatch {
  /** Where the object is in its document. */
  readonly path: Path;
  /** JSON Pointers within the object. */
  readonly additions: readonly Addition[];
}

/**
 * Applies additions to a document and keeps the rest as it was written: comments, the order of keys, anchors. Where an
 * alias or a merge key would carry a change to another place, it is written out first.
 */
export function patchDocument(document: Document, patches: readonly ObjectPatch[]): void {
  const expected = unshared(document);
  for (const { path, additions } of patches) {
    const prefix = path.map(segment => `/${segment}`).join('');
    for (const addition of additions) {
      jsonPatch.applyPatch(expected, [{ ...addition, path: prefix + addition.path }]);
      add(document, path, addition);
    }
  }
  // What is shown must be what the API server would store, whatever the document's spelling did to it.
  if (!sameJson(unshared(document), expected)) document.contents = document.createNode(expected);
}
