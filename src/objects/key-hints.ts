/** What was probably meant by labels and annotations that nobody reads where they stand. */

import { editDistance } from './edit-distance.ts';
import {
  defaultRegionAnnotation,
  deletionPolicyAnnotation,
  isControllersAnnotation,
  type KeyedKind,
  type KeyedStrings,
  type KeyRow,
  keyRows,
  regionAnnotation,
  roleAnnotation,
  roleArnAnnotation,
  serviceDeletionPolicyAnnotation,
  skipLabel,
} from './keys.ts';
import { apart, apartInOwn, notPlain, plain, withoutFiller } from './name-distance.ts';

type KeyedAs = KeyRow['as'];

/** A key that is ignored where it stands, and why: its name is none that anyone reads, or is read elsewhere. */
export interface KeyHint {
  readonly reason: 'MisspelledKey' | 'MisplacedKey';
  readonly key: string;
  readonly as: KeyedAs;
  readonly on: KeyedKind;
  /** The key that was meant, with what and where it is if that is not the same; undefined where none comes near. */
  readonly meant: string | undefined;
  /** What to write on the same object instead; undefined where it belongs elsewhere, and where its name has a part to fill in. */
  readonly replacement: { readonly key: string; readonly as: KeyedAs } | undefined;
}

const own = 'carm-webhook.dev';
const eks = 'eks.amazonaws.com';
const ack = 'services.k8s.aws';
const ackSuffix = `.${ack}`;
/** In place of the alias of a service, in the key of a row. */
const anyService = 'SERVICE';

/**
 * Prefixes of others that are a letter away from one of ours. That of the AWS Load Balancer Controller, `service.k8s.aws`, is
 * not among them: what it has behind it (`resource`, `stack-name`, `stack-namespace`) is no name of ours, and it is the
 * likeliest slip of all.
 * https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/controllers/service/service_controller.go
 */
const neighbours: ReadonlySet<string> = new Set(['ecs.amazonaws.com', 'efs.amazonaws.com']);

/** EKS' webhook goes by it, wherever it stands. */
const neverHinted: ReadonlySet<string> = new Set([skipLabel]);

/** What is meant by a key of another kind, where that is another key: by kind, `*` for all that are not named. */
const meantElsewhere: ReadonlyMap<string, Partial<Record<KeyedKind | '*', string>>> = new Map([
  // The words of EKS and of our own note on pods.
  [roleArnAnnotation, { '*': roleAnnotation }],
  [regionAnnotation, { '*': defaultRegionAnnotation }],
  [defaultRegionAnnotation, { 'ACK resource': regionAnnotation }],
  [deletionPolicyAnnotation, { namespace: serviceDeletionPolicyAnnotation }],
  [serviceDeletionPolicyAnnotation, { 'ACK resource': deletionPolicyAnnotation }],
]);

interface NamedRow {
  readonly row: KeyRow;
  readonly name: string;
}

const byKey: ReadonlyMap<string, KeyRow> = new Map(keyRows.map(row => [row.key, row]));

/** The rows by prefix. Those of every service stand under each. */
const byPrefix: ReadonlyMap<string, readonly NamedRow[]> = Map.groupBy(
  keyRows.map(row => ({ row, name: row.key.slice(row.key.indexOf('/') + 1) })),
  ({ row, name }) => row.key.slice(0, -name.length - 1),
);
const ofEveryService = byPrefix.get(anyService + ackSuffix) ?? [];

/** By name, the rows whose names are the words of one family alone, or of several. */
const byName: ReadonlyMap<string, readonly NamedRow[]> = Map.groupBy(
  [...byPrefix].filter(([prefix]) => prefix !== 'kubernetes.io').flatMap(([, rows]) => rows),
  ({ name }) => name,
);

function isOfService(prefix: string): boolean {
  return prefix.endsWith(ackSuffix) && /^[a-z0-9]+$/.test(prefix.slice(0, -ackSuffix.length));
}

function rowsUnder(prefix: string): readonly NamedRow[] {
  const rows = byPrefix.get(prefix) ?? [];
  return isOfService(prefix) ? [...rows, ...ofEveryService] : rows;
}

/** Whether a prefix is one of those whose keys the table has. */
function isOurs(prefix: string): boolean {
  return prefix === own || prefix === eks || prefix === ack || isOfService(prefix);
}

