import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AckSystem } from '../../../src/accounts/ack-system.ts';
import { defaultFeatureGates, type FeatureGate } from '../../../src/accounts/feature-gates.ts';
import { createAdmit } from '../../../src/admission/admit.ts';
import { type Config, defaultConfig } from '../../../src/admission/config.ts';
import { ResourceReview } from '../../../src/admission/resources/resource-review.ts';
import { readResource } from '../../../src/objects/resource.ts';
import { roleSelector, type Strings } from '../../decisions/resources.ts';
import { type ReviewOptions, readRequest } from '../../decisions/review.ts';
import { FakeCluster, type FakeState, viewOf } from '../fake-cluster.ts';

/**
 * The role that ACK would take, for every combination of its gates: each row names the function that rules.
 * https://github.com/aws-controllers-k8s/runtime/tree/main/pkg/runtime
 */

const source = {
  binding: 'pkg/runtime/reconciler.go Reconcile (team-id, else owner-account-id)',
  accountOf: 'pkg/runtime/reconciler.go getOwnerAccountID',
  teamOf: 'pkg/runtime/reconciler.go getTeamID',
  keys: 'pkg/runtime/reconciler.go getRoleARN',
  empty: 'pkg/runtime/cache/account.go GetValue (ErrEmptyValue)',
  missing: 'pkg/runtime/cache/account.go GetValue (ErrCARMConfigMapNotFound, ErrKeyNotFound)',
  parse: 'pkg/runtime/reconciler.go Reconcile (arn.Parse); stricter here: a role, of the account in the key',
  namespace: 'pkg/runtime/cache/namespace.go GetOwnerAccountID, GetTeamID (empty is absent)',
  ignored: 'pkg/runtime/service_controller.go (ignoredNamespaces)',
  system: 'pkg/runtime/cache/cache.go (ackSystemNamespace)',
  gates: 'pkg/featuregate/features.go',
  selected: 'pkg/runtime/reconciler.go Reconcile (IAMRoleSelector)',
  matches: 'pkg/runtime/iamroleselector/matcher.go Matches',
  valid: 'pkg/runtime/iamroleselector/matcher.go validateSelector',
} as const;

const none: readonly FeatureGate[] = [];
const S: readonly FeatureGate[] = ['ServiceLevelCARM'];
const T: readonly FeatureGate[] = ['TeamLevelCARM'];
const ST: readonly FeatureGate[] = ['ServiceLevelCARM', 'TeamLevelCARM'];
const I: readonly FeatureGate[] = ['IAMRoleSelector'];
const allThree: readonly FeatureGate[] = ['IAMRoleSelector', 'ServiceLevelCARM', 'TeamLevelCARM'];

const A = '111111111111';
const B = '222222222222';
const owner = (id: string): Strings => ({ 'services.k8s.aws/owner-account-id': id });
const team = (id: string): Strings => ({ 'services.k8s.aws/team-id': id });
const arn = (account: string, role: string) => `arn:aws:iam::${account}:role/${role}`;

const accounts: Strings = {
  [A]: arn(A, 'base'),
  [`s3.${A}`]: arn(A, 's3'),
  [`sqs.${A}`]: '',
  [`pods.${A}`]: arn(A, 'pods'),
  [B]: '',
  [`s3.${B}`]: arn(B, 's3'),
  '333333333333': 'garbage',
  '444444444444': arn('555555555555', 'stranger'),
  '000000000012': arn('000000000012', 'zeros'),
  's3.666666666666': 'garbage',
  '666666666666': arn('666666666666', 'base'),
  my: arn(A, 'my'),
  platform: arn(A, 'team-key-in-the-account-map'),
};
const teams: Strings = {
  platform: arn('777777777777', 'base'),
  's3.platform': arn('888888888888', 's3'),
  'sqs.platform': '',
  empty: '',
  's3.only': arn('888888888888', 'only'),
  garbage: 'arn:aws:s3:::b',
  [A]: arn(A, 'account-key-in-the-team-map'),
};

interface Case {
  readonly what: string;
  readonly by: keyof typeof source;
  readonly gates: readonly FeatureGate[];
  readonly annotations?: Strings;
  readonly labels?: Strings;
  /** Default `shop`. */
  readonly namespace?: string;
  /** Service alias; default `s3`. */
  readonly alias?: string;
  readonly version?: string;
  readonly resourceLabels?: Strings;
  readonly maps?: FakeState['maps'];
  readonly mapsOf?: FakeState['mapsOf'];
  readonly systems?: readonly [AckSystem, ...AckSystem[]];
  readonly selectors?: readonly object[];
  /** Role ARN, or the reason of the refusal; undefined: ACK works in its controllers' own account. */
  readonly gives: string | undefined;
}

