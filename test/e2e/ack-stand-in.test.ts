import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AckKind, ackStatus, bucketKind, topicKind } from './ack-crds.ts';
import type { AckCaches, AckSelector, AckSettings } from './ack-decisions.ts';
import { type AckApi, type AckObject, AckStandIn, type Outcome } from './ack-stand-in.ts';
import { mergePatch } from './merge-patch.ts';
import { StandInAws } from './stand-in-aws.ts';
import { bucketWork, topicWork } from './worked-kinds.ts';

/*
 * Each test quotes what it holds the stand-in to, if nothing else is said from
 * https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/reconciler.go
 */

type Texts = Readonly<Record<string, string>>;

const own = '999988887777';
const a = '111122223333';
const b = '222233334444';
const roleOf = (accountId: string, name = 'ack') => `arn:aws:iam::${accountId}:role/${name}`;
const carm: AckSettings = {
  accountId: own,
  region: 'us-east-1',
  deletionPolicy: 'delete',
  enableCarm: true,
  gates: { TeamLevelCARM: true },
};
const bySelectors: AckSettings = { ...carm, enableCarm: false, gates: { IAMRoleSelector: true } };
const finalizer = 'finalizers.s3.services.k8s.aws/Bucket';
const adoptAssets = {
  'services.k8s.aws/adoption-policy': 'adopt',
  'services.k8s.aws/adoption-fields': '{"name":"assets"}',
};

/** A cluster in memory: what the API server does with merge patches, finalizers and deletions. */
class MemoryCluster implements AckApi {
  readonly namespaces = new Map<string, { name: string; annotations: Texts; labels: Texts }>();
  accounts: Texts | undefined = { [a]: roleOf(a), [b]: roleOf(b) };
  teams: Texts | undefined = { payments: roleOf(b, 'payments') };
  selectors: readonly AckSelector[] = [];
  readonly objects = new Map<string, { readonly kind: AckKind; object: AckObject }>();
  #uids = 0;

  constructor() {
    this.namespace({});
  }

  namespace(annotations: Texts, labels: Texts = {}, name = 'shop'): void {
    this.namespaces.set(name, { name, annotations, labels });
  }

  bind(accountId: string, annotations: Texts = {}): void {
    this.namespace({ 'services.k8s.aws/owner-account-id': accountId, ...annotations });
  }

  create(metadata: Partial<AckObject['metadata']> = {}, status?: AckObject['status'], kind = bucketKind): void {
    this.#uids += 1;
    const { namespace = 'shop' } = metadata;
    const uid = `uid-${this.#uids}`;
    const object: AckObject = {
      metadata: { name: 'assets', resourceVersion: '1', generation: 1, ...metadata, uid, namespace },
      spec: { name: 'assets' },
      ...(status !== undefined && { status }),
    };
    this.objects.set(`${kind.plural}/${namespace}/${object.metadata.name}`, { kind, object });
  }

  get bucket(): AckObject | undefined {
    return this.objects.get('buckets/shop/assets')?.object;
  }

  /** What a user writes. */
  edit(change: { readonly metadata?: object; readonly spec?: object }): void {
    const entry = this.objects.get('buckets/shop/assets');
    assert.ok(entry !== undefined);
    const { object } = entry;
    entry.object = {
      ...object,
      metadata: { ...object.metadata, ...change.metadata },
      spec: { ...object.spec, ...change.spec },
    };
  }

  delete(): void {
    if (this.bucket?.metadata.finalizers === undefined) this.objects.delete('buckets/shop/assets');
    else this.edit({ metadata: { deletionTimestamp: '2025-01-01T00:00:00Z' } });
  }

  async readCaches(): Promise<AckCaches> {
    const { namespaces, accounts, teams, selectors } = this;
    return { namespaces, accounts, teams, selectors };
  }

  async list(kind: AckKind): Promise<readonly AckObject[]> {
    return [...this.objects.values()].filter(each => each.kind === kind).map(({ object }) => object);
  }

  async patch(
    kind: AckKind,
    { metadata: { namespace, name } }: AckObject,
    patch: object,
  ): Promise<AckObject | undefined> {
    const key = `${kind.plural}/${namespace}/${name}`;
    const entry = this.objects.get(key);
    if (entry === undefined) return undefined;
    entry.object = mergePatch(entry.object, patch) as AckObject;
    const { deletionTimestamp, finalizers } = entry.object.metadata;
    if (deletionTimestamp === undefined || finalizers !== undefined) return entry.object;
    this.objects.delete(key);
    return undefined;
  }
}

