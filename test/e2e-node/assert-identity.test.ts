import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertChain, assertIdentity } from './assert-identity.ts';
import type { ClientAnswer, RunningPod } from './running-pods.ts';
import type { RoleSession } from './sts-stand-in.ts';

const roleArn = 'arn:aws:iam::111122223333:role/teams/shop';
const region = 'eu-central-1';

const session: RoleSession = {
  accessKeyId: 'ASIA1',
  roleArn,
  roleSessionName: 'shop.app',
  arn: 'arn:aws:sts::111122223333:assumed-role/shop/shop.app',
  takenBy: undefined,
  externalId: undefined,
  sourceIdentity: undefined,
  audience: 'sts.amazonaws.com',
  subject: 'system:serviceaccount:shop:app',
  podName: 'web',
  podUid: 'uid-1',
  serviceAccount: 'app',
  tokenIssuedAt: 1000,
  tokenExpiresAt: 2000,
  host: 'sts.eu-central-1.amazonaws.com',
  userAgent: 'Boto3/1',
  sdk: 'boto3',
  at: 1500,
};

const answer: ClientAnswer = {
  sdk: 'boto3',
  arn: session.arn,
  accessKeyId: 'ASIA1',
  tokenIssuedAt: 1000,
  region,
};

const pod: RunningPod = {
  metadata: { name: 'web', namespace: 'shop', uid: 'uid-1', resourceVersion: '1' },
  spec: { containers: [], serviceAccountName: 'app' },
  status: { phase: 'Running' },
};

function check(
  changes: { readonly session?: Partial<RoleSession>; readonly answer?: Partial<ClientAnswer> } = {},
): void {
  const held = { ...session, ...changes.session };
  const sts = { sessionOf: (key: string) => (key === held.accessKeyId ? held : undefined) };
  assertIdentity(sts, pod, { ...answer, ...changes.answer }, { roleArn, region });
}

test('the role, the token and the endpoint that a pod should have', () => check());

const wrong: Readonly<Record<string, Parameters<typeof check>[0]>> = {
  'a client that failed': { answer: { error: 'NoCredentialsError' } },
  'a key that STS has not given': { answer: { accessKeyId: 'ASIA2' } },
  'a foreign role': { session: { roleArn: 'arn:aws:iam::999999999999:role/teams/shop' } },
  'another ARN than that of the session': { answer: { arn: session.arn.replace('111122223333', '999999999999') } },
  'another audience': { session: { audience: 'trusted.example.com' } },
  'another ServiceAccount': { session: { subject: 'system:serviceaccount:shop:other' } },
  'another namespace': { session: { subject: 'system:serviceaccount:stock:app' } },
  'the token of another pod of this name': { session: { podUid: 'uid-2' } },
  'the token of another pod': { session: { podName: 'api' } },
  'a token that the client has not read': { session: { tokenIssuedAt: 999 } },
  'the global endpoint': { session: { host: 'sts.amazonaws.com' } },
  'another region': { answer: { region: 'us-east-1' } },
  'another SDK': { session: { sdk: 'js' } },
  'a role that was taken by another role': { session: { takenBy: session } },
  'a session that the SDK has named': { session: { roleSessionName: 'botocore-session-1795668409' } },
};
for (const [what, changes] of Object.entries(wrong)) {
  test(`${what} is no such identity`, () => {
    assert.throws(() => check(changes), assert.AssertionError);
  });
}

const hubRoleArn = 'arn:aws:iam::222233334444:role/hub';
const chained: RoleSession = {
  ...session,
  takenBy: { ...session, roleArn: hubRoleArn, arn: 'arn:aws:sts::222233334444:assumed-role/hub/shop.app' },
  externalId: 'shop-1',
};

function checkChain(changes: Partial<RoleSession> = {}): void {
  const held = { ...chained, ...changes };
  const expected = { roleArn, region, hubRoleArn, externalId: 'shop-1' };
  assertChain({ sessionOf: () => held }, pod, answer, expected);
}

test('the role by the hub role, with the external id', () => checkChain());

const wrongChains: Readonly<Record<string, Partial<RoleSession>>> = {
  'a role without a hub': { takenBy: undefined },
  'another hub': { takenBy: { ...session, roleArn: 'arn:aws:iam::222233334444:role/hub-2' } },
  'a hub that was taken by a role': { takenBy: { ...session, roleArn: hubRoleArn, takenBy: session } },
  'a hub by the token of another pod': { takenBy: { ...session, roleArn: hubRoleArn, podUid: 'uid-2' } },
  'a hub session that the SDK has named': { takenBy: { ...session, roleArn: hubRoleArn, roleSessionName: 'a1' } },
  'another role of a chain': { roleArn: 'arn:aws:iam::111122223333:role/teams/stock' },
  'no external id': { externalId: undefined },
  'another external id': { externalId: 'shop-2' },
  'a source identity': { sourceIdentity: 'shop' },
  'a session of a chain that the SDK has named': { roleSessionName: 'botocore-session-1795668409' },
};
for (const [what, changes] of Object.entries(wrongChains)) {
  test(`${what} is no such chain`, () => {
    assert.throws(() => checkChain(changes), assert.AssertionError);
  });
}