const inNone = (aliases: readonly string[]) => ({ services: new Set(aliases) });
const anySystem = { services: undefined };
const two = [
  { namespace: 'ack-system', ...anySystem },
  { namespace: 'ack-iam', ...inNone(['iam', 'sts']) },
] as const;
const named = [
  { namespace: 'ack-s3', ...inNone(['s3']) },
  { namespace: 'ack-iam', ...inNone(['iam']) },
] as const;
const mapsOfTwo = {
  'ack-system': { account: { [A]: arn(A, 'first') } },
  'ack-iam': { account: { [A]: arn(A, 'second'), [`iam.${A}`]: arn(A, 'iam') } },
};
const mapsOfNamed = { 'ack-s3': { account: { [A]: arn(A, 'first') } }, 'ack-iam': { account: {} } };

const one = roleSelector('one', arn(B, 'one'), { names: ['shop'] });
const all = roleSelector('all', arn(B, 'all'));
const typed = (group: string, version: string, kind: string) =>
  roleSelector('typed', arn(B, 'typed'), { types: [{ group, version, kind }] });
const byLabels = roleSelector('labels', arn(B, 'labels'), { namespaceLabels: { env: 'prod', tier: 'a' } });
const byOwn = roleSelector('own', arn(B, 'own'), { labels: { pick: 'own', also: '' } });