/** A cluster, AWS, and the stand-in between them. */
function started(settings = carm) {
  const cluster = new MemoryCluster();
  const aws = new StandInAws();
  const ack = new AckStandIn(cluster, aws, [bucketWork, topicWork], settings);
  const places = () => aws.objects.map(({ accountId, region, kind, name }) => `${accountId} ${region} ${kind}/${name}`);
  const owner = () => (cluster.bucket?.status?.['ackResourceMetadata'] ?? {}) as Texts;
  const conditions = () => (cluster.bucket?.status?.['conditions'] ?? []) as readonly Texts[];
  const quiet = () => ack.reconcileUntilQuiet();
  /** Reconciles and looks what came of the bucket. */
  const comesTo = async (outcome: Outcome | undefined) => {
    await quiet();
    assert.equal(ack.outcomeOf('Bucket shop/assets'), outcome);
  };
  return { cluster, aws, ack, places, owner, conditions, quiet, comesTo };
}

/** The same with a bucket in account A. */
async function withBucket(settings = carm) {
  const all = started(settings);
  if (settings.gates.IAMRoleSelector === true) all.cluster.selectors = [{ name: 'a', spec: { arn: roleOf(a) } }];
  else all.cluster.bind(a);
  all.cluster.create();
  await all.comesTo('Synced');
  assert.deepEqual(all.places(), [`${a} us-east-1 Bucket/assets`]);
  return all;
}

