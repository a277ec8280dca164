import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AckOfPlane } from './ack-api.ts';
import {
  ackPath,
  ackResource,
  bucketKind,
  installAckKinds,
  roleSelectorKind,
  type StoredResource,
  topicKind,
} from './ack-crds.ts';
import type { AckSettings } from './ack-decisions.ts';
import { AckStandIn } from './ack-stand-in.ts';
import { boundNamespace, ownerAnnotation, roleMap } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { asList } from './manifests.ts';
import { ServedPlane } from './served-plane.ts';
import { StandInAws } from './stand-in-aws.ts';
import { StrandingScene } from './stranding-scene.ts';
import { bucketWork, topicWork } from './worked-kinds.ts';

const own = '999988887777';
const a = '111122223333';
const b = '222233334444';
const ofTeam = '333344445555';
const roleOf = (accountId: string, name = 'ack') => `arn:aws:iam::${accountId}:role/${name}`;
const settings: AckSettings = {
  accountId: own,
  region: 'us-east-1',
  deletionPolicy: 'delete',
  enableCarm: true,
  gates: { TeamLevelCARM: true },
};
const frankfurt = 'eu-central-1';
const defaultRegion = 'services.k8s.aws/default-region';
const regionAnnotation = 'services.k8s.aws/region';
const testLimit = { timeout: 30_000 };

