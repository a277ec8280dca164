import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultConfig } from '../../../src/admission/config.ts';
import { findInResources } from '../../../src/cli/check/resource-findings.ts';
import { Snapshot } from '../../../src/cluster/state/snapshot.ts';

const a = '111122223333';
const b = '444455556666';
const owner = 'services.k8s.aws/owner-account-id';
const defaultRegion = 'services.k8s.aws/default-region';
const region = 'services.k8s.aws/region';

interface State {
  readonly namespace?: Readonly<Record<string, string>>;
  readonly map?: Readonly<Record<string, string>>;
  readonly gates?: Partial<typeof defaultConfig.featureGates>;
  readonly regions?: ReadonlyMap<string, string>;
}

interface Bucket {
  readonly name?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly account?: string;
  readonly region?: string;
}

const roleOf = (id: string) => `arn:aws:iam::${id}:role/ack`;

function found(buckets: readonly Bucket[], { namespace = {}, map = {}, gates = {}, regions = new Map() }: State = {}) {
  const state = new Snapshot({ roleSelectors: false });
  const add = (apiVersion: string, kind: string, object: Readonly<Record<string, unknown>>) =>
    state.add({ object, apiVersion, kind, place: 'test', document: 0, path: [] });
  add('v1', 'Namespace', { metadata: { name: 'shop', annotations: namespace } });
  add('v1', 'ConfigMap', { metadata: { name: 'ack-role-account-map', namespace: 'ack-system' }, data: map });
  for (const { name = 'b', annotations = {}, account: ownerAccountID, region: at } of buckets) {
    const status = { ackResourceMetadata: { ownerAccountID, region: at } };
    add('s3.services.k8s.aws/v1alpha1', 'Bucket', { metadata: { name, namespace: 'shop', annotations }, status });
  }
  const config = { ...defaultConfig, featureGates: { ...defaultConfig.featureGates, ...gates } };
  return findInResources(state, config, regions).map(({ reason, message, fix }) => [reason, message, fix]);
}

const rescue = `Set its annotation to the region in its status: kubectl annotate --overwrite bucket.s3.services.k8s.aws b --namespace shop ${region}=eu-central-1`;
const at = 'ACK has recorded region "eu-central-1" for it: ACK stops reconciling it';

describe('resources whose region ACK reads otherwise than it recorded it', () => {
  const bound = { [owner]: a };
  const recorded: Bucket = { account: a, region: 'eu-central-1' };
  const rows: readonly (readonly [title: string, Bucket, State, message: string | undefined])[] = [
    [
      'the same on the resource, another in the namespace',
      { annotations: { [region]: 'eu-central-1' } },
      { namespace: { [defaultRegion]: 'us-east-1' } },
      undefined,
    ],
    [
      'another one on the resource',
      { annotations: { [region]: 'us-east-1' } },
      {},
      `${region} is "us-east-1", but ${at}`,
    ],
    [
      'an empty one on the resource',
      { annotations: { [region]: '' } },
      { namespace: { [defaultRegion]: 'eu-central-1' } },
      `${region} is "", but ${at}`,
    ],
    [
      'another one in the namespace',
      {},
      { namespace: { [defaultRegion]: 'us-east-1' } },
      `it names no region, and ${defaultRegion} of its namespace is "us-east-1", but ${at}`,
    ],
    [
      'the same in the namespace, another of the controller',
      {},
      { namespace: { [defaultRegion]: 'eu-central-1' }, regions: new Map([['s3', 'us-east-1']]) },
      undefined,
    ],
    [
      'another one of the controller',
      {},
      { namespace: { [defaultRegion]: '' }, regions: new Map([['s3', 'us-east-1']]) },
      `neither it nor its namespace names a region, and --aws-region of ACK's s3 controller is "us-east-1", but ${at}`,
    ],
    ['a controller of another service', {}, { regions: new Map([['sqs', 'us-east-1']]) }, undefined],
    ['none recorded', { region: '', annotations: { [region]: 'us-east-1' } }, {}, undefined],
  ];
  for (const [title, bucket, state, message] of rows) {
    test(title, () => {
      const all = found([{ ...recorded, ...bucket }], { ...state, namespace: { ...bound, ...state.namespace } });
      assert.deepEqual(
        all.filter(([reason]) => reason === 'RegionChange'),
        message === undefined ? [] : [['RegionChange', message, rescue]],
      );
    });
  }
});

describe('resources whose namespace leads to another account than they are in', () => {
  const stranded = `ACK has recorded account "${b}" for it, but its namespace is bound to account ${a}: ACK stops reconciling it, and cannot delete it`;

  test('whether or not the map has a role for that account', () => {
    const fix = `Bind its namespace to account "${b}" again: kubectl annotate --overwrite namespace shop ${owner}=${b}`;
    for (const map of [{}, { [a]: roleOf(a) }]) {
      assert.deepEqual(found([{ account: b }], { namespace: { [owner]: a }, map }), [
        ['AccountMismatch', stranded, fix],
      ]);
    }
  });

  test('binding it back is not advised where that would strand others', () => {
    const fix = `Adopt it in a namespace that is bound to account "${b}": if its own were bound back, ACK would stop reconciling what it has in account ${a}.`;
    const buckets = [{ account: b }, { name: 'settled', account: a }];
    assert.deepEqual(found(buckets, { namespace: { [owner]: a }, map: { [a]: roleOf(a) } }), [
      ['AccountMismatch', stranded, fix],
    ]);
  });

  test('an account in a status is not part of a command unless it is one', () => {
    const [first] = found([{ account: '1; reboot' }], { namespace: { [owner]: a } });
    assert.equal(first?.[2], 'Bind its namespace to account "1; reboot" again.');
  });
});

describe('resources of a namespace that is not bound', () => {
  const general = /^Set --unbound-resources=allow if that is intended\. If not, bind /;

  test("they may be in the controllers' own account: which, we do not know", () => {
    const [first, ...others] = found([{ account: b }, { name: 'new' }]);
    assert.deepEqual(others, []);
    const says =
      'it is not bound, so ACK uses its controllers\' own account for "Bucket/b", "Bucket/new", and stops at those whose status has another one';
    assert.equal(first?.[1], says);
    assert.match(first?.[2] ?? '', general);
  });

  const goesOn = `it is not bound: ACK goes on in account ${b} with "Bucket/b" by their status, and would create new resources in its controllers' own account`;

  test('ACK goes on in the account of the status where the map has a key for it', () => {
    const fix = `Bind it to that account again: kubectl annotate --overwrite namespace shop ${owner}=${b}`;
    assert.deepEqual(found([{ account: b }], { map: { [b]: roleOf(b) } }), [['ResourcesUnbound', goesOn, fix]]);
    const byServiceKey = { map: { [`s3.${b}`]: roleOf(b) }, gates: { ServiceLevelCARM: true } };
    assert.deepEqual(found([{ account: b }], byServiceKey), [['ResourcesUnbound', goesOn, fix]]);
  });

  test('a command that would strand others is not given', () => {
    const all = found([{ account: b }, { name: 'other', account: a }], { map: { [b]: roleOf(b), [a]: roleOf(a) } });
    assert.equal(all.length, 2);
    for (const [reason, , fix] of all) {
      assert.equal(reason, 'ResourcesUnbound');
      assert.match(fix ?? '', general);
    }
  });
});
