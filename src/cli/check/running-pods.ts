import { managementOf } from '../../accounts/managed-namespace.ts';
import type { Config } from '../../admission/config.ts';
import { ruleFor } from '../../admission/rules.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { isJsonObject, type JsonObject, MalformedObjectError } from '../../objects/json.ts';
import { injectLabel, mirrorAnnotation } from '../../objects/keys.ts';
import { ObjectTooLargeError } from '../../objects/object-size.ts';
import { withAdditions } from '../inject/dry-run.ts';
import { podResource, reviewOf } from '../inject/synthetic-review.ts';
import { beforeInjection, type HeldByContainer, heldByPod } from '../why/running-pod.ts';
import { controllerOf, type Owner } from './pod-owners.ts';

/** Owners that are kept; the pods of others are counted. */
export const mostOwners = 1000;
/** Names that are kept of the pods of one owner. */
const mostPods = 5;

/** Pods of one owner that run without the role that they would get today. */
export interface PodsWithoutRole {
  readonly namespace: string;
  readonly owner: Owner;
  readonly roleArn: string;
  count: number;
  /** Those among them that have another role. */
  withOther: number;
  /** The first few. */
  readonly names: string[];
}

/** The role that a pod lacks. */
interface MissingRole {
  readonly roleArn: string;
  readonly hasOther: boolean;
}

const ended: ReadonlySet<unknown> = new Set(['Succeeded', 'Failed']);

function fieldsOf(parent: JsonObject, key: string): JsonObject {
  const value = parent[key];
  return isJsonObject(value) ? value : {};
}

function missingFrom(had: HeldByContainer, would: HeldByContainer): MissingRole | undefined {
  const { roleArn, tokenFile } = would;
  if (roleArn === undefined || tokenFile === undefined) return undefined;
  if (had.roleArn === roleArn && had.tokenFile === tokenFile) return undefined;
  return { roleArn, hasOther: had.roleArn !== undefined && had.roleArn !== roleArn };
}

/**
 * Looks at pods one by one for those that run without the role that they would get if they were created now. What it keeps
 * is bounded, whatever pods there are.
 */
export class RunningPods {
  readonly #state: Snapshot;
  readonly #config: Config;
  /** Whether pods of a namespace are looked at. */
  readonly #namespaces = new Map<string, boolean>();
  readonly #byOwner = new Map<string, PodsWithoutRole>();
  /** Pods of more owners than are kept. */
  more = 0;
  /** Pods that could not be judged. */
  malformed = 0;

  constructor(state: Snapshot, config: Config) {
    this.#state = state;
    this.#config = config;
  }

  get found(): Iterable<PodsWithoutRole> {
    return this.#byOwner.values();
  }

  look(object: JsonObject): void {
    try {
      const missing = this.#missingRole(object);
      if (missing !== undefined) this.#add(object, missing);
    } catch (error) {
      if (!(error instanceof MalformedObjectError || error instanceof ObjectTooLargeError)) throw error;
      this.malformed += 1;
    }
  }

  /** A namespace without the label is a finding of its own: its pods get no role, however often they are created. */
  #isLookedAt(name: string): boolean {
    const known = this.#namespaces.get(name);
    if (known !== undefined) return known;
    const namespace = this.#state.namespace(name);
    const { ownNamespace, featureGates } = this.#config;
    const looked =
      namespace !== undefined &&
      namespace.labels.get(injectLabel) === 'enabled' &&
      managementOf(namespace, ownNamespace, featureGates) === 'managed';
    // One that is made up is not remembered: pods name as many as they like.
    if (namespace !== undefined) this.#namespaces.set(name, looked);
    return looked;
  }

  #missingRole({ metadata, spec, status }: JsonObject): MissingRole | undefined {
    if (!isJsonObject(metadata) || !isJsonObject(spec)) return undefined;
    const { name, namespace, labels, annotations, deletionTimestamp } = metadata;
    if (typeof name !== 'string' || typeof namespace !== 'string' || !this.#isLookedAt(namespace)) return undefined;
    if (deletionTimestamp !== undefined || (isJsonObject(status) && ended.has(status['phase']))) return undefined;
    if (mirrorAnnotation in fieldsOf(metadata, 'annotations')) return undefined;
    const pod = { metadata: { name, namespace, labels, annotations }, spec };
    const before = beforeInjection(pod);
    const request = reviewOf({ resource: podResource, kind: 'Pod', name, namespace, object: before });
    const decision = ruleFor('mutate', request).decide(request, this.#state, this.#config);
    if (decision.verdict !== 'mutate') return undefined;
    const would = heldByPod(withAdditions(before, decision.patch) as JsonObject).containers;
    // Ephemeral ones come last, and no pod is created with them.
    const had = heldByPod(pod).containers;
    for (const [index, each] of would.entries()) {
      const now = had[index];
      const missing = now && missingFrom(now, each);
      if (missing !== undefined) return missing;
    }
    return undefined;
  }

  #add(object: JsonObject, { roleArn, hasOther }: MissingRole): void {
    const { name, namespace } = fieldsOf(object, 'metadata') as { name: string; namespace: string };
    const owner = controllerOf(object) ?? { group: '', kind: 'Pod', name };
    this.#merge({ namespace, owner, roleArn, count: 1, withOther: hasOther ? 1 : 0, names: [name] });
  }

  #merge(pods: PodsWithoutRole): void {
    const { namespace, owner } = pods;
    const key = JSON.stringify([namespace, owner.group, owner.kind, owner.name]);
    const known = this.#byOwner.get(key);
    if (known === undefined) {
      if (this.#byOwner.size < mostOwners) this.#byOwner.set(key, pods);
      else this.more += pods.count;
      return;
    }
    known.count += pods.count;
    known.withOther += pods.withOther;
    known.names.push(...pods.names.slice(0, mostPods - known.names.length));
  }

  /** The same pods by other owners: a Deployment in place of its ReplicaSets. */
  async byOwners(ownerOf: (pods: PodsWithoutRole) => Promise<Owner>): Promise<void> {
    const found = [...this.#byOwner.values()];
    this.#byOwner.clear();
    for (const pods of found) this.#merge({ ...pods, owner: await ownerOf(pods) });
  }
}