describe('nothing is stranded without a word', () => {
  let served: ServedPlane;
  let scene: StrandingScene;
  const aws = new StandInAws();

  before(
    async () => {
      served = await ServedPlane.start({
        controllerManager: true,
        flags: ['--feature-gates=TeamLevelCARM=true'],
        map: { [a]: roleOf(a), [b]: roleOf(b) },
      });
      await installAckKinds(served.plane, [bucketKind, topicKind, roleSelectorKind]);
      await served.apply([roleMap({ payments: roleOf(ofTeam), orders: roleOf(b, 'orders') }, 'ack-role-team-map')]);
      const api = await AckOfPlane.start(served.plane, [bucketKind, topicKind]);
      scene = new StrandingScene(served, new AckStandIn(api, aws, [bucketWork, topicWork], settings));
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  const bucket = (inNamespace: string, annotations: Readonly<Record<string, string>> = {}, spec: object = {}) =>
    ackResource(bucketKind, inNamespace, 'assets', { annotations }, { name: `${inNamespace}-assets`, ...spec });
  const topic = (inNamespace: string) =>
    ackResource(topicKind, inNamespace, 'news', {}, { name: `${inNamespace}-news` });
  const stored = (inNamespace: string) => served.get<StoredResource>(ackPath(bucketKind, inNamespace, 'assets'));
  const places = (inNamespace: string) =>
    aws.objects
      .filter(({ name }) => name.startsWith(`${inNamespace}-`))
      .map(({ kind, accountId, region }) => `${kind} ${accountId} ${region}`);
  const apply = (...objects: readonly object[]) => {
    const [first = {}, ...more] = objects;
    const input = more.length === 0 ? first : (JSON.parse(asList(objects)) as object);
    return (warned: readonly string[] = []) => scene.allowed(['apply', '-f', '-'], { input, warned });
  };
  const annotate = (name: string, ...annotations: readonly string[]) => [
    'annotate',
    '--overwrite',
    'namespace',
    name,
    ...annotations,
  ];
  const annotateBucket = (inNamespace: string, ...annotations: readonly string[]) => [
    'annotate',
    '--overwrite',
    'bucket',
    'assets',
    '-n',
    inNamespace,
    ...annotations,
  ];

  /** A namespace of account A with a bucket and a topic that are there. */
  async function settled(name: string, annotations: Readonly<Record<string, string>> = {}): Promise<void> {
    await apply(boundNamespace(name, a, { annotations }), bucket(name), topic(name))();
    assert.deepEqual(
      [scene.outcome(`Bucket ${name}/assets`), scene.outcome(`Topic ${name}/news`)],
      ['Synced', 'Synced'],
    );
  }

  /** Edits come through. */
  async function follows(name: string): Promise<void> {
    const spec = JSON.stringify({ spec: { tagging: { tagSet: [{ key: 'edited', value: 'yes' }] } } });
    await scene.allowed(['patch', 'bucket', 'assets', '-n', name, '--type=merge', '-p', spec]);
    const [object] = aws.objects.filter(each => each.name === `${name}-assets`);
    assert.deepEqual(object?.spec['tagging'], { tagSet: [{ key: 'edited', value: 'yes' }] });
  }

  /** Everything that is in it can be deleted, and nothing of it stays in AWS. */
  async function goes(name: string): Promise<void> {
    await scene.allowed(['delete', 'buckets,topics', '--all', '-n', name, '--wait=false']);
    assert.deepEqual(places(name), []);
    const { items } = await served.get<{ readonly items: readonly unknown[] }>(ackPath(bucketKind, name));
    assert.deepEqual(items, []);
  }

  describe('replace', () => {
    const adopts = {
      'services.k8s.aws/adoption-policy': 'adopt',
      'services.k8s.aws/adoption-fields': '{"name":"adopted-assets"}',
    };

    test('of an adopted resource: it is adopted again, and retained as before', testLimit, async () => {
      const spec = { name: 'adopted-assets', tagging: { tagSet: [{ key: 'old', value: 'yes' }] } };
      aws.create({ accountId: a, region: 'us-east-1' }, 'Bucket', 'adopted-assets', spec);
      await apply(boundNamespace('adopted', a))();
      await apply(bucket('adopted', adopts))(['RetainAdded']);
      await scene.allowed(['replace', '-f', '-'], { input: bucket('adopted', adopts), warned: ['RetainAdded'] });
      const { metadata } = await stored('adopted');
      assert.deepEqual(metadata.finalizers, ['finalizers.s3.services.k8s.aws/Bucket']);
      assert.equal(metadata.annotations?.['services.k8s.aws/adopted'], 'true');
      await scene.allowed(['delete', 'bucket', 'assets', '-n', 'adopted', '--wait=false']);
      assert.deepEqual(places('adopted'), [`Bucket ${a} us-east-1`]);
    });

    test('of another resource: the warning says what brings it back', testLimit, async () => {
      await settled('replaced');
      const { said } = await scene.allowed(['replace', '-f', '-'], {
        input: bucket('replaced'),
        warned: ['FinalizerRemoved'],
      });
      assert.equal(scene.outcome('Bucket replaced/assets'), 'Terminal');
      const annotation = 'services.k8s.aws/adoption-policy=adopt-or-create';
      assert.ok(said.includes(`Annotate it ${annotation}, `), said);
      await scene.allowed(annotateBucket('replaced', annotation), { warned: ['AdoptedNotRetained'] });
      await follows('replaced');
      await goes('replaced');
    });

    test("that keeps ACK's note and drops its finalizer, too", testLimit, async () => {
      const spec = { name: 'half-assets' };
      aws.create({ accountId: a, region: 'us-east-1' }, 'Bucket', 'half-assets', spec);
      const fields = { ...adopts, 'services.k8s.aws/adoption-fields': '{"name":"half-assets"}' };
      await apply(boundNamespace('half', a))();
      await apply(bucket('half', fields))(['RetainAdded']);
      const { metadata } = await stored('half');
      const { said } = await scene.allowed(['replace', '-f', '-'], {
        input: bucket('half', metadata.annotations),
        warned: ['FinalizerRemoved'],
      });
      assert.equal(scene.outcome('Bucket half/assets'), 'Terminal');
      assert.ok(said.includes('Annotate it services.k8s.aws/adopted-, '), said);
      await scene.allowed(annotateBucket('half', 'services.k8s.aws/adopted-'));
      assert.equal(scene.outcome('Bucket half/assets'), 'Synced');
    });
  });

  describe('a namespace that is unbound', () => {
    test('goes on by the status, where the map has its account', testLimit, async () => {
      await settled('unbound');
      await scene.allowed(annotate('unbound', `${ownerAnnotation}-`), { warned: ['BindingRemoved'] });
      await follows('unbound');
      await goes('unbound');
    });

    test('and deleted goes away with what is in it', testLimit, async () => {
      await settled('leaving');
      await scene.allowed(annotate('leaving', `${ownerAnnotation}-`), { warned: ['BindingRemoved'] });
      await scene.allowed(['delete', 'namespace', 'leaving', '--wait=false']);
      await eventually('what was in it is gone', async () => {
        await scene.reconcile();
        return places('leaving').length === 0 ? true : undefined;
      });
    });
  });

  describe('the region', () => {
    test('of a resource does not change; another one is for another resource', testLimit, async () => {
      await settled('regional', { [defaultRegion]: frankfurt });
      const args = annotateBucket('regional', `${regionAnnotation}=eu-west-1`);
      await scene.denied(args, 'RegionChange', 'keep "eu-central-1", or create a new resource in the other region');
      const other = ackResource(
        bucketKind,
        'regional',
        'west',
        { annotations: { [regionAnnotation]: 'eu-west-1' } },
        { name: 'regional-west' },
      );
      await apply(other)();
      assert.deepEqual(places('regional').sort(), [
        `Bucket ${a} eu-central-1`,
        `Bucket ${a} eu-west-1`,
        `Topic ${a} eu-central-1`,
      ]);
      // Without it, it comes back.
      await scene.allowed(annotateBucket('regional', `${regionAnnotation}-`));
      await follows('regional');
      await goes('regional');
    });

    test(
      'that is a new default of the namespace is for new resources, where the old ones are pinned',
      testLimit,
      async () => {
        await settled('moving', { [defaultRegion]: frankfurt });
        await scene.allowed(annotate('moving', `${defaultRegion}=eu-west-1`));
        await scene.allowed(annotate('moving', `${defaultRegion}-`));
        await follows('moving');
        await goes('moving');
      },
    );

    test('stays with a resource that could not be created; created again it is free', testLimit, async () => {
      aws.takenNames.add('failed-assets');
      await apply(boundNamespace('failed', a, { annotations: { [defaultRegion]: frankfurt } }), bucket('failed'))();
      assert.equal(scene.outcome('Bucket failed/assets'), 'Refused');
      aws.takenNames.delete('failed-assets');
      await scene.denied(
        annotateBucket('failed', `${regionAnnotation}=eu-west-1`),
        'RegionChange',
        'or create a new resource',
      );
      await scene.allowed(['delete', 'bucket', 'assets', '-n', 'failed', '--wait=false']);
      await apply(bucket('failed', { [regionAnnotation]: 'eu-west-1' }))();
      assert.deepEqual(places('failed'), [`Bucket ${a} eu-west-1`]);
      await goes('failed');
    });
  });
});
