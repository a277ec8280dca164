import { createTwoFilesPatch } from 'diff';
import { Document, isCollection, isMap, isSeq, visit } from 'yaml';
import { kubectlYaml } from '../../cluster/state/kubectl-yaml.ts';

/** Strings that kubectl would take for something else are quoted. */
const writing = { ...kubectlYaml, aliasDuplicateObjects: false };

/** An object with its YAML before and after, for a diff. */
export interface Change {
  /** `Pod team-a/web`. */
  readonly name: string;
  readonly place: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** How the lines of a text end. */
function lineEndOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

/** One document without byte order mark, the `---` in front of it and the `...` behind it; all else as it is. */
function withoutMarkers(text: string): string {
  return text.replace(/^\uFEFF?(?:---(?:[ \t]*\r?\n|[ \t]+|$))?/, '').replace(/(?<=\n)\.\.\.[ \t]*(?:\r?\n)?$/, '');
}

/** JSON is YAML in flow style; asked for YAML, people expect the block style. */
function isJson(document: Document): boolean {
  return isCollection(document.contents) && document.contents.flow === true;
}

/**
 * One document of YAML, without markers: as it was where nothing changes, else with its comments and the order of its keys.
 * @param change alters the document; undefined when nothing is to be altered.
 */
export function renderDocument(document: Document, text: string, change: (() => void) | undefined): string {
  if (isJson(document)) {
    change?.();
    return new Document(document.toJS(), writing).toString({ lineWidth: 0 });
  }
  if (change === undefined) return withoutMarkers(text);
  if (document.directives !== undefined) document.directives.docStart = null;
  change();
  return withoutMarkers(document.toString({ lineWidth: 0 })).replaceAll(/\r?\n/g, lineEndOf(text));
}

/** Documents as one text: each as it is, with a `---` between them. */
export function joinDocuments(texts: readonly string[]): string {
  return texts
    .filter(text => text.trim() !== '')
    .map((text, index) => {
      const lineEnd = lineEndOf(text);
      const ended = text.endsWith('\n') ? text : `${text}${lineEnd}`;
      return index === 0 ? ended : `---${lineEnd}${ended}`;
    })
    .join('');
}

/** Removes items from the `items` of a List. */
export function dropItems(document: Document, dropped: ReadonlySet<number>): void {
  const items = isMap(document.contents) ? document.contents.get('items', true) : undefined;
  if (!isSeq(items)) return;
  // An anchor in what is dropped may be used in what stays: its aliases are written out.
  const plain = document.toJS().items;
  items.items = items.items
    .map((item, index) =>
      usesAlias(item) ? document.createNode(plain[index], { aliasDuplicateObjects: false }) : item,
    )
    .filter((_, index) => !dropped.has(index));
}

function usesAlias(node: unknown): boolean {
  let found = false;
  if (isCollection(node)) {
    visit(node, {
      Alias: () => {
        found = true;
        return visit.BREAK;
      },
    });
  }
  return found;
}

/** A single object is that object, several are a List. */
export function renderJson(objects: readonly unknown[]): string {
  const [only] = objects;
  const value = objects.length === 1 ? only : { apiVersion: 'v1', kind: 'List', items: objects };
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function asYaml(object: unknown): string {
  return new Document(object, writing).toString({ lineWidth: 0 });
}

/** A unified diff an object; an object that stays as it is has none. */
export function renderDiff(changes: readonly Change[]): string {
  return changes
    .map(({ name, place, before, after }) => {
      const [old, now] = [asYaml(before), asYaml(after)];
      if (old === now) return '';
      const patch = createTwoFilesPatch(`${name} (${place})`, `${name} (as admitted)`, old, now);
      return patch.replace(/^=+\n/, '');
    })
    .join('');
}