describe('the account', () => {
  test('is the one of the namespace: "look for owner account id in the namespace annotations"', async () => {
    const { owner, cluster } = await withBucket();
    assert.deepEqual(owner(), { ownerAccountID: a, region: 'us-east-1', arn: 'arn:aws:s3:::assets' });
    assert.deepEqual(cluster.bucket?.metadata.finalizers, [finalizer]);
  });

  test('is that of the role, whatever the key says: "acctID = parsedARN.AccountID"', async () => {
    const { cluster, places, comesTo } = started();
    cluster.accounts = { [a]: roleOf(b) };
    cluster.bind(a);
    cluster.create();
    await comesTo('Synced');
    assert.deepEqual(places(), [`${b} us-east-1 Bucket/assets`]);
  });

  test('not bound and without a status is the controllers\' own: "use controller configuration"', async () => {
    const { cluster, places, comesTo } = started();
    cluster.create();
    await comesTo('Synced');
    assert.deepEqual(places(), [`${own} us-east-1 Bucket/assets`]);
  });

  test('an empty annotation binds nothing: `return a, a != ""` (cache/namespace.go)', async () => {
    const { cluster, places, quiet } = started();
    cluster.bind('');
    cluster.create();
    await quiet();
    assert.deepEqual(places(), [`${own} us-east-1 Bucket/assets`]);
  });

  test('kube-public is ignored (service_controller.go, Ignored)', async () => {
    const { cluster, places, quiet } = started();
    cluster.namespace({ 'services.k8s.aws/owner-account-id': a }, {}, 'kube-public');
    cluster.create({ namespace: 'kube-public' });
    await quiet();
    assert.deepEqual(places(), [`${own} us-east-1 Bucket/assets`]);
  });

  test('unbound later is the one in the status: "look for owner account id in the resource status"', async () => {
    const { cluster, aws, comesTo } = await withBucket();
    cluster.namespace({});
    cluster.edit({ spec: { tagging: 'new' } });
    await comesTo('Synced');
    assert.deepEqual(aws.objects[0]?.spec, { name: 'assets', tagging: 'new' });
    cluster.delete();
    await comesTo(undefined);
    assert.deepEqual([aws.objects, cluster.objects.size], [[], 0]);
  });

  test('in the status without a key for it stops: "key not found in CARM configmap" (cache/account.go)', async () => {
    const { cluster, aws, conditions, comesTo, ack } = await withBucket();
    cluster.namespace({});
    cluster.accounts = { [b]: roleOf(b) };
    await comesTo('RoleNotAvailable');
    const reason = `retrieving role ARN for account/team ID "${a}" from "ack-role-account-map" configmap: key not found in CARM configmap`;
    const synced = conditions().find(({ type }) => type === 'ACK.ResourceSynced');
    assert.deepEqual([synced?.['status'], synced?.['reason']], ['False', reason]);
    cluster.delete();
    await comesTo('RoleNotAvailable');
    assert.deepEqual([aws.objects.length, cluster.objects.size], [1, 1]);
    assert.deepEqual([...ack.stranded.keys()], ['Bucket shop/assets']);
  });

  test('a map that is gone, and an empty entry, stop it as well (cache/account.go, GetValue)', async () => {
    for (const [accounts, words] of [
      [undefined, 'CARM configmap not found'],
      [{ [a]: '' }, 'role value is empty in CARM configmap'],
    ] as const) {
      const { cluster, conditions, places, comesTo } = started();
      cluster.bind(a);
      cluster.accounts = accounts;
      cluster.create();
      await comesTo('RoleNotAvailable');
      assert.ok(conditions()[0]?.['reason']?.endsWith(words), JSON.stringify(conditions()));
      assert.deepEqual(places(), []);
    }
  });

  test('a key whose value is no ARN stops it with a line in the log: "parsing role ARN"', async () => {
    const { cluster, conditions, comesTo } = started();
    cluster.bind(a);
    cluster.accounts = { [a]: 'ack' };
    cluster.create();
    await comesTo('InvalidRoleArn');
    assert.deepEqual(conditions(), []);
  });

  test('even its own account is looked up where a namespace says it: getOwnerAccountID returns true', async () => {
    const { cluster, comesTo } = started();
    cluster.bind(own);
    cluster.create();
    await comesTo('RoleNotAvailable');
  });

  test('is a team\'s first: "teamID != "" && TeamLevelCARM"', async () => {
    const { cluster, places, quiet } = started();
    cluster.bind(a, { 'services.k8s.aws/team-id': 'payments' });
    cluster.create();
    await quiet();
    assert.deepEqual(places(), [`${b} us-east-1 Bucket/assets`]);
  });

  test('a team id counts for nothing without its gate', async () => {
    const { cluster, places, quiet } = started({ ...carm, gates: {} });
    cluster.bind(a, { 'services.k8s.aws/team-id': 'payments' });
    cluster.create();
    await quiet();
    assert.deepEqual(places(), [`${a} us-east-1 Bucket/assets`]);
  });

  test('by the key of the service, with its gate: `ServiceAlias + "." + id` (getRoleARN)', async () => {
    const { cluster, places, quiet } = started({ ...carm, gates: { ServiceLevelCARM: true } });
    cluster.accounts = { [a]: roleOf(a), [`s3.${a}`]: roleOf(b) };
    cluster.bind(a);
    cluster.create();
    cluster.create({}, undefined, topicKind);
    await quiet();
    assert.deepEqual(places().sort(), [`${a} us-east-1 Topic/assets`, `${b} us-east-1 Bucket/assets`]);
  });

  test('another than in the status stops it, and no condition says so: "Resource already exists in account"', async () => {
    const { cluster, aws, conditions, comesTo, ack } = await withBucket();
    const before = conditions();
    cluster.bind(b);
    cluster.edit({ spec: { tagging: 'new' } });
    await comesTo('AccountDrift');
    assert.deepEqual(conditions(), before);
    assert.equal(before.find(({ type }) => type === 'ACK.ResourceSynced')?.['status'], 'True');
    cluster.delete();
    await comesTo('AccountDrift');
    assert.deepEqual([aws.objects[0]?.spec, cluster.objects.size], [{ name: 'assets' }, 1]);
    assert.match(
      ack.stranded.get('Bucket shop/assets') ?? '',
      /^AccountDrift: Resource already exists in account 1111/,
    );
    // Bound back, everything goes on.
    cluster.bind(a);
    await comesTo(undefined);
    assert.deepEqual([aws.objects, cluster.objects.size, ack.stranded.size], [[], 0, 0]);
  });

  test("a resource of the controllers' own account stops when its namespace is bound", async () => {
    const { cluster, comesTo } = started();
    cluster.create();
    await comesTo('Synced');
    cluster.bind(a);
    await comesTo('AccountDrift');
  });

  test('another role of the same account is taken in silence: nothing compares roles', async () => {
    const { cluster, comesTo } = await withBucket();
    cluster.accounts = { [a]: roleOf(a, 'other') };
    await comesTo('Synced');
  });

  test('bindings are ignored with --enable-carm=false (service_controller.go): the caches do not run', async () => {
    const { cluster, places, quiet } = started({ ...carm, enableCarm: false });
    cluster.bind(a, { 'services.k8s.aws/default-region': 'eu-central-1' });
    cluster.create();
    await quiet();
    assert.deepEqual(places(), [`${own} us-east-1 Bucket/assets`]);
  });
});

