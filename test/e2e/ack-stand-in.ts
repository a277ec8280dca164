import { isDeepStrictEqual } from 'node:util';
import type { AckKind, StoredResource } from './ack-crds.ts';
import {
  type AckCaches,
  type AckSettings,
  type AckSubject,
  adoptedNote,
  decideWork,
  extractAdoptionFields,
  getAdoptionPolicy,
  getDeletionPolicy,
  isAdopted,
  isReadOnly,
} from './ack-decisions.ts';
import { type AwsObject, type AwsPlace, AwsRefusal, type StandInAws } from './stand-in-aws.ts';

/** A kind that ACK's controllers work on. */
export interface WorkedKind {
  readonly kind: AckKind;
  /** The field of `adoption-fields` that says which one is adopted: its name, or an ARN that ends with it. */
  readonly adoptionField: string;
  readonly arnOf: (object: AwsObject) => string;
}

/** A resource as the stand-in reads it. */
export interface AckObject extends StoredResource {
  readonly metadata: StoredResource['metadata'] & { readonly uid: string; readonly namespace: string };
}

/** What ACK's controllers ask of a cluster, each as itself. */
export interface AckApi {
  /** What the informers have: namespaces, the maps of the ACK system namespace, selectors. */
  readCaches(): Promise<AckCaches>;
  list(kind: AckKind): Promise<readonly AckObject[]>;
  /** A JSON merge patch. @returns undefined where the object is gone, or goes with this patch. */
  patch(kind: AckKind, object: AckObject, patch: object, subResource: '' | '/status'): Promise<AckObject | undefined>;
}

/** What came of one reconcile. */
export type Outcome =
  | 'Synced'
  | 'Requeued'
  | 'Deleted'
  | 'Retained'
  /** AWS refused; ACK says so in the conditions, and tries again. */
  | 'Refused'
  /** "adopted resource not found", "read-only resource not found": tried again. */
  | 'NotFound'
  /** Stops: neither edits nor a deletion come through. */
  | 'Terminal'
  | 'RoleNotAvailable'
  | 'InvalidRoleArn'
  | 'SelectorConflict'
  | 'RegionDrift'
  | 'AccountDrift';

const stops: ReadonlySet<Outcome> = new Set([
  'Terminal',
  'RoleNotAvailable',
  'InvalidRoleArn',
  'SelectorConflict',
  'RegionDrift',
  'AccountDrift',
]);

interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly message?: string;
  readonly reason?: string;
}

/** What is known of a resource from its last reconcile. */
interface LastSeen {
  readonly title: string;
  readonly outcome: Outcome;
  readonly message: string;
  readonly place: AwsPlace | undefined;
  /** Whether ACK has written down where it is: what it never took up, it cannot lose. */
  readonly isTakenUp: boolean;
}

const mostPasses = 10;

/**
 * ACK's controllers as far as accounts, regions, adoption and deletion go: the real Reconcile, step by step, on an AWS in memory.
 * It polls: one pass reconciles every resource once, as ACK's resync does in the end (every 10 hours).
 * https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/reconciler.go
 */
export class AckStandIn {
  readonly #api: AckApi;
  readonly #aws: StandInAws;
  readonly #kinds: readonly WorkedKind[];
  readonly #settings: AckSettings;
  #seen = new Map<string, LastSeen>();
  /** Titles of resources that are gone. */
  readonly #gone = new Map<string, string>();

  constructor(api: AckApi, aws: StandInAws, kinds: readonly WorkedKind[], settings: AckSettings) {
    this.#api = api;
    this.#aws = aws;
    this.#kinds = kinds;
    this.#settings = settings;
  }