const table: readonly Case[] = [
  // No gate: the account map by the bare id.
  { what: 'account, no gate', by: 'keys', gates: none, annotations: owner(A), gives: arn(A, 'base') },
  {
    what: 'account, no gate, another service',
    by: 'keys',
    gates: none,
    alias: 'ec2',
    annotations: owner(A),
    gives: arn(A, 'base'),
  },
  {
    what: 'service-level key, no gate: not looked up',
    by: 'keys',
    gates: none,
    annotations: owner('s3.x'),
    gives: 'InvalidAccountId',
  },
  { what: 'empty value, no gate', by: 'empty', gates: none, annotations: owner(B), gives: 'AccountNotMapped' },
  {
    what: 'no key, no gate',
    by: 'missing',
    gates: none,
    annotations: owner('999999999999'),
    gives: 'AccountNotMapped',
  },
  { what: 'no map, no gate', by: 'missing', gates: none, annotations: owner(A), maps: {}, gives: 'AccountMapMissing' },
  {
    what: 'value that is no ARN',
    by: 'parse',
    gates: none,
    annotations: owner('333333333333'),
    gives: 'InvalidRoleArn',
  },
  {
    what: 'role of another account',
    by: 'parse',
    gates: none,
    annotations: owner('444444444444'),
    gives: 'AccountMismatch',
  },
  {
    what: 'leading zeros',
    by: 'keys',
    gates: none,
    annotations: owner('000000000012'),
    gives: arn('000000000012', 'zeros'),
  },
  { what: 'key that is no account id', by: 'parse', gates: none, annotations: owner('my'), gives: 'InvalidAccountId' },
  { what: 'id with a blank', by: 'namespace', gates: none, annotations: owner(` ${A}`), gives: 'InvalidAccountId' },
  { what: 'not bound', by: 'accountOf', gates: none, gives: undefined },
  { what: 'empty annotation is none', by: 'namespace', gates: none, annotations: owner(''), gives: undefined },
  { what: 'team id alone, gate off', by: 'teamOf', gates: none, annotations: team('platform'), gives: undefined },
  {
    what: 'team and account, gate off',
    by: 'binding',
    gates: none,
    annotations: { ...team('platform'), ...owner(A) },
    gives: arn(A, 'base'),
  },
  {
    what: 'pods key is none of ACK',
    by: 'keys',
    gates: none,
    annotations: owner('123123123123'),
    maps: { account: { 'pods.123123123123': arn('123123123123', 'p') } },
    gives: 'AccountNotMapped',
  },
  {
    what: 'key of the team map is none of the account map',
    by: 'missing',
    gates: none,
    annotations: owner(A),
    maps: { account: {}, team: teams },
    gives: 'AccountNotMapped',
  },
  { what: '__proto__ as id', by: 'parse', gates: none, annotations: owner('__proto__'), gives: 'InvalidAccountId' },
  // ServiceLevelCARM: the alias's key first.
  { what: 'service-level key', by: 'keys', gates: S, annotations: owner(A), gives: arn(A, 's3') },
  {
    what: 'service-level key missing: falls back',
    by: 'keys',
    gates: S,
    alias: 'ec2',
    annotations: owner(A),
    gives: arn(A, 'base'),
  },
  {
    what: 'service-level key empty: falls back',
    by: 'keys',
    gates: S,
    alias: 'sqs',
    annotations: owner(A),
    gives: arn(A, 'base'),
  },
  { what: 'service-level key only', by: 'keys', gates: S, annotations: owner(B), gives: arn(B, 's3') },
  {
    what: 'other service, account empty',
    by: 'empty',
    gates: S,
    alias: 'ec2',
    annotations: owner(B),
    gives: 'AccountNotMapped',
  },
  {
    what: 'service-level garbage: no fall-back',
    by: 'keys',
    gates: S,
    annotations: owner('666666666666'),
    gives: 'InvalidRoleArn',
  },
  {
    what: 'other service beside that garbage',
    by: 'keys',
    gates: S,
    alias: 'ec2',
    annotations: owner('666666666666'),
    gives: arn('666666666666', 'base'),
  },
  {
    what: 'no map, service gate',
    by: 'missing',
    gates: S,
    annotations: owner(A),
    maps: {},
    gives: 'AccountMapMissing',
  },
  { what: 'no key of both', by: 'missing', gates: S, annotations: owner('999999999999'), gives: 'AccountNotMapped' },
  {
    what: 'service-level key of another account',
    by: 'parse',
    gates: S,
    annotations: owner(A),
    maps: { account: { [`s3.${A}`]: arn(B, 'x'), [A]: arn(A, 'base') } },
    gives: 'AccountMismatch',
  },
  {
    what: 'team id alone, only the service gate',
    by: 'teamOf',
    gates: S,
    annotations: team('platform'),
    gives: undefined,
  },
  {
    what: 'team and account, only the service gate',
    by: 'binding',
    gates: S,
    annotations: { ...team('platform'), ...owner(A) },
    gives: arn(A, 's3'),
  },
  { what: 'not bound, service gate', by: 'accountOf', gates: S, gives: undefined },
  {
    what: 'alias is matched exactly: s3control is not s3',
    by: 'keys',
    gates: S,
    alias: 's3control',
    annotations: owner(A),
    gives: arn(A, 'base'),
  },
  // TeamLevelCARM: the team map by the team id, before the account.
  { what: 'team', by: 'teamOf', gates: T, annotations: team('platform'), gives: arn('777777777777', 'base') },
  {
    what: 'team wins over account',
    by: 'binding',
    gates: T,
    annotations: { ...team('platform'), ...owner(A) },
    gives: arn('777777777777', 'base'),
  },
  {
    what: 'empty team: account',
    by: 'namespace',
    gates: T,
    annotations: { ...team(''), ...owner(A) },
    gives: arn(A, 'base'),
  },
  { what: 'account alone, team gate', by: 'binding', gates: T, annotations: owner(A), gives: arn(A, 'base') },
  {
    what: 'team that is not mapped: no fall-back to the account',
    by: 'binding',
    gates: T,
    annotations: { ...team('nobody'), ...owner(A) },
    gives: 'TeamNotMapped',
  },
  { what: 'team with empty value', by: 'empty', gates: T, annotations: team('empty'), gives: 'TeamNotMapped' },
  { what: 'team whose value is no role', by: 'parse', gates: T, annotations: team('garbage'), gives: 'InvalidRoleArn' },
  {
    what: 'no team map',
    by: 'missing',
    gates: T,
    annotations: team('platform'),
    maps: { account: accounts },
    gives: 'TeamMapMissing',
  },
  {
    what: 'team with service-level key only, gate off',
    by: 'keys',
    gates: T,
    annotations: team('only'),
    gives: 'TeamNotMapped',
  },
  { what: 'team id with a dot', by: 'keys', gates: T, annotations: team('s3.platform'), gives: 'InvalidTeamId' },
  {
    what: 'team id of 12 digits is a team',
    by: 'binding',
    gates: T,
    annotations: team(A),
    gives: arn(A, 'account-key-in-the-team-map'),
  },
  { what: 'account map has no teams', by: 'teamOf', gates: T, annotations: team('my'), gives: 'TeamNotMapped' },
  { what: 'team __proto__', by: 'missing', gates: T, annotations: team('__proto__'), gives: 'TeamNotMapped' },
  // Both.
  { what: 'team by service', by: 'keys', gates: ST, annotations: team('platform'), gives: arn('888888888888', 's3') },
  {
    what: 'team by service, empty: falls back',
    by: 'keys',
    gates: ST,
    alias: 'sqs',
    annotations: team('platform'),
    gives: arn('777777777777', 'base'),
  },
  {
    what: 'team by service, missing: falls back',
    by: 'keys',
    gates: ST,
    alias: 'ec2',
    annotations: team('platform'),
    gives: arn('777777777777', 'base'),
  },
  {
    what: 'team by service alone',
    by: 'keys',
    gates: ST,
    annotations: team('only'),
    gives: arn('888888888888', 'only'),
  },
  {
    what: 'team by service alone, other service',
    by: 'keys',
    gates: ST,
    alias: 'ec2',
    annotations: team('only'),
    gives: 'TeamNotMapped',
  },
  {
    what: 'team wins, both gates',
    by: 'binding',
    gates: ST,
    annotations: { ...team('platform'), ...owner(A) },
    gives: arn('888888888888', 's3'),
  },
  { what: 'account by service, both gates', by: 'keys', gates: ST, annotations: owner(A), gives: arn(A, 's3') },
  {
    what: 'team not mapped, both gates',
    by: 'binding',
    gates: ST,
    annotations: { ...team('nobody'), ...owner(A) },
    gives: 'TeamNotMapped',
  },
  { what: 'not bound, both gates', by: 'accountOf', gates: ST, gives: undefined },
  // Namespaces and systems.
  {
    what: 'label disabled does not unbind resources',
    by: 'namespace',
    gates: none,
    annotations: owner(A),
    labels: { 'carm-webhook.dev/inject': 'disabled' },
    gives: arn(A, 'base'),
  },
  {
    what: 'labelled and not bound',
    by: 'accountOf',
    gates: none,
    labels: { 'carm-webhook.dev/inject': 'enabled' },
    gives: 'NamespaceNotBound',
  },
  {
    what: 'labelled, team id alone, gate off',
    by: 'teamOf',
    gates: none,
    annotations: team('platform'),
    labels: { 'carm-webhook.dev/inject': 'enabled' },
    gives: 'NamespaceNotBound',
  },
  {
    what: 'kube-system is ignored',
    by: 'ignored',
    gates: none,
    namespace: 'kube-system',
    annotations: owner('999999999999'),
    gives: undefined,
  },
  {
    what: 'kube-public is ignored',
    by: 'ignored',
    gates: ST,
    namespace: 'kube-public',
    annotations: team('nobody'),
    gives: undefined,
  },
  {
    what: 'kube-node-lease is ignored',
    by: 'ignored',
    gates: S,
    namespace: 'kube-node-lease',
    annotations: owner('333333333333'),
    gives: undefined,
  },
  {
    what: 'first system serves what no other names',
    by: 'system',
    gates: none,
    annotations: owner(A),
    systems: two,
    mapsOf: mapsOfTwo,
    gives: arn(A, 'first'),
  },
  {
    what: 'second system serves what it names',
    by: 'system',
    gates: none,
    alias: 'iam',
    annotations: owner(A),
    systems: two,
    mapsOf: mapsOfTwo,
    gives: arn(A, 'second'),
  },
  {
    what: 'second system by service',
    by: 'system',
    gates: S,
    alias: 'iam',
    annotations: owner(A),
    systems: two,
    mapsOf: mapsOfTwo,
    gives: arn(A, 'iam'),
  },
  {
    what: 'second system, its other service',
    by: 'system',
    gates: S,
    alias: 'sts',
    annotations: owner(A),
    systems: two,
    mapsOf: mapsOfTwo,
    gives: arn(A, 'second'),
  },
  {
    what: 'map of the system is missing, another has one',
    by: 'system',
    gates: none,
    alias: 'iam',
    annotations: owner(A),
    systems: two,
    mapsOf: { 'ack-system': mapsOfTwo['ack-system'] },
    gives: 'AccountMapMissing',
  },
  {
    what: 'all systems name services: the first takes the rest',
    by: 'system',
    gates: none,
    alias: 'ec2',
    annotations: owner(A),
    systems: named,
    mapsOf: mapsOfNamed,
    gives: arn(A, 'first'),
  },
  {
    what: 'map of the named system has no key',
    by: 'system',
    gates: none,
    alias: 'iam',
    annotations: owner(A),
    systems: named,
    mapsOf: mapsOfNamed,
    gives: 'AccountNotMapped',
  },
  {
    what: "ACK's own other gates change nothing",
    by: 'gates',
    gates: ['ResourceAdoption', 'ReadOnlyResources'],
    annotations: owner(A),
    gives: arn(A, 'base'),
  },
  // IAMRoleSelector: instead of the maps.
  { what: 'one selector', by: 'selected', gates: I, selectors: [one], gives: arn(B, 'one') },
  {
    what: 'binding does not count',
    by: 'selected',
    gates: I,
    annotations: owner(A),
    selectors: [one],
    gives: arn(B, 'one'),
  },
  {
    what: 'binding does not resolve, and does not count',
    by: 'selected',
    gates: I,
    annotations: owner('333333333333'),
    selectors: [one],
    gives: arn(B, 'one'),
  },
  {
    what: 'all gates: selectors',
    by: 'selected',
    gates: allThree,
    annotations: { ...team('platform'), ...owner(A) },
    selectors: [one],
    gives: arn(B, 'one'),
  },
  {
    what: 'no selector: the maps do not help',
    by: 'selected',
    gates: I,
    annotations: owner(A),
    selectors: [],
    gives: 'SelectorNotMatched',
  },
  { what: 'no such kind', by: 'selected', gates: I, annotations: owner(A), gives: 'SelectorNotMatched' },
  { what: 'two selectors', by: 'selected', gates: I, selectors: [one, all], gives: 'SelectorConflict' },
  {
    what: 'two selectors of one role',
    by: 'selected',
    gates: I,
    selectors: [one, roleSelector('same', arn(B, 'one'))],
    gives: 'SelectorConflict',
  },
  { what: 'bare spec matches all', by: 'matches', gates: I, selectors: [all], gives: arn(B, 'all') },
  {
    what: 'other namespace',
    by: 'matches',
    gates: I,
    namespace: 'other',
    selectors: [one],
    gives: 'SelectorNotMatched',
  },
  {
    what: 'empty names match all',
    by: 'matches',
    gates: I,
    selectors: [roleSelector('e', arn(B, 'e'), { names: [] })],
    gives: arn(B, 'e'),
  },
  {
    what: 'labels of the namespace',
    by: 'matches',
    gates: I,
    labels: { env: 'prod', tier: 'a', more: 'x' },
    selectors: [byLabels],
    gives: arn(B, 'labels'),
  },
  {
    what: 'one label of the namespace is not enough',
    by: 'matches',
    gates: I,
    labels: { env: 'prod' },
    selectors: [byLabels],
    gives: 'SelectorNotMatched',
  },
  {
    what: 'names and labels, both',
    by: 'matches',
    gates: I,
    labels: { env: 'prod' },
    selectors: [roleSelector('b', arn(B, 'b'), { names: ['shop'], namespaceLabels: { env: 'prod' } })],
    gives: arn(B, 'b'),
  },
  {
    what: 'names and labels, names only',
    by: 'matches',
    gates: I,
    selectors: [roleSelector('b', arn(B, 'b'), { names: ['shop'], namespaceLabels: { env: 'prod' } })],
    gives: 'SelectorNotMatched',
  },
  { what: 'group', by: 'matches', gates: I, selectors: [typed('s3.services.k8s.aws', '', '')], gives: arn(B, 'typed') },
  {
    what: 'kind of another group',
    by: 'matches',
    gates: I,
    alias: 'ec2',
    selectors: [typed('s3.services.k8s.aws', '', 'Thing')],
    gives: 'SelectorNotMatched',
  },
  {
    what: 'version',
    by: 'matches',
    gates: I,
    version: 'v1alpha0',
    selectors: [typed('', 'v1alpha1', '')],
    gives: 'SelectorNotMatched',
  },
  {
    what: 'kind, case-sensitive',
    by: 'matches',
    gates: I,
    selectors: [typed('', '', 'thing')],
    gives: 'SelectorNotMatched',
  },
  {
    what: 'plural is no kind',
    by: 'matches',
    gates: I,
    selectors: [typed('', '', 'things')],
    gives: 'SelectorNotMatched',
  },
  {
    what: 'labels of the resource, one empty',
    by: 'matches',
    gates: I,
    resourceLabels: { pick: 'own', also: '' },
    selectors: [byOwn],
    gives: arn(B, 'own'),
  },
  {
    what: 'an absent label is no empty one',
    by: 'matches',
    gates: I,
    resourceLabels: { pick: 'own' },
    selectors: [byOwn],
    gives: 'SelectorNotMatched',
  },
  {
    what: 'left out: a name twice',
    by: 'valid',
    gates: I,
    selectors: [roleSelector('x', arn(B, 'x'), { names: ['shop', 'shop'] })],
    gives: 'SelectorNotMatched',
  },
  {
    what: 'left out beside a valid one',
    by: 'valid',
    gates: I,
    selectors: [one, roleSelector('x', 'no-arn')],
    gives: arn(B, 'one'),
  },
  {
    what: 'an ARN of no role is used by ACK',
    by: 'valid',
    gates: I,
    selectors: [roleSelector('x', `arn:aws:s3::${B}:x`)],
    gives: B,
  },
];