describe('the region', () => {
  const frankfurt = 'eu-central-1';

  test("is the resource's, else its namespace's, else the controller's (getRegion)", async () => {
    for (const [onResource, onNamespace, expected] of [
      ['eu-west-1', frankfurt, 'eu-west-1'],
      [undefined, frankfurt, frankfurt],
      [undefined, undefined, 'us-east-1'],
    ]) {
      const { cluster, places, quiet } = started();
      cluster.bind(a, onNamespace === undefined ? {} : { 'services.k8s.aws/default-region': onNamespace });
      cluster.create(onResource === undefined ? {} : { annotations: { 'services.k8s.aws/region': onResource } });
      await quiet();
      assert.deepEqual(places(), [`${a} ${expected} Bucket/assets`]);
    }
  });

  test('another than in the status stops it, and no condition says so: regionDrifted', async () => {
    const { cluster, conditions, aws, comesTo } = await withBucket();
    cluster.bind(a, { 'services.k8s.aws/default-region': frankfurt });
    cluster.edit({ spec: { tagging: 'new' } });
    const before = conditions();
    await comesTo('RegionDrift');
    assert.deepEqual(conditions(), before);
    cluster.delete();
    await comesTo('RegionDrift');
    // "Annotating the status's region rescues the resource."
    cluster.edit({ metadata: { annotations: { 'services.k8s.aws/region': 'us-east-1' } } });
    await comesTo(undefined);
    assert.deepEqual(aws.objects, []);
  });

  test('of the resource wins over a new default: "look for region in CR metadata annotations"', async () => {
    const { cluster, comesTo } = started();
    cluster.bind(a);
    cluster.create({ annotations: { 'services.k8s.aws/region': 'us-east-1' } });
    await comesTo('Synced');
    cluster.bind(a, { 'services.k8s.aws/default-region': frankfurt });
    await comesTo('Synced');
    // An annotation that is there and empty is one: `region, ok :=`.
    cluster.edit({ metadata: { annotations: { 'services.k8s.aws/region': '' } } });
    await comesTo('RegionDrift');
  });

  test('and account are in the status of a create that failed: updateConditions -> setStatusDefaults (sdk.go)', async () => {
    const { cluster, aws, owner, places, comesTo } = started();
    aws.takenNames.add('assets');
    cluster.bind(a);
    cluster.create();
    await comesTo('Refused');
    assert.deepEqual([owner(), places()], [{ ownerAccountID: a, region: 'us-east-1' }, []]);
    // "We're only managing (put finalizer) the resources that actually exist in AWS."
    assert.equal(cluster.bucket?.metadata.finalizers, undefined);
    aws.takenNames.clear();
    cluster.bind(a, { 'services.k8s.aws/default-region': frankfurt });
    await comesTo('RegionDrift');
    cluster.delete();
    cluster.create();
    await comesTo('Synced');
    assert.deepEqual(places(), [`${a} ${frankfurt} Bucket/assets`]);
  });

  test('the same where the role cannot be assumed: the first call fails, and onError stamps the status', async () => {
    const { cluster, aws, owner, comesTo } = started();
    aws.distrustful.add(roleOf(b));
    cluster.bind(b);
    cluster.create();
    await comesTo('Refused');
    assert.deepEqual(owner(), { ownerAccountID: b, region: 'us-east-1' });
    cluster.bind(a);
    await comesTo('AccountDrift');
  });
});

