import assert from 'node:assert/strict';
import type { ClientAnswer, RunningPod } from './running-pods.ts';
import type { StsStandIn } from './sts-stand-in.ts';

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

/** A client holds exactly the role that it should have, by the token of exactly its own pod. */
export function assertIdentity(
  sts: Pick<StsStandIn, 'sessionOf'>,
  pod: RunningPod,
  answer: ClientAnswer,
  { roleArn, region, host, audience = 'sts.amazonaws.com', sessionName }: ExpectedIdentity,
): void {
  const who = `${answer.sdk} in pod ${pod.metadata.name}`;
  assert.equal(answer.error, undefined, who);
  const session = sts.sessionOf(answer.accessKeyId ?? '');
  assert.ok(session, `${who} asked with the key ${answer.accessKeyId}, which was not given to anyone`);
  const { namespace, name, uid } = pod.metadata;
  const serviceAccount = pod.spec.serviceAccountName ?? '';
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
  assert.equal(session.roleSessionName, sessionName ?? `${namespace}.${serviceAccount}`, who);
  const [, account = ''] = /^arn:aws:iam::(\d{12}):/.exec(roleArn) ?? [];
  const role = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  assert.equal(answer.arn, `arn:aws:sts::${account}:assumed-role/${role}/${session.roleSessionName}`, who);
  assert.equal(answer.region, region, who);
}
