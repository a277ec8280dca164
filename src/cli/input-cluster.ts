import type { Cluster, Reference, Referent } from '../admission/cluster.ts';
import { UnverifiedError } from '../admission/cluster.ts';
import { ApiError, ClusterUnreachableError } from '../cluster/api-errors.ts';
import { noAnnotations, type Snapshot } from '../cluster/snapshot.ts';
import { lookUp } from '../cluster/state-directory.ts';
import type { ObjectSource } from './object-source.ts';
import { UnreadError } from './unread-error.ts';

interface Named {
  readonly name: string;
}

function keyOf(reference: Reference): string {
  return JSON.stringify(Object.values(reference));
}

function nameOf(reference: Reference): string {
  switch (reference.kind) {
    case 'Namespace':
      return `Namespace ${JSON.stringify(reference.name)}`;
    case 'ServiceAccount':
      return `ServiceAccount ${JSON.stringify(`${reference.namespace}/${reference.name}`)}`;
    case 'RoleMap':
      return `the ${reference.map} map`;
    case 'RoleSelectors':
      return 'the list of IAMRoleSelectors';
    case 'Namespaces':
      return 'the list of namespaces';
    case 'Resources':
      return 'the list of ACK resources';
  }
}

/**
 * What a cluster would know once the objects of an input were applied: those first, then the source, each asked for
 * once. A ServiceAccount in neither has no annotations: it would be made before the pod.
 */
export class InputCluster implements Cluster {
  readonly memory = undefined;
  readonly #input: Snapshot;
  readonly #source: ObjectSource;
  readonly #answers = new Map<string, Promise<unknown>>();
  /** A source that cannot be read: an answer to a review that came of it must not be spoken. */
  #failure: ClusterUnreachableError | undefined;

  constructor(input: Snapshot, source: ObjectSource) {
    this.#input = input;
    this.#source = source;
  }

  async read<R extends Reference>(reference: R): Promise<Referent<R>> {
    if (reference.kind === 'RoleSelectors' || reference.kind === 'Namespaces') {
      return (await this.#all(reference)) as Referent<R>;
    }
    // Resources of an input are not there yet: what is searched for is what a change would strand.
    const written = reference.kind === 'Resources' ? undefined : this.#inInput(reference);
    if (written !== undefined) return written as Referent<R>;
    const key = keyOf(reference);
    const answer = this.#answers.get(key) ?? this.#ask(reference);
    this.#answers.set(key, answer);
    return (await answer) as Referent<R>;
  }

  /** All of a kind: those of the input in place of those of the source with the same name. */
  async #all(reference: Reference & { readonly kind: 'RoleSelectors' | 'Namespaces' }): Promise<readonly Named[]> {
    const key = keyOf(reference);
    const answer = this.#answers.get(key) ?? this.#ask(reference);
    this.#answers.set(key, answer);
    const read = ((await answer) ?? []) as readonly Named[];
    const written = lookUp(this.#input, reference) as readonly Named[];
    return [...new Map([...read, ...written].map(each => [each.name, each])).values()];
  }

  /** @throws {ClusterUnreachableError} when an answer given since then rests on a source that could not be read. */
  throwIfUnread(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #inInput(reference: Reference): Referent<Reference> {
    if (reference.kind !== 'ServiceAccount') return lookUp(this.#input, reference);
    return this.#input.writtenServiceAccount(reference.namespace, reference.name);
  }

  async #ask(reference: Reference): Promise<Referent<Reference>> {
    try {
      const found = await this.#source.read(reference);
      if (found !== undefined || reference.kind !== 'ServiceAccount') return found;
      return noAnnotations;
    } catch (cause) {
      if (!(cause instanceof ClusterUnreachableError)) throw cause;
      // The namespace is in the input, so its ServiceAccount `default` is the one that Kubernetes makes.
      const given = lookUp(this.#input, reference);
      if (given !== undefined) return given;
      const why = cause instanceof UnreadError ? cause.why : cause.message;
      const remedy = cause.cause instanceof ApiError ? '' : '; add it to the input, or give --state DIR';
      const message = `${nameOf(reference)} is not in the input and cannot be read: ${why}${remedy}`;
      this.#failure ??= new ClusterUnreachableError(message, { cause });
      throw new UnverifiedError(503, message, { cause });
    }
  }
}