describe('adoption', () => {
  async function adopted() {
    const all = started();
    all.aws.create({ accountId: a, region: 'us-east-1' }, 'Bucket', 'assets', { name: 'assets', tagging: 'old' });
    all.cluster.bind(a);
    all.cluster.create({ annotations: adoptAssets });
    await all.comesTo('Synced');
    return all;
  }

  test('adopt takes what is there, and writes finalizer and note: setResourceManagedAndAdopted', async () => {
    const { cluster, aws } = await adopted();
    assert.deepEqual(cluster.bucket?.metadata.finalizers, [finalizer]);
    assert.equal(cluster.bucket?.metadata.annotations?.['services.k8s.aws/adopted'], 'true');
    assert.deepEqual(cluster.bucket?.spec, aws.objects[0]?.spec);
  });

  test('adopt never creates: "adopted resource not found" (errors/error.go)', async () => {
    const { cluster, places, comesTo } = started();
    cluster.bind(a);
    cluster.create({ annotations: adoptAssets });
    await comesTo('NotFound');
    assert.deepEqual([places(), cluster.bucket?.status], [[], undefined]);
  });

  for (const [what, fields, words] of [
    ['no fields', undefined, 'unmarshalling adoption-fields annotation'],
    ['empty fields', '{}', 'required field missing'],
  ] as const) {
    test(`adopt with ${what} is Terminal: handlePopulation`, async () => {
      const { cluster, conditions, comesTo } = started();
      cluster.bind(a);
      const policy = { 'services.k8s.aws/adoption-policy': 'adopt' };
      cluster.create({
        annotations: { ...policy, ...(fields !== undefined && { 'services.k8s.aws/adoption-fields': fields }) },
      });
      await comesTo('Terminal');
      assert.ok(conditions()[0]?.['message']?.startsWith(words), JSON.stringify(conditions()));
    });
  }

  test('an unknown policy is Terminal: "unrecognized adoption policy" (util.go)', async () => {
    const { cluster, conditions, comesTo } = started();
    cluster.bind(a);
    cluster.create({ annotations: { 'services.k8s.aws/adoption-policy': 'Adopt' } });
    await comesTo('Terminal');
    assert.match(conditions()[0]?.['message'] ?? '', /^unrecognized adoption policy Adopt\. /);
  });

  test('adopt-or-create creates, or takes what is there and then makes it what the spec says', async () => {
    const policy = { 'services.k8s.aws/adoption-policy': 'adopt-or-create' };
    const fresh = started();
    fresh.cluster.bind(a);
    fresh.cluster.create({ annotations: policy });
    await fresh.comesTo('Synced');
    assert.equal(fresh.cluster.bucket?.metadata.annotations?.['services.k8s.aws/adopted'], undefined);

    const { aws, cluster, comesTo } = started();
    aws.create({ accountId: a, region: 'us-east-1' }, 'Bucket', 'assets', { name: 'assets', tagging: 'old' });
    cluster.bind(a);
    cluster.create({ annotations: policy });
    await comesTo('Synced');
    assert.equal(cluster.bucket?.metadata.annotations?.['services.k8s.aws/adopted'], 'true');
    assert.deepEqual(aws.objects[0]?.spec, { name: 'assets' });
  });

  test('a replace that drops finalizer and note: adopted again, NeedAdoption && !IsManaged', async () => {
    const { cluster, comesTo } = await adopted();
    cluster.edit({ metadata: { finalizers: undefined, annotations: adoptAssets } });
    await comesTo('Synced');
    assert.deepEqual(cluster.bucket?.metadata.finalizers, [finalizer]);
  });

  test('a note without the finalizer is Terminal: failOnResourceUnmanaged', async () => {
    const { cluster, conditions, comesTo, ack, quiet } = await adopted();
    cluster.edit({ metadata: { finalizers: undefined } });
    await comesTo('Terminal');
    assert.equal(conditions()[0]?.['message'], 'Resource already exists');
    // Nothing holds its deletion up, and nothing leads to what is in AWS then.
    cluster.delete();
    await quiet();
    assert.match(ack.stranded.get('Bucket shop/assets') ?? '', /is left behind in account 1111/);
  });

  test('a resource that was not adopted and loses its finalizer is Terminal', async () => {
    const { cluster, comesTo } = await withBucket();
    cluster.edit({ metadata: { finalizers: undefined } });
    await comesTo('Terminal');
  });

  test('the note alone, written by a user, adopts and creates nothing: "adoptionPolicy == Adopt || isAdopted"', async () => {
    const { cluster, places, comesTo } = started();
    cluster.bind(a);
    cluster.create({ annotations: { 'services.k8s.aws/adopted': 'True' } });
    await comesTo('NotFound');
    assert.deepEqual(places(), []);
  });
});