function rowOf(key: string, prefix: string, name: string): KeyRow | undefined {
  return byKey.get(key) ?? (isOfService(prefix) ? ofEveryService.find(row => row.name === name)?.row : undefined);
}

function kindsOf({ us, ack: readByAck = [], written = [] }: KeyRow): readonly KeyedKind[] {
  return [...us, ...readByAck, ...written];
}

/** Where a key is to be written. */
function isReadOn(row: KeyRow, on: KeyedKind): boolean {
  return kindsOf(row).includes(on);
}

/** A key with the alias of the service that it was written with. */
function keyFor(row: KeyRow, prefix: string): string {
  return row.key.startsWith(`${anyService}.`) && isOfService(prefix)
    ? prefix + row.key.slice(row.key.indexOf('/'))
    : row.key;
}

/** What to write in place of a key that belongs to a row. */
function meantBy(row: KeyRow, as: KeyedAs, on: KeyedKind, prefix: string): Pick<KeyHint, 'meant' | 'replacement'> {
  const elsewhere = isReadOn(row, on) ? undefined : meantElsewhere.get(row.key);
  const target = byKey.get(elsewhere?.[on] ?? elsewhere?.['*'] ?? '') ?? row;
  const kind = target.as === as ? '' : `the ${target.as} `;
  const place = isReadOn(target, on) ? '' : ` on the ${kindsOf(target)[0]}`;
  const key = keyFor(target, prefix);
  const isWritable = place === '' && !key.startsWith(`${anyService}.`);
  return { meant: `${kind}${key}${place}`, replacement: isWritable ? { key, as: target.as } : undefined };
}

/** The row whose name comes nearest; of several, one that is read where the key stands. */
function nearest(
  name: string,
  rows: readonly NamedRow[],
  { as, on, isOwn }: { readonly as: KeyedAs; readonly on: KeyedKind; readonly isOwn: boolean },
): KeyRow | undefined {
  const written = withoutFiller(plain(name));
  let best: { readonly row: KeyRow; readonly rank: number } | undefined;
  for (const { row, name: known } of rows) {
    const distance = isOwn ? apartInOwn(written, known) : apart(written, known);
    if (distance === undefined) continue;
    const rank = 3 * distance + (isReadOn(row, on) ? 0 : 2) + (row.as === as ? 0 : 1);
    if (best === undefined || rank < best.rank) best = { row, rank };
  }
  return best?.row;
}

/** A row that has exactly this name under another prefix. A single word may be anyone's, but on a ServiceAccount. */
function underOtherPrefix(prefix: string, name: string, on: KeyedKind): KeyRow | undefined {
  if (prefix !== own && on !== 'ServiceAccount' && !name.includes('-')) return undefined;
  const rows = (byName.get(plain(name)) ?? []).filter(({ row }) => !row.key.startsWith(`${prefix}/`));
  // What a service alone reads may be read by another one, in a release of ACK that we do not know.
  const others = rows.filter(({ row }) => !(isOfService(prefix) && row.us.length === 0));
  return (others.find(({ row }) => isReadOn(row, on)) ?? others[0])?.row;
}

/** How many letters apart a prefix may be to be taken for a slip: `eks.amazon.com` is three off. */
const mostLettersApart = 3;
const longestPrefix = 63;

/** The prefix that one, in small letters, was meant to be: three letters apart at most. */
function prefixMeant(prefix: string): string | undefined {
  if (neighbours.has(prefix)) return undefined;
  // In capitals it was another one.
  if (isOurs(prefix)) return prefix;
  const isNear = (known: string, most = mostLettersApart) => editDistance(prefix, known, most) <= most;
  if (prefix === 'carm-webhook' || isNear(own)) return own;
  // Other services of AWS are three letters apart too: `iam.amazonaws.com`.
  if (isNear(eks, prefix.endsWith('.amazonaws.com') ? 1 : mostLettersApart)) return eks;
  if (isNear(ack)) return ack;
  const dot = prefix.indexOf('.');
  const group = prefix.slice(dot + 1);
  const isOfSlip = dot > 0 && group !== ack && editDistance(group, ack, 2) <= 2;
  const meant = prefix.slice(0, dot) + ackSuffix;
  return isOfSlip && isOfService(meant) ? meant : undefined;
}

