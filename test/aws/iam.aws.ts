import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { anyServiceAccount } from '../cli/iam/iam-cases.ts';
import { issuer, runIam, stepsOf } from '../cli/iam/iam-runs.ts';
import { TokenIssuer } from '../e2e-node/token-issuer.ts';
import { awsShell, partsByAccount, paste, rootKeys } from './pasted-commands.ts';
import { type Aws, startAws } from './start-aws.ts';

/*
 * The policies of `iam` in accounts that judge them. Not judged by ministack, and so only compared as text elsewhere: form and size of
 * policies; session tags that follow a session into the next (EKS Pod Identity). Resource policies: across accounts it judges those of SQS
 * and SNS; for S3 it takes the caller for its account's root, and it does not find keys, repositories and secrets of other accounts.
 */

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const audience = 'sts.amazonaws.com';
const hub = 'arn:aws:iam::111111111111:role/hubs/team-a';
const evilHub = 'arn:aws:iam::111111111111:role/hubs/team-a-evil';
const [workloads, reader, shared, web] = [
  'arn:aws:iam::222222222222:role/workloads',
  'arn:aws:iam::222222222222:role/team/s3-reader',
  'arn:aws:iam::333333333333:role/shared',
  'arn:aws:iam::444444444444:role/web',
];
const [ourId, evilId] = ['222222222222/team-a', '333333333333/team-a-evil'];
const otherIssuer = 'https://oidc.eks.eu-central-1.amazonaws.com/id/A1B3';

/** Each step in its order, by the calls of IAM. */
async function applyJson(aws: Aws, ...argv: readonly string[]): Promise<void> {
  for (const step of await stepsOf(...argv)) {
    const iam = aws.iam(step.accountId ?? '');
    const [, path = '', name = ''] = /:role(\/.*?)([^/]+)$/.exec(step.roleArn ?? '') ?? [];
    if (step.kind === 'oidc-provider') {
      const { clientIds } = step as unknown as { readonly clientIds: readonly string[] };
      await iam.createOidcProvider(step.url ?? '', clientIds);
    } else if (step.kind === 'role') {
      assert.equal(await iam.createRole({ name, path, trust: step.trustPolicy ?? {} }), step.roleArn);
    } else {
      await iam.putRolePolicy(name, step.policy ?? {}, step.policyName);
    }
  }
}