  /** Reconciles everything again and again, until a pass changes nothing. @throws {Error} if that does not end */
  async reconcileUntilQuiet(): Promise<void> {
    for (let pass = 0; pass < mostPasses; pass++) {
      if (!(await this.#pass())) return;
    }
    throw new Error(`something still changes after ${mostPasses} passes: ${JSON.stringify([...this.#seen.values()])}`);
  }

  /** What came of the last reconcile of a resource: `Bucket shop/assets`. */
  outcomeOf(title: string): Outcome | undefined {
    return [...this.#seen.values()].find(each => each.title === title)?.outcome;
  }

  /** Titles of all that there were at the last reconcile. */
  get seen(): readonly string[] {
    return [...this.#seen.values()].map(({ title }) => title);
  }

  /**
   * What is stranded: resources whose edits are ignored and whose deletion hangs, and what is in AWS without a resource that leads
   * to it. Each by its title, with what became of it.
   */
  get stranded(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    for (const { title, outcome, message, isTakenUp } of this.#seen.values()) {
      if (isTakenUp && stops.has(outcome)) found.set(title, `${outcome}: ${message}`);
    }
    for (const { holder, accountId, region, kind, name } of this.#aws.objects) {
      const seen = holder === undefined ? undefined : this.#seen.get(holder);
      const title = seen?.title ?? (holder === undefined ? undefined : this.#gone.get(holder));
      if (title === undefined) continue;
      const isThere = seen?.place === undefined || (seen.place.accountId === accountId && seen.place.region === region);
      if (seen !== undefined && isThere) continue;
      found.set(title, `${kind} ${name} is left behind in account ${accountId}, ${region}`);
    }
    return found;
  }

  async #pass(): Promise<boolean> {
    const caches = await this.#api.readCaches();
    const seen = new Map<string, LastSeen>();
    let changed = false;
    for (const worked of this.#kinds) {
      for (const object of await this.#api.list(worked.kind)) {
        const reconcile = new Reconcile(worked, object, caches, this.#settings, this.#api, this.#aws);
        const outcome = await reconcile.run();
        const { title, message, place, isTakenUp } = reconcile;
        // A create that AWS refuses adds the finalizer and removes it, every time.
        const isRefusedAgain = outcome === 'Refused' && this.#seen.get(object.metadata.uid)?.outcome === 'Refused';
        changed ||= reconcile.hasWritten && !isRefusedAgain;
        if (reconcile.isGone) this.#gone.set(object.metadata.uid, title);
        else seen.set(object.metadata.uid, { title, outcome, message, place, isTakenUp });
      }
    }
    for (const [uid, { title }] of this.#seen) if (!seen.has(uid)) this.#gone.set(uid, title);
    this.#seen = seen;
    return changed;
  }
}

/** One Reconcile of one resource. */
class Reconcile {
  readonly title: string;
  message = '';
  /** Where its credentials lead. */
  place: AwsPlace | undefined;
  hasWritten = false;
  isGone = false;
  readonly #worked: WorkedKind;
  readonly #caches: AckCaches;
  readonly #settings: AckSettings;
  readonly #api: AckApi;
  readonly #aws: StandInAws;
  readonly #finalizer: string;
  #object: AckObject;
  /** What ACK takes for the account that it works in. */
  #accountId = '';

  constructor(
    worked: WorkedKind,
    object: AckObject,
    caches: AckCaches,
    settings: AckSettings,
    api: AckApi,
    aws: StandInAws,
  ) {
    this.#worked = worked;
    this.#object = object;
    this.#caches = caches;
    this.#settings = settings;
    this.#api = api;
    this.#aws = aws;
    const { group, kind } = worked.kind;
    // https://github.com/aws-controllers-k8s/s3-controller/blob/main/pkg/resource/bucket/descriptor.go
    this.#finalizer = `finalizers.${group}/${kind}`;
    this.title = `${kind} ${object.metadata.namespace}/${object.metadata.name}`;
  }

  async run(): Promise<Outcome> {
    const work = decideWork(this.#subject, this.#caches, this.#settings);
    if (work.to === 'stop') {
      this.message = work.message;
      if (work.why === 'RoleNotAvailable') {
        // handleCacheError: the long text is in the reason, and nothing else of the status is touched.
        const synced = { type: 'ACK.ResourceSynced', status: 'False', message: 'IAM Role is not available' } as const;
        await this.#writeConditions([{ ...synced, reason: work.message }], 'ACK.ResourceSynced');
      }
      return work.why;
    }
    const { accountId, region, roleArn } = work;
    this.#accountId = accountId;
    const ofCredentials = roleArn === undefined ? this.#settings.accountId : accountId;
    this.place = { accountId: ofCredentials, region };
    try {
      this.#aws.assume(roleArn);
      if (this.#object.metadata.deletionTimestamp !== undefined) return await this.#delete();
      return await this.#sync();
    } catch (error) {
      if (!(error instanceof AwsRefusal)) throw error;
      this.message = error.message;
      // updateConditions calls setStatusDefaults: account and region are in the status, though nothing may be in AWS.
      // https://github.com/aws-controllers-k8s/s3-controller/blob/main/pkg/resource/bucket/sdk.go
      await this.#writeStatus(undefined, [
        { type: 'ACK.Recoverable', status: 'True', message: error.message },
        { type: 'ACK.ResourceSynced', status: 'Unknown', reason: error.message },
        { type: 'Ready', status: 'False', message: error.message, reason: 'ACK.Recoverable' },
      ]);
      return 'Refused';
    }
  }

  get #subject(): AckSubject {
    const { kind } = this.#worked;
    const { metadata, status = {} } = this.#object;
    const { ownerAccountID, region } = (status['ackResourceMetadata'] ?? {}) as Readonly<Record<string, string>>;
    return {
      group: kind.group,
      version: kind.versions[0] ?? '',
      kind: kind.kind,
      alias: kind.group.split('.', 1)[0] ?? '',
      namespace: metadata.namespace,
      annotations: metadata.annotations ?? {},
      labels: metadata.labels ?? {},
      ownerAccountId: ownerAccountID,
      region,
    };
  }

  get isTakenUp(): boolean {
    return this.#isManaged || this.#subject.ownerAccountId !== undefined;
  }

  get #isManaged(): boolean {
    return this.#object.metadata.finalizers?.includes(this.#finalizer) === true;
  }

  async #sync(): Promise<Outcome> {
    const { kind, adoptionField } = this.#worked;
    const adoption = getAdoptionPolicy(this.#subject);
    if ('error' in adoption) return this.#terminal(adoption.error);
    const policy = isAdopted(this.#subject) || this.#isManaged ? undefined : adoption.policy;
    let name = String(this.#object.spec['name']);
    if (policy !== undefined) {
      // handlePopulation: with adopt-or-create the spec may say it all.
      const extracted = extractAdoptionFields(this.#subject);
      const named = 'fields' in extracted ? extracted.fields[adoptionField] : undefined;
      if (policy === 'adopt' && 'error' in extracted) return this.#terminal(extracted.error);
      if (policy === 'adopt' && named === undefined) return this.#terminal(`required field missing: ${adoptionField}`);
      name = named?.split(':').at(-1) ?? name;
    }
    const { place } = this;
    if (place === undefined) throw new Error('no place');
    const found = this.#aws.find(place, kind.kind, name);
    if (found === undefined) {
      if (policy === 'adopt' || isAdopted(this.#subject)) return this.#notFound('adopted resource not found');
      if (isReadOnly(this.#subject)) return this.#notFound('read-only resource not found');
      return this.#create(name);
    }
    if (policy !== undefined) return this.#adopt(found, policy);
    if (isReadOnly(this.#subject)) return this.#synced(found);
    if (!this.#isManaged) {
      // failOnResourceUnmanaged
      return this.#terminal('Resource already exists', 'This resource already exists but is not managed by ACK.');
    }
    found.holder ??= this.#object.metadata.uid;
    if (!isDeepStrictEqual(found.spec, this.#object.spec)) {
      found.spec = this.#object.spec;
      this.hasWritten = true;
    }
    return this.#synced(found);
  }

  async #create(name: string): Promise<Outcome> {
    const { place } = this;
    if (place === undefined) throw new Error('no place');
    await this.#setManaged();
    if (this.isGone) return 'Deleted';
    try {
      const { kind } = this.#worked.kind;
      const made = this.#aws.create(place, kind, name, this.#object.spec, this.#object.metadata.uid);
      this.hasWritten = true;
      return await this.#synced(made);
    } catch (error) {
      // "We're only managing (put finalizer) the resources that actually exist in AWS."
      if (error instanceof AwsRefusal) await this.#setUnmanaged();
      throw error;
    }
  }

  async #adopt(found: AwsObject, policy: 'adopt' | 'adopt-or-create'): Promise<Outcome> {
    // setResourceManagedAndAdopted
    const finalizers = [...(this.#object.metadata.finalizers ?? []), this.#finalizer];
    await this.#patch({ metadata: { finalizers, annotations: { [adoptedNote]: 'true' } } });
    found.holder = this.#object.metadata.uid;
    if (policy === 'adopt-or-create') return 'Requeued';
    // What is in AWS is written down as what is wanted.
    if (!isDeepStrictEqual(found.spec, this.#object.spec)) await this.#patch({ spec: found.spec });
    return this.#synced(found);
  }

  async #delete(): Promise<Outcome> {
    if (!this.#isManaged) return 'Requeued';
    const policy = getDeletionPolicy(this.#subject, this.#caches, this.#settings);
    const { place, message } = this;
    const found =
      place === undefined
        ? undefined
        : this.#aws.find(place, this.#worked.kind.kind, String(this.#object.spec['name']));
    if (policy !== 'delete' || isReadOnly(this.#subject)) {
      this.message = `${message}AWS resource will not be deleted - deletion policy set to retain`;
      if (found !== undefined) found.holder = undefined;
      await this.#setUnmanaged();
      return 'Retained';
    }
    // "If the aws resource is not found, remove finalizer"
    if (found !== undefined) this.#aws.delete(found);
    await this.#setUnmanaged();
    return 'Deleted';
  }

  async #setManaged(): Promise<void> {
    if (this.#isManaged) return;
    await this.#patch({ metadata: { finalizers: [...(this.#object.metadata.finalizers ?? []), this.#finalizer] } });
  }

  async #setUnmanaged(): Promise<void> {
    const left = (this.#object.metadata.finalizers ?? []).filter(each => each !== this.#finalizer);
    await this.#patch({ metadata: { finalizers: left.length === 0 ? null : left } });
  }

  async #synced(object: AwsObject): Promise<Outcome> {
    await this.#writeStatus(object, [
      { type: 'ACK.ResourceSynced', status: 'True', message: 'Resource synced successfully' },
      { type: 'Ready', status: 'True', message: 'Resource synced successfully' },
    ]);
    return 'Synced';
  }

  async #terminal(message: string, reason?: string): Promise<Outcome> {
    this.message = message;
    await this.#writeConditions([
      { type: 'ACK.Terminal', status: 'True', message, ...(reason !== undefined && { reason }) },
      { type: 'ACK.ResourceSynced', status: 'False', message: 'Resource not synced' },
      { type: 'Ready', status: 'False', message, reason: 'ACK.Terminal' },
    ]);
    return 'Terminal';
  }

  /** `latest` is nil then: nothing of the status is written. */
  #notFound(message: string): Outcome {
    this.message = message;
    return 'NotFound';
  }

  /** setStatusDefaults: account and region only where there are none. */
  async #writeStatus(object: AwsObject | undefined, conditions: readonly Condition[]): Promise<void> {
    const { ownerAccountId, region } = this.#subject;
    const ackResourceMetadata = {
      ownerAccountID: ownerAccountId ?? this.#accountId,
      region: region ?? this.place?.region ?? '',
      ...(object !== undefined && { arn: this.#worked.arnOf(object) }),
    };
    await this.#patchStatus({ ackResourceMetadata, conditions });
  }

  /** @param replaced the type of the only condition that is replaced; without it all of them are. */
  async #writeConditions(conditions: readonly Condition[], replaced?: string): Promise<void> {
    const before = (this.#object.status?.['conditions'] ?? []) as readonly Condition[];
    const kept = replaced === undefined ? [] : before.filter(({ type }) => type !== replaced);
    await this.#patchStatus({ conditions: [...kept, ...conditions] });
  }

  async #patchStatus(status: Readonly<Record<string, unknown>>): Promise<void> {
    const before = this.#object.status ?? {};
    const differs = Object.entries(status).some(([key, value]) => !isDeepStrictEqual(before[key], value));
    if (differs) await this.#patch({ status }, '/status');
  }

  async #patch(patch: object, subResource: '' | '/status' = ''): Promise<void> {
    if (this.isGone) return;
    this.hasWritten = true;
    const patched = await this.#api.patch(this.#worked.kind, this.#object, patch, subResource);
    if (patched === undefined) this.isGone = true;
    else this.#object = patched;
  }
}
