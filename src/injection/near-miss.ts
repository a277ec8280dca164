/** The annotations that we read, by prefix. */
const known: Readonly<Record<string, ReadonlySet<string>>> = {
  'eks.amazonaws.com': new Set([
    'role-arn',
    'audience',
    'token-expiration',
    'sts-regional-endpoints',
    'skip-containers',
    'skip-pod-identity-webhook',
  ]),
  'carm-webhook.dev': new Set(['role', 'role-arn', 'inject', 'mode']),
  'services.k8s.aws': new Set(['owner-account-id', 'team-id', 'default-region']),
};
const prefixes = Object.keys(known);

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
    candidate => known[candidate]?.has(name) && distance(prefix.toLowerCase(), candidate) <= nearestMiss,
  );
  return meant === undefined ? undefined : `${meant}/${name}`;
}

export interface NearMiss {
  readonly key: string;
  readonly meant: string;
}

/** Every near miss among the keys of some annotations. */
export function nearMisses(annotations: ReadonlyMap<string, string>): readonly NearMiss[] {
  const misses: NearMiss[] = [];
  for (const key of annotations.keys()) {
    const meant = probablyMeant(key);
    if (meant !== undefined) misses.push({ key, meant });
  }
  return misses;
}
