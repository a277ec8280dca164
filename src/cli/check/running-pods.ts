import { managementOf } from '../../accounts/managed-namespace.ts';
import type { Config } from '../../admission/config.ts';
import { ruleFor } from '../../admission/rules.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { isJsonObject, type JsonObject, MalformedObjectError } from '../../objects/json.ts';
import { type KeyHint, keyHints } from '../../objects/key-hints.ts';
import { injectLabel, mirrorAnnotation } from '../../objects/keys.ts';
import { readWrittenMetadata } from '../../objects/metadata.ts';
import { ObjectTooLargeError } from '../../objects/object-size.ts';
import { beforeInjection, type HeldByContainer, heldByPod } from '../predict/running-pod.ts';
import { podResource, reviewOf } from '../predict/synthetic-review.ts';
import { withAdditions } from '../predict/with-additions.ts';
import { controllerOf, type Owner } from './pod-owners.ts';

/** Owners that are kept; the pods of others are counted. */
export const mostOwners = 1000;
/** Names that are kept of the pods of one owner. */
const mostPods = 5;

interface PodsOfOwner {
  readonly namespace: string;
  readonly owner: Owner;
}

/** Pods of one owner that run without the role that they would get today. */
export interface PodsWithoutRole extends PodsOfOwner {
  readonly roleArn: string;
  count: number;
  /** Those among them that have another role. */
  withOther: number;
  /** Whether their AWS config file was changed, emptied or removed. */
  readonly isForged: boolean;
  /** The first few. */
  readonly names: string[];
}

/** What one owner's pods have of labels and annotations that are ignored: the first few. */
export interface IgnoredKeysOfPods extends PodsOfOwner {
  /** By what they say, so that each is told once for all pods. */
  readonly hints: Map<string, KeyHint>;
}

/** Ignored keys that are told of one owner. */
const mostKeys = 8;

/** The role that a pod lacks. */
interface MissingRole {
  readonly roleArn: string;
  readonly hasOther: boolean;
  /** Whether its AWS config file is none that was injected: somebody changed, emptied or removed the annotation. */
  readonly isForged: boolean;
}

type JudgedPod = JsonObject & { readonly metadata: JsonObject & { readonly name: string; readonly namespace: string } };

function keyOf({ namespace, owner }: PodsOfOwner): string {
  return JSON.stringify([namespace, owner.group, owner.kind, owner.name]);
}

const ended: ReadonlySet<unknown> = new Set(['Succeeded', 'Failed']);

function fieldsOf(parent: JsonObject, key: string): JsonObject {
  const value = parent[key];
  return isJsonObject(value) ? value : {};
}

/** Whether a container comes to its role in the way that is due. */
function isHeld(had: HeldByContainer, would: HeldByContainer): boolean {
  if (had.roleArn !== would.roleArn || had.tokenFile !== would.tokenFile) return false;
  const { chain: now } = had;
  const { chain: due } = would;
  return (
    now?.hubRoleArn === due?.hubRoleArn &&
    now?.externalId === due?.externalId &&
    (now === undefined) === (due === undefined)
  );
}

function missingFrom(had: HeldByContainer, would: HeldByContainer): MissingRole | undefined {
  const { roleArn, tokenFile, chain } = would;
  if (roleArn === undefined || (tokenFile === undefined && chain === undefined) || isHeld(had, would)) return undefined;
  const hasOther = had.roleArn !== undefined && had.roleArn !== roleArn;
  return { roleArn, hasOther, isForged: had.chain !== undefined && had.roleArn === undefined };
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
  readonly #keysByOwner = new Map<string, IgnoredKeysOfPods>();
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

  get ignoredKeys(): Iterable<IgnoredKeysOfPods> {
    return this.#keysByOwner.values();
  }

  look(object: JsonObject): void {
    try {
      const pod = this.#judged(object);
      if (pod === undefined) return;
      const owner = controllerOf(object) ?? { group: '', kind: 'Pod', name: pod.metadata.name };
      this.#addKeys(pod, owner);
      const missing = this.#missingRole(pod);
      if (missing !== undefined) this.#add(pod, owner, missing);
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

  /** What counts of a pod; undefined for one that is not looked at. */
  #judged({ metadata, spec, status }: JsonObject): JudgedPod | undefined {
    if (!isJsonObject(metadata) || !isJsonObject(spec)) return undefined;
    const { name, namespace, labels, annotations, deletionTimestamp } = metadata;
    if (typeof name !== 'string' || typeof namespace !== 'string' || !this.#isLookedAt(namespace)) return undefined;
    if (deletionTimestamp !== undefined || (isJsonObject(status) && ended.has(status['phase']))) return undefined;
    if (mirrorAnnotation in fieldsOf(metadata, 'annotations')) return undefined;
    return { metadata: { name, namespace, labels, annotations }, spec };
  }

  #missingRole(pod: JudgedPod): MissingRole | undefined {
    const { name, namespace } = pod.metadata;
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

  #add({ metadata: { name, namespace } }: JudgedPod, owner: Owner, { roleArn, hasOther, isForged }: MissingRole): void {
    this.#merge({ namespace, owner, roleArn, isForged, count: 1, withOther: hasOther ? 1 : 0, names: [name] });
  }

  #addKeys(pod: JudgedPod, owner: Owner): void {
    const hints = keyHints(readWrittenMetadata(pod), 'pod').map(hint => [`${hint.as} ${hint.key}`, hint] as const);
    if (hints.length > 0) this.#mergeKeys({ namespace: pod.metadata.namespace, owner, hints: new Map(hints) });
  }

  #mergeKeys(keys: IgnoredKeysOfPods): void {
    const key = keyOf(keys);
    const known = this.#keysByOwner.get(key);
    if (known === undefined) {
      if (this.#keysByOwner.size < mostOwners) this.#keysByOwner.set(key, keys);
      return;
    }
    for (const [said, hint] of keys.hints) if (known.hints.size < mostKeys) known.hints.set(said, hint);
  }

  #merge(pods: PodsWithoutRole): void {
    const key = `${pods.isForged} ${keyOf(pods)}`;
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
  async byOwners(ownerOf: (pods: PodsOfOwner) => Promise<Owner>): Promise<void> {
    const found = [...this.#byOwner.values()];
    const keys = [...this.#keysByOwner.values()];
    this.#byOwner.clear();
    this.#keysByOwner.clear();
    const known = new Map<string, Owner>();
    const outermost = async (pods: PodsOfOwner): Promise<Owner> => {
      const owner = known.get(keyOf(pods)) ?? (await ownerOf(pods));
      known.set(keyOf(pods), owner);
      return owner;
    };
    for (const pods of found) this.#merge({ ...pods, owner: await outermost(pods) });
    for (const pods of keys) this.#mergeKeys({ ...pods, owner: await outermost(pods) });
  }
}