describe('read-only', () => {
  const readOnly = (value: string) => ({ annotations: { 'services.k8s.aws/read-only': value } });

  test('"true" in any case creates and changes nothing, and holds no deletion up: IsReadOnly (util.go)', async () => {
    const { cluster, aws, comesTo, quiet } = started();
    cluster.bind(a);
    cluster.create(readOnly('True'));
    await comesTo('NotFound');
    aws.create({ accountId: a, region: 'us-east-1' }, 'Bucket', 'assets', { name: 'assets', tagging: 'old' });
    await comesTo('Synced');
    assert.equal(cluster.bucket?.metadata.finalizers, undefined);
    cluster.delete();
    await quiet();
    assert.deepEqual(aws.objects[0]?.spec, { name: 'assets', tagging: 'old' });
  });

  test('every other value is not read-only', async () => {
    const { cluster, places, quiet } = started();
    cluster.bind(a);
    cluster.create(readOnly('yes'));
    await quiet();
    assert.equal(places().length, 1);
  });
});

describe('the deletion policy', () => {
  for (const [what, onResource, onNamespace, flag, kept] of [
    ['the flag', undefined, undefined, 'delete', false],
    ['the flag', undefined, undefined, 'retain', true],
    ['the namespace, for its service', undefined, 'retain', 'delete', true],
    ['the namespace, over the flag', undefined, 'delete', 'retain', false],
    ['the resource', 'delete', 'retain', 'retain', false],
    ['the resource', 'retain', 'delete', 'delete', true],
    ['the resource, where everything else than "delete" retains', 'Delete', undefined, 'delete', true],
  ] as const) {
    test(`is that of ${what}: ${onResource}, ${onNamespace}, ${flag} (getDeletionPolicy)`, async () => {
      const { cluster, places, quiet, ack } = started({ ...carm, deletionPolicy: flag });
      const policy = onNamespace === undefined ? {} : { 's3.services.k8s.aws/deletion-policy': onNamespace };
      cluster.bind(a, policy);
      cluster.create(
        onResource === undefined ? {} : { annotations: { 'services.k8s.aws/deletion-policy': onResource } },
      );
      await quiet();
      cluster.delete();
      await quiet();
      assert.deepEqual([places().length, cluster.objects.size], [kept ? 1 : 0, 0]);
      assert.deepEqual([...ack.stranded], []);
    });
  }

  test('of another service, and the bare one, are not read on a namespace (cache/namespace.go)', async () => {
    const { cluster, places, quiet } = started();
    cluster.bind(a, { 'sns.services.k8s.aws/deletion-policy': 'retain', 'services.k8s.aws/deletion-policy': 'retain' });
    cluster.create();
    await quiet();
    cluster.delete();
    await quiet();
    assert.deepEqual(places(), []);
  });
});

