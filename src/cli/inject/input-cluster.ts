import { type Cluster, type Lookup, type LookupResult, UnverifiedError } from '../../admission/cluster.ts';
import { describeLookup, lookUpIn, lookupKey } from '../../admission/lookup.ts';
import { ApiError, ClusterUnreachableError } from '../../cluster/api/api-errors.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { bareServiceAccount } from '../../objects/service-account.ts';
import type { ObjectSource } from '../sources/object-source.ts';
import { UnreadError } from '../sources/unread-error.ts';

interface Named {
  readonly name: string;
}

/**
 * What a cluster would know once the objects of an input were applied: those first, then the source, each asked for
 * once. A ServiceAccount in neither has no annotations: it would be made before the pod.
 */
export class InputCluster implements Cluster {
  readonly cache = undefined;
  readonly #input: Snapshot;
  readonly #source: ObjectSource;
  readonly #answers = new Map<string, Promise<unknown>>();
  /** A source that cannot be read: an answer to a review that came of it must not be spoken. */
  #failure: ClusterUnreachableError | undefined;

  constructor(input: Snapshot, source: ObjectSource) {
    this.#input = input;
    this.#source = source;
  }

  async read<R extends Lookup>(lookup: R): Promise<LookupResult<R>> {
    // Who will apply the input is not known; they are told then.
    if (lookup.kind === 'BindGrant') return 'granted' as LookupResult<R>;
    if (lookup.kind === 'RoleSelectors' || lookup.kind === 'Namespaces') {
      return (await this.#all(lookup)) as LookupResult<R>;
    }
    // Resources of an input are not there yet: what is searched for is what a change would strand.
    const written = lookup.kind === 'Resources' ? undefined : this.#inInput(lookup);
    if (written !== undefined) return written as LookupResult<R>;
    return (await this.#askOnce(lookup)) as LookupResult<R>;
  }

  /** All of a kind: those of the input in place of those of the source with the same name. */
  async #all(lookup: Lookup & { readonly kind: 'RoleSelectors' | 'Namespaces' }): Promise<readonly Named[]> {
    const read = ((await this.#askOnce(lookup)) ?? []) as readonly Named[];
    const written = (lookUpIn(this.#input, lookup) ?? []) as readonly Named[];
    return [...new Map([...read, ...written].map(each => [each.name, each])).values()];
  }

  /** @throws {ClusterUnreachableError} when an answer given since then rests on a source that could not be read. */
  throwIfUnread(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #inInput(lookup: Lookup): LookupResult<Lookup> {
    if (lookup.kind !== 'ServiceAccount') return lookUpIn(this.#input, lookup);
    return this.#input.writtenServiceAccount(lookup.namespace, lookup.name);
  }

  #askOnce(lookup: Lookup): Promise<unknown> {
    const key = lookupKey(lookup);
    const answer = this.#answers.get(key) ?? this.#ask(lookup);
    this.#answers.set(key, answer);
    return answer;
  }

  async #ask(lookup: Lookup): Promise<LookupResult<Lookup>> {
    try {
      const found = await this.#source.read(lookup);
      if (found !== undefined || lookup.kind !== 'ServiceAccount') return found;
      return bareServiceAccount;
    } catch (cause) {
      if (!(cause instanceof ClusterUnreachableError)) throw cause;
      // The namespace is in the input, so its ServiceAccount `default` is the one that Kubernetes makes.
      const given = lookUpIn(this.#input, lookup);
      if (given !== undefined) return given;
      const why = cause instanceof UnreadError ? cause.why : cause.message;
      const remedy = cause.cause instanceof ApiError ? '' : '; add it to the input, or give --state DIR';
      const message = `${describeLookup(lookup)} is not in the input and cannot be read: ${why}${remedy}`;
      this.#failure ??= new ClusterUnreachableError(message, { cause });
      throw new UnverifiedError(503, message, { cause });
    }
  }
}
