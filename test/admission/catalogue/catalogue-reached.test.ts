import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createAdmit } from '../../../src/admission/admit.ts';
import { reasons, warnings } from '../../../src/admission/catalogue/reasons.ts';
import { UnverifiedError } from '../../../src/admission/cluster.ts';
import { type Config, defaultConfig } from '../../../src/admission/config.ts';
import type { ReviewRecord } from '../../../src/admission/record.ts';
import type { AdmissionResponse } from '../../../src/admission/response.ts';
import { reviewSeries } from '../../../src/admission/review-series.ts';
import type { Rule } from '../../../src/admission/rule.ts';
import { notApplicable, ruleFor, rules } from '../../../src/admission/rules.ts';
import { StateDirectory } from '../../../src/cluster/state/state-directory.ts';
import { checkRow } from '../../decisions/check-row.ts';
import type { FlagSet } from '../../decisions/flag-sets.ts';
import { pod } from '../../decisions/manifests.ts';
import { readRequest, readRequestBytes } from '../../decisions/review.ts';
import { writeState } from '../../decisions/state.ts';
import { rows } from '../../decisions/table.ts';
import { FakeCluster } from '../fake-cluster.ts';

/** The table of decisions without a server: what the flags of the served one come to. */
const rulesOf: Readonly<Record<FlagSet, Partial<Config>>> = {
  plain: {},
  teams: { featureGates: { ...defaultConfig.featureGates, TeamLevelCARM: true } },
  'no-maps': {
    ackSystems: [{ namespace: 'elsewhere', services: undefined }],
    featureGates: { ...defaultConfig.featureGates, ServiceLevelCARM: true, TeamLevelCARM: true },
  },
  strict: {
    requirePodsKey: true,
    defaultRegion: 'us-east-1',
    sourceAccounts: new Set(['123456789012']),
    tokenExpirationSeconds: 7200,
    supportMessage: 'Ask in #platform.',
  },
  'strict-teams': {
    requirePodsKey: true,
    featureGates: { ...defaultConfig.featureGates, TeamLevelCARM: true },
  },
  'strict-systems': {
    requirePodsKey: true,
    ackSystems: [
      { namespace: 'ack-system', services: undefined },
      { namespace: 'ack-iam', services: undefined },
    ],
  },
  warning: { defaultMode: 'warn' },
  auditing: { defaultMode: 'audit' },
  'workloads-denied': { workloads: 'deny' },
  'workloads-off': { workloads: 'off' },
  services: { featureGates: { ...defaultConfig.featureGates, ServiceLevelCARM: true } },
  'services-and-teams': {
    featureGates: { ...defaultConfig.featureGates, ServiceLevelCARM: true, TeamLevelCARM: true },
  },
  selectors: { featureGates: { ...defaultConfig.featureGates, IAMRoleSelector: true } },
  'selectors-warning': {
    featureGates: { ...defaultConfig.featureGates, IAMRoleSelector: true },
    defaultMode: 'warn',
  },
  'unbound-denied': { unboundResources: 'deny' },
  'unbound-denied-warning': { unboundResources: 'deny', defaultMode: 'warn' },
  'unbound-allowed': { unboundResources: 'allow' },
  systems: {
    ackSystems: [
      { namespace: 'ack-system', services: new Set(['s3', 'sqs']) },
      { namespace: 'ack-iam', services: undefined },
    ],
    featureGates: { ...defaultConfig.featureGates, ServiceLevelCARM: true },
  },
  releases: {
    ackSystems: [
      { namespace: 'ack-system', services: undefined },
      { namespace: 'ack-iam', services: undefined },
    ],
  },
  shards: {
    ackSystems: [
      { namespace: 'ack-system', services: new Set(['s3']) },
      { namespace: 'ack-iam', services: new Set(['s3', 'iam']) },
    ],
  },
  trusting: {
    ackIdentities: [
      { username: 'system:serviceaccount:custom:controller', prefix: false },
      { username: 'arn:aws:sts::111111111111:assumed-role/AckCapability/', prefix: true },
    ],
    restoreIdentities: [{ username: 'system:serviceaccount:velero:server', prefix: false }],
    allowedEndpointUrls: new Set(['http://localstack.tools:4566', 'https://vpce.example.com']),
    crossNamespaceReferences: [
      { from: 'shop', to: 'shared' },
      { from: '*', to: 'common' },
    ],
    requirePodsKey: true,
  },
};

