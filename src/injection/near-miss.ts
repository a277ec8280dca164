type Annotated = 'pod' | 'ServiceAccount' | 'namespace';

/** The annotations that we read, by the prefix and what they are read on. */
const known: Readonly<Record<string, Readonly<Record<string, readonly Annotated[]>>>> = {
  'eks.amazonaws.com': {
    'role-arn': ['ServiceAccount'],
    audience: ['ServiceAccount'],
    'token-expiration': ['pod', 'ServiceAccount'],
    'sts-regional-endpoints': ['ServiceAccount'],
    'skip-containers': ['pod'],
  },
  'carm-webhook.dev': { role: ['ServiceAccount'] },
  'services.k8s.aws': {
    'owner-account-id': ['namespace'],
    'team-id': ['namespace'],
    'default-region': ['namespace'],
  },
};
const prefixes = Object.keys(known);

/** The annotations that are read on a kind of object. */
export function readAnnotations(on: Annotated): readonly string[] {
  return Object.entries(known).flatMap(([prefix, names]) =>
    Object.keys(names)
      .filter(name => names[name]?.includes(on))
      .map(name => `${prefix}/${name}`),
  );
}

/** How many letters apart a prefix may be to be taken for a slip: `eks.amazon.com` is three off. */
const nearestMiss = 3;

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

/**
 * The annotation that was probably meant by one that nobody reads, such as `eks.amazonaws.com/role-arn` by
 * `eks.amazon.com/role-arn`; undefined for every other key. (The peer ignores such slips without a word:
 * https://github.com/aws/amazon-eks-pod-identity-webhook/issues/200)
 */
export function probablyMeant(key: string): string | undefined {
  const slash = key.indexOf('/');
  if (slash < 0) return undefined;
  const prefix = key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix.length > 63 || Object.hasOwn(known, prefix)) return undefined;
  const meant = prefixes.find(
    candidate =>
      Object.hasOwn(known[candidate] ?? {}, name) && distance(prefix.toLowerCase(), candidate) <= nearestMiss,
  );
  return meant === undefined ? undefined : `${meant}/${name}`;
}

/** The names that are read under any prefix. */
const knownNames: ReadonlySet<string> = new Set(prefixes.flatMap(prefix => Object.keys(known[prefix] ?? {})));

/** Whether a key is worth a closer look: nearly all are not. */
function mayBeMeant(key: string, on: Annotated): boolean {
  if (on === 'namespace' && onNamespaces.has(key)) return true;
  const slash = key.indexOf('/');
  return slash > 0 && slash <= 63 && knownNames.has(key.slice(slash + 1)) && !Object.hasOwn(known, key.slice(0, slash));
}

/**
 * Annotations of ACK's resources that people write on namespaces, where ACK reads others.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/cache/namespace.go
 */
const onNamespaces: ReadonlyMap<string, string> = new Map([
  ['services.k8s.aws/region', 'services.k8s.aws/default-region'],
  ['services.k8s.aws/deletion-policy', 'SERVICE.services.k8s.aws/deletion-policy'],
]);

export interface NearMiss {
  readonly key: string;
  /** What is read, with where it is read if that is elsewhere: `eks.amazonaws.com/role-arn on the ServiceAccount`. */
  readonly meant: string;
}

/** Near misses that are looked for on one object: more are named in no message. */
const mostMisses = 8;
/** Keys of one object whose distance is measured, which takes some microseconds each. */
const mostMeasured = 64;

/** The first near misses among the keys of the annotations of an object. */
export function nearMisses(annotations: ReadonlyMap<string, string>, on: Annotated): readonly NearMiss[] {
  const misses: NearMiss[] = [];
  let measured = 0;
  for (const key of annotations.keys()) {
    if (!mayBeMeant(key, on)) continue;
    measured++;
    if (measured > mostMeasured || misses.length === mostMisses) break;
    const misplaced = on === 'namespace' ? onNamespaces.get(key) : undefined;
    if (misplaced !== undefined) misses.push({ key, meant: misplaced });
    const meant = probablyMeant(key);
    if (meant === undefined) continue;
    const [prefix = '', name = ''] = meant.split('/');
    const readOn = known[prefix]?.[name] ?? [];
    misses.push({ key, meant: readOn.includes(on) ? meant : `${meant} on the ${readOn[0]}` });
  }
  return misses;
}