describe('the policies of iam let exactly the bound ServiceAccounts in', () => {
  const signer = new TokenIssuer();
  let aws: Aws;
  let home: string;

  before(
    async () => {
      aws = await startAws();
      home = await mkdtemp(join(tmpdir(), 'carm-webhook-iam-'));
      for (const each of [issuer, otherIssuer]) aws.setIssuerKeys(each, signer.keySet);
      await applyJson(aws, '--all', '--oidc-issuer', issuer);
      // Known to every account, and trusted by no role.
      for (const account of ['111111111111', '222222222222', '333333333333', '444444444444'])
        await aws.iam(account).createOidcProvider(otherIssuer);
    },
    { timeout: 60_000 },
  );
  after(async () => {
    await aws?.stop();
    await rm(home, { recursive: true, force: true });
  });

  function sts(credentials: Keys = { accessKeyId: 'none', secretAccessKey: 'none' }): STSClient {
    return new STSClient({ endpoint: aws.endpoint, region: 'eu-central-1', credentials, maxAttempts: 1 });
  }

  const keysOf = (
    given:
      | { AccessKeyId?: string | undefined; SecretAccessKey?: string | undefined; SessionToken?: string | undefined }
      | undefined,
  ): Keys => ({
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  });

  async function byToken(RoleArn: string, serviceAccount: string, claims: object = {}): Promise<Keys> {
    const [namespace = '', name = ''] = serviceAccount.split('/');
    const sub = `system:serviceaccount:${namespace}:${name}`;
    const WebIdentityToken = signer.token({ iss: issuer, aud: [audience], sub, ...claims });
    const input = { RoleArn, WebIdentityToken, RoleSessionName: name };
    return keysOf((await sts().send(new AssumeRoleWithWebIdentityCommand(input))).Credentials);
  }

  async function byRole(keys: Keys, RoleArn: string, ExternalId: string | undefined): Promise<Keys> {
    const input = { RoleArn, RoleSessionName: 'pod', ...(ExternalId !== undefined && { ExternalId }) };
    return keysOf((await sts(keys).send(new AssumeRoleCommand(input))).Credentials);
  }

  async function assertIs(keys: Keys, roleArn: string): Promise<void> {
    const { Arn = '' } = await sts(keys).send(new GetCallerIdentityCommand());
    const [, account, name] = /^arn:aws:iam::(\d+):role\/(?:.*\/)?(.*)$/.exec(roleArn) ?? [];
    assert.ok(Arn.startsWith(`arn:aws:sts::${account}:assumed-role/${name}/`), `${Arn} is ${roleArn}`);
  }

  for (const [serviceAccount, first, role, id] of [
    ['team-a/web', hub, workloads, ourId],
    ['team-a/default', hub, workloads, ourId],
    ['team-a/reports', hub, reader, ourId],
    ['team-a-evil/default', evilHub, shared, evilId],
  ] as const) {
    test(`${serviceAccount} chains to ${role}`, async () => {
      await assertIs(await byRole(await byToken(first, serviceAccount), role, id), role);
    });
  }

  test('by web identity, with an audience of its own', async () => {
    await assertIs(await byToken(workloads, 'team-a/direct', { aud: ['my.audience'] }), workloads);
    await assertIs(await byToken(shared, 'team-b/default'), shared);
    await assertIs(await byToken(web, 'team-c/default'), web);
  });

  for (const [what, role, serviceAccount, claims, code] of [
    ['a neighbour by name', hub, 'team-a-evil/web', {}, 'AccessDenied'],
    ['a ServiceAccount that is not bound', hub, 'team-a/stranger', {}, 'AccessDenied'],
    ['one that does not chain', hub, 'team-a/direct', { aud: ['my.audience'] }, 'InvalidIdentityToken'],
    ['one that chains, at the role itself', workloads, 'team-a/web', { aud: ['my.audience'] }, 'AccessDenied'],
    ['the namespace of another account', web, 'team-b/default', {}, 'AccessDenied'],
    ["another cluster's token", hub, 'team-a/web', { iss: otherIssuer }, 'AccessDenied'],
    ['the token of a cluster that nobody knows', hub, 'team-a/web', { iss: `${issuer}C` }, 'InvalidIdentityToken'],
    [
      'a token for something else',
      hub,
      'team-a/web',
      { aud: ['https://kubernetes.default.svc'] },
      'InvalidIdentityToken',
    ],
  ] as const) {
    test(`denied: ${what}`, async () => {
      await assert.rejects(byToken(role, serviceAccount, claims), (error: Error) => error.name.startsWith(code));
    });
  }

  for (const [what, serviceAccount, first, role, id] of [
    ['another external id', 'team-a/web', hub, workloads, evilId],
    ['no external id', 'team-a/web', hub, workloads, undefined],
    ["another account's hub, though it knows the external id", 'team-a-evil/default', evilHub, workloads, ourId],
    ['the role of another account, though the external id is known', 'team-a/web', hub, shared, evilId],
  ] as const) {
    test(`denied: ${what}`, async () => {
      const keys = await byToken(first, serviceAccount);
      await assertIs(keys, first);
      await assert.rejects(byRole(keys, role, id), { name: /^AccessDenied/ });
    });
  }

  test('the same by commands, as they are pasted: roles that exist trust a whole namespace then, and no neighbour', async () => {
    await assert.rejects(byToken(hub, 'team-a/stranger'), { name: /^AccessDenied/ });
    const { stdout } = await runIam(...anyServiceAccount, '-o', 'aws-cli');
    for (const { account, commands } of partsByAccount(stdout))
      await paste(commands, awsShell(aws.endpoint, home, rootKeys(account)));
    await assertIs(await byRole(await byToken(hub, 'team-a/stranger'), workloads, ourId), workloads);
    await assert.rejects(byToken(hub, 'team-a-evil/default'), { name: /^AccessDenied/ });
    await assert.rejects(byToken(evilHub, 'team-a/web'), { name: /^AccessDenied/ });
  });
});