const deadline = 5_000;

async function resolve(row: Case): Promise<string | undefined> {
  const { namespace = 'shop', alias = 's3', version = 'v1alpha1', gates, mapsOf, selectors } = row;
  const state: FakeState = {
    namespaces: { [namespace]: { annotations: row.annotations ?? {}, labels: row.labels ?? {} } },
    maps: row.maps ?? { account: accounts, team: teams },
    ...(mapsOf === undefined ? {} : { mapsOf }),
    ...(selectors === undefined ? {} : { roleSelectors: selectors }),
  };
  const config: Config = {
    ...defaultConfig,
    ackSystems: row.systems ?? defaultConfig.ackSystems,
    featureGates: { ...defaultFeatureGates, ...Object.fromEntries(gates.map(gate => [gate, true])) },
    unboundResources: 'allow',
  };
  const group = `${alias}.services.k8s.aws`;
  const review: ReviewOptions = {
    resource: `${group}/${version}/things`,
    kind: 'Thing',
    object: {
      apiVersion: `${group}/${version}`,
      kind: 'Thing',
      metadata: { name: 'x', namespace, labels: row.resourceLabels ?? {} },
      spec: {},
    },
  };
  const request = readRequest(review);
  const { record } = await createAdmit(new FakeCluster(state, state), config)('validate', request, deadline);
  if (record.outcome !== 'allowed') return record.reason;
  const view = viewOf(state);
  const found = view.namespace(namespace);
  assert.ok(found);
  const resource = readResource(request.object);
  const named = { subject: () => '', resource, old: undefined };
  const account = new ResourceReview(named, request, found, view, config).accountIfKnown;
  assert.equal(account.accountId, record.accountId, 'the answer names the account of the role');
  assert.equal(account.role?.text, record.roleArn, 'and the role');
  // What ACK takes for a role and is none has an account all the same.
  return account.role?.text ?? account.accountId;
}