const deadline = 5_000;

function nameOf({ webhook, endpoint, matches: [match] }: Rule): string {
  return `${webhook} /${endpoint} ${match?.resource}/${match?.subResource ?? ''}`;
}

describe('the catalogue', () => {
  const records: ReviewRecord[] = [];
  const answers: AdmissionResponse[] = [];
  const given = new Set<string>();
  let state: Awaited<ReturnType<typeof writeState>>;
  before(async () => {
    state = await writeState();
    const directory = await StateDirectory.open({ folder: state.folder });
    for (const row of rows) {
      const { endpoint = 'mutate', server = 'plain' } = row;
      const request = await readRequestBytes(row.review);
      const admit = createAdmit(directory, { ...defaultConfig, ...rulesOf[server] });
      const { response, record } = await admit(endpoint, request, deadline);
      answers.push(response);
      records.push(record);
      const verdict = String(response.auditAnnotations?.['decision']);
      given.add(`${nameOf(ruleFor(endpoint, request))}: ${verdict} ${record.reason}`);
    }
    directory.close();
    // Troubles that no folder of manifests can have.
    for (const error of [new UnverifiedError(503, 'no answer'), new Error('broken')]) {
      const admit = createAdmit(new FakeCluster(undefined, error), defaultConfig);
      records.push((await admit('mutate', readRequest({ object: pod() }), deadline)).record);
    }
  });
  after(() => state.remove());

  describe('is the same without a server', () => {
    for (const [index, row] of rows.entries()) {
      test(row.proves, () => {
        const answer = answers[index];
        assert.ok(answer);
        checkRow(row, answer);
        assert.equal(records[index]?.outcome, row.outcome);
      });
    }
  });

  test('has a case for every reason', () => {
    const reached = new Set(records.map(({ reason }) => reason));
    assert.deepEqual(
      Object.keys(reasons).filter(reason => !reached.has(reason as keyof typeof reasons)),
      [],
    );
  });

  test('has a case for every warning', () => {
    const reached = new Set(records.flatMap(({ warnings: said }) => said));
    assert.deepEqual(
      Object.keys(warnings).filter(reason => !reached.has(reason as keyof typeof warnings)),
      [],
    );
  });

  test('foresees every series that occurs', () => {
    const known = new Set(
      reviewSeries().map(({ webhook, operation, outcome, reason }) => `${webhook} ${operation} ${outcome} ${reason}`),
    );
    const seen = records.map(
      ({ webhook, operation, outcome, reason }) => `${webhook} ${operation} ${outcome} ${reason}`,
    );
    assert.deepEqual(
      [...new Set(seen)].filter(series => !known.has(series)),
      [],
    );
  });

  test('declares each reason that a rule gives, and no other', () => {
    const declared = rules.flatMap(rule =>
      (['allow', 'mutate', 'deny'] as const).flatMap(verdict =>
        rule.reasons[verdict].map(reason => `${nameOf(rule)}: ${verdict} ${reason}`),
      ),
    );
    assert.deepEqual(
      declared.filter(each => !given.has(each)),
      [],
      'declared, and reached by no row',
    );
    const ofFailures = /: (?:deny (?:ObjectTooLarge|InvalidReview|Unverified|InternalError)|allow Terminating)$/;
    const ofNone = `${nameOf(notApplicable)}: allow NotApplicable`;
    const known = new Set([...declared, ofNone]);
    assert.deepEqual(
      [...given].filter(each => !known.has(each) && !ofFailures.test(each)),
      [],
      'given, and not declared',
    );
  });

  test('names each reason in one word, once', () => {
    const names = [...Object.keys(reasons), ...Object.keys(warnings)];
    // For a pod a region that cannot be is a warning, for an ACK resource a refusal.
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      ['InvalidRegion'],
    );
    for (const name of names) assert.match(name, /^[A-Z][A-Za-z]+$/);
  });
});
