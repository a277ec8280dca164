/** What was probably meant by keys that nobody reads. */

import {
  defaultRegionAnnotation,
  deletionPolicyAnnotation,
  type KeyedKind,
  type KeyedStrings,
  keyRows,
  regionAnnotation,
  serviceDeletionPolicyAnnotation,
} from './keys.ts';

type HintedKind = Exclude<KeyedKind, 'ACK resource'>;

/** Prefixes whose annotations people write by hand. */
const prefixes = ['eks.amazonaws.com', 'carm-webhook.dev', 'services.k8s.aws'] as const;

/** The kinds that an annotation is read on, by prefix and name: those that people write and we read. */
const known: ReadonlyMap<string, ReadonlyMap<string, readonly HintedKind[]>> = new Map(
  prefixes.map(prefix => [
    prefix,
    new Map(
      keyRows
        .filter(({ key, as, written }) => key.startsWith(`${prefix}/`) && as === 'annotation' && written === undefined)
        .map(({ key, us }) => [key.slice(prefix.length + 1), us.filter(kind => kind !== 'ACK resource')] as const)
        .filter(([, kinds]) => kinds.length > 0),
    ),
  ]),
);

const knownNames: ReadonlySet<string> = new Set([...known.values()].flatMap(names => [...names.keys()]));

/** Annotations of ACK's resources that people write on namespaces, where ACK reads others. */
const meantOnNamespaces: ReadonlyMap<string, string> = new Map([
  [regionAnnotation, defaultRegionAnnotation],
  [deletionPolicyAnnotation, serviceDeletionPolicyAnnotation],
]);

/** How many letters apart a prefix may be to be taken for a slip: `eks.amazon.com` is three off. */
const mostLettersApart = 3;

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Whether a key is worth a closer look: nearly all are not. */
function isSuspicious(key: string, on: HintedKind): boolean {
  if (on === 'namespace' && meantOnNamespaces.has(key)) return true;
  const slash = key.indexOf('/');
  return slash > 0 && slash <= 63 && knownNames.has(key.slice(slash + 1)) && !known.has(key.slice(0, slash));
}

/**
 * What was probably meant by an annotation that nobody reads, such as `eks.amazonaws.com/role-arn` by
 * `eks.amazon.com/role-arn`; undefined for every other key. (The peer silently ignores such slips:
 * https://github.com/aws/amazon-eks-pod-identity-webhook/issues/200)
 * @returns the key, with where it is read if that is elsewhere: `eks.amazonaws.com/role-arn on the ServiceAccount`.
 */
export function probablyMeant(key: string, on: HintedKind): string | undefined {
  if (!isSuspicious(key, on)) return undefined;
  const misplaced = on === 'namespace' ? meantOnNamespaces.get(key) : undefined;
  if (misplaced !== undefined) return misplaced;
  const slash = key.indexOf('/');
  const prefix = key.slice(0, slash).toLowerCase();
  const name = key.slice(slash + 1);
  for (const candidate of prefixes) {
    const kinds = known.get(candidate)?.get(name);
    if (kinds === undefined || distance(prefix, candidate) > mostLettersApart) continue;
    const meant = `${candidate}/${name}`;
    return kinds.includes(on) ? meant : `${meant} on the ${kinds[0]}`;
  }
  return undefined;
}

/** A key that nobody reads on its object, and what was probably meant. */
export interface MisspelledKey {
  readonly key: string;
  readonly meant: string;
}

/** Those that are looked for on one object: more are named in no message. */
const mostMisspelled = 8;
/** Suspicious keys of one object whose distance is measured, which takes some microseconds each. */
const mostMeasured = 64;

export class MisspelledKeySearch {
  readonly #on: HintedKind;
  #found = 0;
  #measured = 0;

  constructor(on: HintedKind) {
    this.#on = on;
  }

  get isOver(): boolean {
    return this.#found === mostMisspelled || this.#measured === mostMeasured;
  }

  /** What was probably meant by the next key; undefined for nothing, and when the search is over. */
  meantBy(key: string): string | undefined {
    if (this.isOver || !isSuspicious(key, this.#on)) return undefined;
    this.#measured += 1;
    const meant = probablyMeant(key, this.#on);
    if (meant !== undefined) this.#found += 1;
    return meant;
  }
}

/** The first misspelled keys among the annotations of an object. */
export function misspelledKeys(annotations: KeyedStrings<never>, on: HintedKind): readonly MisspelledKey[] {
  const search = new MisspelledKeySearch(on);
  const misspelled: MisspelledKey[] = [];
  for (const key of annotations.keys()) {
    const meant = search.meantBy(key);
    if (meant !== undefined) misspelled.push({ key, meant });
    if (search.isOver) break;
  }
  return misspelled;
}
