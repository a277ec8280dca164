import assert from 'node:assert/strict';
import type { ClientAnswer, RunningPod } from './running-pods.ts';
import type { RoleSession, StsStandIn } from './sts-stand-in.ts';

/** Who a client must be. */
export interface ExpectedIdentity {
  readonly roleArn: string;
  /** The region that it has. */
  readonly region: string;
  /** The endpoint that it must have asked: that of its region, if nothing else is said. */
  readonly host?: string;
  /** `sts.amazonaws.com` if nothing else is said. */
  readonly audience?: string;
  /** That of the pod's namespace and ServiceAccount, which is injected, if nothing else is said. */
  readonly sessionName?: string;
}

/** Who a client must be in chain mode, by which hub role. Both sessions have the same name. */
export interface ExpectedChain extends ExpectedIdentity {
  readonly hubRoleArn: string;
  readonly externalId: string | undefined;
}

type Sessions = Pick<StsStandIn, 'sessionOf'>;

/** A client holds exactly the role that it should have, by the token of exactly its own pod. */
export function assertIdentity(sts: Sessions, pod: RunningPod, answer: ClientAnswer, expected: ExpectedIdentity): void {
  const session = sessionOf(sts, pod, answer);
  assertTakenByToken(session, pod, answer, expected);
  assertIsSession(session, pod, answer, expected);
}

/** The same by a chain: the hub role by the token, and nothing else by the hub role but the role that it should have. */
export function assertChain(sts: Sessions, pod: RunningPod, answer: ClientAnswer, expected: ExpectedChain): void {
  const who = nameOf(pod, answer);
  const session = sessionOf(sts, pod, answer);
  assert.ok(session.takenBy, `${who} took ${session.roleArn} by no other role`);
  assertTakenByToken(session.takenBy, pod, answer, { ...expected, roleArn: expected.hubRoleArn });
  const { roleArn, externalId, region, host = `sts.${region}.amazonaws.com` } = expected;
  const { roleArn: taken, externalId: shown, sourceIdentity, host: asked } = session;
  assert.deepEqual(
    { roleArn: taken, externalId: shown, sourceIdentity, host: asked },
    { roleArn, externalId, sourceIdentity: undefined, host },
    who,
  );
  assertIsSession(session, pod, answer, expected);
}

function nameOf(pod: RunningPod, answer: ClientAnswer): string {
  return `${answer.sdk} in pod ${pod.metadata.name}`;
}

function sessionOf(sts: Sessions, pod: RunningPod, answer: ClientAnswer): RoleSession {
  const who = nameOf(pod, answer);
  assert.equal(answer.error, undefined, who);
  const session = sts.sessionOf(answer.accessKeyId ?? '');
  assert.ok(session, `${who} asked with the key ${answer.accessKeyId}, which was not given to anyone`);
  return session;
}

function sessionNameIn(pod: RunningPod, { sessionName }: ExpectedIdentity): string {
  return sessionName ?? `${pod.metadata.namespace}.${pod.spec.serviceAccountName}`;
}

function assertTakenByToken(
  session: RoleSession,
  pod: RunningPod,
  answer: ClientAnswer,
  expected: ExpectedIdentity,
): void {
  const { roleArn, region, host, audience = 'sts.amazonaws.com' } = expected;
  const { namespace, name, uid } = pod.metadata;
  const serviceAccount = pod.spec.serviceAccountName ?? '';
  const who = nameOf(pod, answer);
  assert.equal(session.takenBy, undefined, who);
  assert.partialDeepStrictEqual(
    session,
    {
      roleArn,
      audience,
      subject: `system:serviceaccount:${namespace}:${serviceAccount}`,
      podName: name,
      podUid: uid,
      serviceAccount,
      host: host ?? `sts.${region}.amazonaws.com`,
      sdk: answer.sdk,
      tokenIssuedAt: answer.tokenIssuedAt,
    },
    who,
  );
  assert.equal(session.roleSessionName, sessionNameIn(pod, expected), who);
}

/** The answer is that of this session, and the session has the name that it should have. */
function assertIsSession(
  session: RoleSession,
  pod: RunningPod,
  answer: ClientAnswer,
  expected: ExpectedIdentity,
): void {
  const who = nameOf(pod, answer);
  const { roleArn, region } = expected;
  assert.equal(session.roleSessionName, sessionNameIn(pod, expected), who);
  const [, account = ''] = /^arn:aws:iam::(\d{12}):/.exec(roleArn) ?? [];
  const role = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  assert.equal(answer.arn, `arn:aws:sts::${account}:assumed-role/${role}/${session.roleSessionName}`, who);
  assert.equal(answer.region, region, who);
}