describe('IAMRoleSelectors', () => {
  const inShop = { namespaceSelector: { names: ['shop'] } };

  test('one that matches says the account; bindings count for nothing', async () => {
    const { cluster, places, quiet } = started(bySelectors);
    cluster.bind(b);
    cluster.selectors = [{ name: 'shop', spec: { arn: roleOf(a), ...inShop } }];
    cluster.create();
    await quiet();
    assert.deepEqual(places(), [`${a} us-east-1 Bucket/assets`]);
  });

  test('none: the controllers\' own role, "if len(selectors) == 1"', async () => {
    const { cluster, places, quiet } = started(bySelectors);
    cluster.create();
    await quiet();
    assert.deepEqual(places(), [`${own} us-east-1 Bucket/assets`]);
  });

  test('two stop it, also a deletion, and nothing says so: "multiple (%d) matching IAMRoleSelectors found"', async () => {
    const { cluster, conditions, comesTo } = await withBucket(bySelectors);
    const before = conditions();
    cluster.selectors = [...cluster.selectors, { name: 'shop', spec: { arn: roleOf(a), ...inShop } }];
    cluster.delete();
    await comesTo('SelectorConflict');
    assert.deepEqual([conditions(), cluster.objects.size], [before, 1]);
  });

  test('another account than in the status stops it', async () => {
    const { cluster, comesTo } = await withBucket(bySelectors);
    cluster.selectors = [{ name: 'b', spec: { arn: roleOf(b) } }];
    await comesTo('AccountDrift');
  });

  test('none any more: it takes the account in the status for that of its own credentials, and works there', async () => {
    const { cluster, aws, comesTo, ack } = await withBucket(bySelectors);
    cluster.selectors = [];
    cluster.edit({ spec: { tagging: 'new' } });
    await comesTo('Synced');
    // A second one, in the controllers' own account; the first is left behind.
    assert.deepEqual(
      aws.objects.map(({ accountId, spec }) => [accountId, spec]),
      [
        [a, { name: 'assets' }],
        [own, { name: 'assets', tagging: 'new' }],
      ],
    );
    assert.match(ack.stranded.get('Bucket shop/assets') ?? '', /left behind in account 1111/);
  });

  test('none any more, deleted: not found there, "remove finalizer", and it is left behind', async () => {
    const { cluster, places, quiet, ack } = await withBucket(bySelectors);
    cluster.selectors = [];
    cluster.delete();
    await quiet();
    assert.deepEqual([cluster.objects.size, places()], [0, [`${a} us-east-1 Bucket/assets`]]);
    assert.match(ack.stranded.get('Bucket shop/assets') ?? '', /left behind in account 1111/);
  });

  test('invalid ones do not count (iamroleselector/cache.go: "not caching")', async () => {
    for (const spec of [
      { arn: '' },
      { arn: 'ack' },
      { arn: roleOf(a), namespaceSelector: { names: ['shop', 'shop'] } },
      { arn: roleOf(a), namespaceSelector: { names: ['shop', ''] } },
      { arn: roleOf(a), resourceTypeSelector: [{ group: '', version: '', kind: '' }] },
      { arn: roleOf(a), resourceLabelSelector: { matchLabels: { '': 'x' } } },
    ]) {
      const { cluster, places, quiet } = started(bySelectors);
      cluster.selectors = [{ name: 'invalid', spec }];
      cluster.create();
      await quiet();
      assert.deepEqual(places(), [`${own} us-east-1 Bucket/assets`], JSON.stringify(spec));
    }
  });

  for (const [what, spec, isMatch] of [
    ['the name of the namespace', { namespaceSelector: { names: ['other', 'shop'] } }, true],
    ['another name', { namespaceSelector: { names: ['other'] } }, false],
    ['labels of the namespace', { namespaceSelector: { labelSelector: { matchLabels: { team: 'x' } } } }, true],
    [
      'name and labels',
      { namespaceSelector: { names: ['shop'], labelSelector: { matchLabels: { team: 'y' } } } },
      false,
    ],
    ['its kind', { resourceTypeSelector: [{ group: '', version: '', kind: 'Bucket' }] }, true],
    ['its group', { resourceTypeSelector: [{ group: 's3.services.k8s.aws', version: '', kind: '' }] }, true],
    ['its plural', { resourceTypeSelector: [{ group: '', version: '', kind: 'buckets' }] }, false],
    ['its labels', { resourceLabelSelector: { matchLabels: { tier: 'gold' } } }, true],
    ['other labels', { resourceLabelSelector: { matchLabels: { tier: 'gold', color: 'blue' } } }, false],
  ] as const) {
    test(`match by ${what}: ${isMatch} (iamroleselector/matcher.go)`, async () => {
      const { cluster, places, quiet } = started(bySelectors);
      cluster.namespace({}, { team: 'x' });
      cluster.selectors = [{ name: 'one', spec: { arn: roleOf(a), ...spec } }];
      cluster.create({ labels: { tier: 'gold' } });
      await quiet();
      assert.deepEqual(places(), [`${isMatch ? a : own} us-east-1 Bucket/assets`]);
    });
  }

  test('the default region of the namespace counts all the same: irsCache.Namespaces', async () => {
    const { cluster, places, quiet } = started(bySelectors);
    cluster.namespace({ 'services.k8s.aws/default-region': 'eu-central-1' });
    cluster.create();
    await quiet();
    assert.deepEqual(places(), [`${own} eu-central-1 Bucket/assets`]);
  });
});

describe('what is stranded', () => {
  test('nothing, where nobody changed anything; two kinds side by side', async () => {
    const { cluster, ack, places, quiet } = started();
    cluster.bind(a);
    cluster.create();
    cluster.create({}, undefined, topicKind);
    await quiet();
    assert.equal(places().length, 2);
    assert.deepEqual([...ack.stranded], []);
  });

  test('nothing that ACK never took up: it can be deleted, and the conditions say what is wrong', async () => {
    const { cluster, ack, comesTo } = started();
    cluster.bind('333333333333');
    cluster.create();
    await comesTo('RoleNotAvailable');
    assert.deepEqual([...ack.stranded], []);
    cluster.delete();
    await comesTo(undefined);
  });

  test('a status that somebody forged leads ACK to another account (getOwnerAccountID)', async () => {
    const { cluster, places, quiet } = started();
    cluster.create({}, { ...ackStatus(b, 'us-east-1') });
    await quiet();
    assert.deepEqual(places(), [`${b} us-east-1 Bucket/assets`]);
  });
});