/** Whether a key is worth a closer look: nearly all are not. */
function isSuspicious(key: string, as: KeyedAs, on: KeyedKind): boolean {
  const slash = key.indexOf('/');
  if (slash <= 0 || slash > longestPrefix || key.length > slash + 64) return false;
  const prefix = key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (!isOurs(prefix)) return byName.has(name) || (notPlain.test(name) && byName.has(plain(name)));
  if (neverHinted.has(key)) return false;
  const row = rowOf(key, prefix, name);
  if (row !== undefined) return row.as !== as || !isReadOn(row, on);
  return !isControllersAnnotation(key);
}

/**
 * What was probably meant by a label or annotation that nobody reads, such as `eks.amazonaws.com/role-arn` by
 * `eks.amazonaws.com/rolearn`; undefined for every other key. (The peer silently ignores such slips:
 * https://github.com/aws/amazon-eks-pod-identity-webhook/issues/200) Under EKS' and ACK's prefixes only what comes close to a
 * key of the table, for they have others; under our own every one.
 */
export function keyHint(key: string, as: KeyedAs, on: KeyedKind): KeyHint | undefined {
  if (!isSuspicious(key, as, on)) return undefined;
  const slash = key.indexOf('/');
  const [prefix, name] = [key.slice(0, slash), key.slice(slash + 1)];
  const hint = (reason: KeyHint['reason'], row: KeyRow | undefined, under = prefix): KeyHint => ({
    reason,
    key,
    as,
    on,
    ...(row === undefined ? { meant: undefined, replacement: undefined } : meantBy(row, as, on, under)),
  });
  if (!isOurs(prefix)) {
    const meant = prefixMeant(prefix.toLowerCase());
    const row = rowsUnder(meant ?? '').find(known => known.name === plain(name))?.row;
    // Nobody writes by hand what says on a pod which role it has.
    const isNote = row?.key === roleArnAnnotation && on === 'pod';
    return row === undefined || isNote ? undefined : hint('MisspelledKey', row, meant);
  }
  const exact = rowOf(key, prefix, name);
  if (exact !== undefined) return hint('MisplacedKey', exact);
  const isOwn = prefix === own;
  const row = nearest(name, rowsUnder(prefix), { as, on, isOwn }) ?? underOtherPrefix(prefix, name, on);
  return row !== undefined || isOwn ? hint('MisspelledKey', row) : undefined;
}

/** Those that are looked for on one object: more are named in no message. */
const mostHints = 8;
/** Suspicious keys of one object whose distance is measured, which takes some microseconds each. */
const mostMeasured = 64;

/** Looks for keys that nobody reads, among the labels and annotations of one object. */
export class KeyHintSearch {
  readonly #on: KeyedKind;
  #found = 0;
  #measured = 0;

  constructor(on: KeyedKind) {
    this.#on = on;
  }

  get isOver(): boolean {
    return this.#found === mostHints || this.#measured === mostMeasured;
  }

  /** What is to be said of the next key; undefined for nothing, and when the search is over. */
  look(key: string, as: KeyedAs): KeyHint | undefined {
    if (this.isOver || !isSuspicious(key, as, this.#on)) return undefined;
    this.#measured += 1;
    const hint = keyHint(key, as, this.#on);
    if (hint !== undefined) this.#found += 1;
    return hint;
  }
}

/** What has labels and annotations. */
export interface Keyed {
  readonly labels: KeyedStrings<never>;
  readonly annotations: KeyedStrings<never>;
}

/**
 * The first keys of an object that nobody reads.
 * @param old the object as it was: keys that it had with the same value were told of then.
 */
export function keyHints(object: Keyed, on: KeyedKind, old?: Keyed): readonly KeyHint[] {
  const search = new KeyHintSearch(on);
  const hints: KeyHint[] = [];
  for (const [strings, before, as] of [
    [object.labels, old?.labels, 'label'],
    [object.annotations, old?.annotations, 'annotation'],
  ] as const) {
    for (const [key, value] of strings) {
      if (search.isOver) return hints;
      // Any key may be asked for here: what an object has is read whole where it is compared with what it was.
      const hint = before?.get(key as never) === value ? undefined : search.look(key, as);
      if (hint !== undefined) hints.push(hint);
    }
  }
  return hints;
}