describe('commands of iam, as they are pasted into a shell', () => {
  const owner = '999988887777';
  let aws: Aws;
  let home: string;
  const signer = new TokenIssuer();

  before(
    async () => {
      aws = await startAws();
      home = await mkdtemp(join(tmpdir(), 'carm-webhook-iam-'));
      aws.setIssuerKeys(issuer, signer.keySet);
    },
    { timeout: 60_000 },
  );
  after(async () => {
    await aws?.stop();
    await rm(home, { recursive: true, force: true });
  });

  const asRoot = (account: string) => awsShell(aws.endpoint, home, rootKeys(account));

  async function pasteIam(...argv: readonly string[]): Promise<void> {
    const { stdout } = await runIam(...argv, '-o', 'aws-cli');
    for (const { account, commands } of partsByAccount(stdout))
      await paste(commands, asRoot(account === '' ? owner : account));
  }

  /** The role of `team-c`, by the token of its pod. */
  async function asPod(): Promise<Record<string, string>> {
    const token = signer.token({ iss: issuer, aud: [audience], sub: 'system:serviceaccount:team-c:default' });
    const asked = `aws sts assume-role-with-web-identity --role-arn=${web} --role-session-name=pod --web-identity-token=${token} --query=Credentials.[AccessKeyId,SecretAccessKey,SessionToken] --output=text`;
    const [id = '', secret = '', session = ''] = (await paste(asked, asRoot('none'))).trim().split(/\s+/);
    return awsShell(aws.endpoint, home, {
      AWS_ACCESS_KEY_ID: id,
      AWS_SECRET_ACCESS_KEY: secret,
      AWS_SESSION_TOKEN: session,
    });
  }

  test('create what the pod needs: a client walks the way', async () => {
    await pasteIam('-n', 'team-a', '--serviceaccount', 'web', '--oidc-issuer', issuer);
    const token = signer.token({ iss: issuer, aud: [audience], sub: 'system:serviceaccount:team-a:web' });
    const take = (action: string) =>
      `aws sts ${action} --role-session-name=pod --query='Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output=text`;
    const script = `use() { export AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 AWS_SESSION_TOKEN=$3; }
use $(${take('assume-role-with-web-identity')} --role-arn=${hub} --web-identity-token=${token})
use $(${take('assume-role')} --role-arn=${workloads} --external-id=${ourId})
aws sts get-caller-identity --query=Arn --output=text`;
    assert.equal((await paste(script, asRoot('none'))).trim(), 'arn:aws:sts::222222222222:assumed-role/workloads/pod');
  });

  test('a queue of another account: both sides are needed, and each command is taken', async () => {
    await applyJson(aws, '-n', 'team-c', '--oidc-issuer', issuer);
    await paste('aws sqs create-queue --queue-name=jobs', asRoot(owner));
    const url = (
      await paste('aws sqs get-queue-url --queue-name=jobs --query=QueueUrl --output=text', asRoot(owner))
    ).trim();
    const receive = `aws sqs receive-message --queue-url=${url}`;
    const send = `aws sqs send-message --queue-url=${url} --message-body=x`;
    const pod = await asPod();
    const { stdout } = await runIam(
      '-n',
      'team-c',
      '--resource',
      'sqs',
      '--resource-arn',
      `arn:aws:sqs:eu-central-1:${owner}:jobs`,
      '-o',
      'aws-cli',
    );
    const [ofRole, ofQueue, ...rest] = partsByAccount(stdout);
    assert.ok(ofRole && ofQueue && rest.length === 0);
    await assert.rejects(paste(receive, pod), /AccessDenied/);
    await paste(ofRole.commands, asRoot(ofRole.account));
    await assert.rejects(paste(receive, pod), /AccessDenied/);
    await paste(ofQueue.commands, asRoot(ofQueue.account));
    await paste(receive, pod);
    await assert.rejects(paste(send, pod), /AccessDenied/);
  });

  for (const [service, arn, create] of [
    [
      's3',
      'arn:aws:s3:::reports',
      'aws s3api create-bucket --bucket=reports --create-bucket-configuration=LocationConstraint=eu-central-1',
    ],
    [
      'ecr',
      `arn:aws:ecr:eu-central-1:${owner}:repository/team/app`,
      'aws ecr create-repository --repository-name=team/app',
    ],
    ['sns', `arn:aws:sns:eu-central-1:${owner}:news`, 'aws sns create-topic --name=news'],
    ['kms', undefined, 'aws kms create-key --query=KeyMetadata.Arn --output=text'],
    [
      'secretsmanager',
      undefined,
      'aws secretsmanager create-secret --name=db --secret-string=x --query=ARN --output=text',
    ],
  ] as const) {
    test(`the policy of a resource of ${service} is taken`, async () => {
      const created = (await paste(create, asRoot(owner))).trim();
      const resource = ['--resource', service, '--resource-arn', arn ?? created, '--resource-write'];
      const { stdout } = await runIam('-n', 'team-c', ...resource, '-o', 'aws-cli');
      const [ofRole, ofResource, ...rest] = partsByAccount(stdout);
      assert.ok(ofRole && ofResource && rest.length === 0);
      await paste(ofResource.commands, asRoot(owner));
    });
  }
});
