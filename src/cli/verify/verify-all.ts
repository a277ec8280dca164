import { isBound } from '../../accounts/binding.ts';
import { managementOf } from '../../accounts/managed-namespace.ts';
import { type Cluster, type Lookup, type LookupResult, UnverifiedError } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { lookupKey } from '../../admission/lookup.ts';
import { readKeys } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { NamedServiceAccount } from '../sources/api-source.ts';
import { NoTokenError } from '../sources/no-token-error.ts';
import { UnreadError } from '../sources/unread-error.ts';
import type { Target } from './resolve-target.ts';
import type { Verification } from './verification.ts';

const serviceAccountKeys = readKeys('annotation', 'ServiceAccount');

/** Of a cluster that has more, the first are verified. Each takes some calls of AWS. */
export const mostTargets = 10_000;

/** At once: AWS counts the calls of an account, and other people's count with ours. */
const concurrency = 5;

/**
 * In every namespace that is bound and managed, the ServiceAccount `default`, and those that ask for something of their own.
 * By namespace and name.
 */
export function listTargets(
  namespaces: readonly Namespace[],
  serviceAccounts: readonly NamedServiceAccount[],
  config: Config,
): readonly Target[] {
  const asking = new Map<string, Set<string>>();
  for (const namespace of namespaces) {
    const { name, annotations } = namespace;
    if (!isBound(annotations, config.featureGates)) continue;
    if (managementOf(namespace, config.ownNamespace, config.featureGates) !== 'managed') continue;
    asking.set(name, new Set(['default']));
  }
  for (const { namespace, name, serviceAccount } of serviceAccounts) {
    if (serviceAccountKeys.some(key => serviceAccount.annotations.get(key))) asking.get(namespace)?.add(name);
  }
  const targets = [...asking].flatMap(([namespace, names]) =>
    [...names].map(serviceAccount => ({ namespace, serviceAccount })),
  );
  const order = ({ namespace, serviceAccount }: Target) => `${namespace}/${serviceAccount}`;
  return targets.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** A cluster of which each object is read once: what lists brought, and the rest when it is first asked for. */
export function readOnceCluster(
  namespaces: readonly Namespace[],
  serviceAccounts: readonly NamedServiceAccount[],
  read: Cluster['read'],
): Cluster {
  const known = new Map<string, Promise<unknown>>();
  for (const namespace of namespaces) {
    known.set(lookupKey({ kind: 'Namespace', name: namespace.name }), Promise.resolve(namespace));
  }
  for (const { namespace, name, serviceAccount } of serviceAccounts) {
    known.set(lookupKey({ kind: 'ServiceAccount', namespace, name }), Promise.resolve(serviceAccount));
  }
  return {
    cache: undefined,
    read<R extends Lookup>(lookup: R, namespace: string, deadline: number) {
      const key = lookupKey(lookup);
      const before = known.get(key);
      if (before !== undefined) return before as Promise<LookupResult<R>>;
      const found = read(lookup, namespace, deadline);
      known.set(key, found);
      // A read that failed is tried again for the next.
      found.catch(() => known.delete(key));
      return found;
    },
  };
}

function unverified(target: Target, reason: string, message: string): Verification {
  return { ...target, result: 'unverified', reason, message, resolved: undefined, steps: [] };
}

/** One verification; what could not be read or had is a result as well, for there are others. */
async function verifyEach(
  target: Target,
  verify: (target: Target) => Promise<Verification>,
  signal: AbortSignal,
): Promise<Verification> {
  if (signal.aborted) return unverified(target, 'TimeLimit', 'the time of --timeout was over');
  try {
    return await verify(target);
  } catch (error) {
    if (error instanceof NoTokenError) {
      return unverified(target, error.isForbidden ? 'NoRightToToken' : 'NoToken', error.message);
    }
    if (error instanceof UnreadError || error instanceof UnverifiedError) {
      return unverified(target, 'NotRead', error.message);
    }
    throw error;
  }
}

/** Verifies all, a few at once. @param onDone told after each how many are done. @returns them in order. */
export async function verifyAll(
  targets: readonly Target[],
  verify: (target: Target) => Promise<Verification>,
  signal: AbortSignal,
  onDone: (count: number) => void,
): Promise<readonly Verification[]> {
  const verifications: Verification[] = [];
  const queue = targets.entries();
  let count = 0;
  const work = async (): Promise<void> => {
    for (const [index, target] of queue) {
      verifications[index] = await verifyEach(target, verify, signal);
      count += 1;
      onDone(count);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return verifications;
}