describe('the role of an ACK resource', () => {
  test('has a table of at least 60 rows, over every combination of the gates that there is', () => {
    assert.ok(table.length >= 60, `${table.length} rows`);
    const carm: readonly FeatureGate[] = ['ServiceLevelCARM', 'TeamLevelCARM', 'IAMRoleSelector'];
    const covered = new Set(table.map(({ gates }) => carm.filter(gate => gates.includes(gate)).join()));
    assert.deepEqual([...covered].sort(), [
      '',
      'IAMRoleSelector',
      'ServiceLevelCARM',
      'ServiceLevelCARM,TeamLevelCARM',
      'ServiceLevelCARM,TeamLevelCARM,IAMRoleSelector',
      'TeamLevelCARM',
    ]);
    assert.deepEqual(new Set(table.map(({ by }) => by)), new Set(Object.keys(source)), 'every source has a row');
  });
  for (const row of table) {
    test(`${row.what} (${source[row.by]})`, async () => assert.equal(await resolve(row), row.gives));
  }
  // Selectors take no account of the other gates.
  for (const row of table.filter(({ gates }) => gates === I)) {
    for (const more of [S, T, ST]) {
      test(`${row.what}, with ${more.join(' and ')}`, async () => {
        assert.equal(await resolve({ ...row, gates: [...I, ...more] }), row.gives);
      });
    }
  }
});
