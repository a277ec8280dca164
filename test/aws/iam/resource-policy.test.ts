import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseResourceArn, type ResourceService, resourceServices } from '../../../src/aws/iam/resource-arn.ts';
import { planResource, resourceDoubts, resourcePolicy } from '../../../src/aws/iam/resource-policy.ts';
import { grammarErrors } from './policy-grammar.ts';
import { type AnyPolicy, allows } from './policy-judge.ts';
import { roleOf } from './role-of.ts';

const owner = '999988887777';
const arns: Readonly<Record<ResourceService, string>> = {
  s3: 'arn:aws:s3:::reports',
  ecr: `arn:aws:ecr:eu-central-1:${owner}:repository/team/app`,
  kms: `arn:aws:kms:eu-central-1:${owner}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
  sqs: `arn:aws:sqs:eu-central-1:${owner}:jobs.fifo`,
  sns: `arn:aws:sns:eu-central-1:${owner}:news`,
  secretsmanager: `arn:aws:secretsmanager:eu-central-1:${owner}:secret:db/password-AbCdEf`,
};
const roles = [roleOf('222222222222/app'), roleOf('333333333333/team/app')];

function resourceOf(service: ResourceService) {
  const resource = parseResourceArn(service, arns[service]);
  assert.ok(resource, service);
  return resource;
}

/** One that reads, one that writes; and of the resource, in the policy of who calls. */
const samples: Readonly<Record<ResourceService, { read: string; write: string; on: string }>> = {
  s3: { read: 's3:GetObject', write: 's3:PutObject', on: 'arn:aws:s3:::reports/2026/may.csv' },
  ecr: { read: 'ecr:BatchGetImage', write: 'ecr:PutImage', on: arns.ecr },
  kms: { read: 'kms:Decrypt', write: 'kms:GenerateDataKey', on: arns.kms },
  sqs: { read: 'sqs:ReceiveMessage', write: 'sqs:SendMessage', on: arns.sqs },
  sns: { read: 'sns:Subscribe', write: 'sns:Publish', on: arns.sns },
  secretsmanager: {
    read: 'secretsmanager:GetSecretValue',
    write: 'secretsmanager:PutSecretValue',
    on: arns.secretsmanager,
  },
};

for (const service of resourceServices) {
  describe(`a resource of ${service}`, () => {
    const { read, write, on } = samples[service];

    for (const mayWrite of [false, true]) {
      test(`both sides let exactly the roles ${mayWrite ? 'read and write' : 'read'}`, () => {
        const steps = planResource(roles, { resource: resourceOf(service), write: mayWrite, existing: undefined });
        const ofCallers = steps.flatMap(step => (step.kind === 'role-policy' ? [step] : []));
        assert.deepEqual(
          ofCallers.map(({ role }) => role.text),
          roles.map(({ text }) => text),
        );
        const [ofResource] = steps.flatMap(step => (step.kind === 'resource-policy' ? [step.policy] : []));
        assert.deepEqual(grammarErrors(ofResource, 'resource'), []);
        for (const { policy } of ofCallers) {
          assert.deepEqual(grammarErrors(policy, 'permission'), []);
          assert.equal(allows(policy, { action: read, resource: on }), true);
          assert.equal(allows(policy, { action: write, resource: on }), mayWrite);
          assert.equal(
            allows(policy, {
              action: read,
              resource: on.replace('reports', 'reports-evil').replace(owner, '111111111111'),
            }),
            false,
          );
        }
        const may = (action: string, id: string) =>
          allows(ofResource as AnyPolicy, { action, principal: { type: 'AWS', id } });
        for (const { text } of roles) {
          assert.equal(may(read, text), true);
          assert.equal(may(write, text), mayWrite);
        }
        assert.equal(may(read, roleOf('222222222222/app-evil').text), false);
        assert.equal(may(read, 'arn:aws:iam::222222222222:root'), false);
      });
    }

    test('statements that the resource has are kept, and earlier ones of ours are replaced', () => {
      const theirs = { Sid: 'Theirs', Effect: 'Deny', Principal: '*', Action: `${service}:*`, Resource: '*' };
      const [, second] = roles;
      assert.ok(second);
      const before = resourcePolicy(resourceOf(service), [second], true, { Version: '2008-10-17', Statement: theirs });
      const after = resourcePolicy(resourceOf(service), roles, false, { ...before });
      assert.deepEqual(after.Statement[0], theirs);
      assert.equal(after.Statement.length, before.Statement.length);
      assert.equal(
        allows(
          { Statement: after.Statement.slice(1) as AnyPolicy['Statement'] },
          { action: write, principal: { type: 'AWS', id: second.text } },
        ),
        false,
      );
    });
  });
}

test('a key that has no policy yet stays in the hands of its account', () => {
  const policy = resourcePolicy(resourceOf('kms'), roles, false, undefined) as unknown as AnyPolicy;
  assert.ok(allows(policy, { action: 'kms:*', principal: { type: 'AWS', id: `arn:aws:iam::${owner}:root` } }));
});

test('what is wrong or left to do is said', () => {
  const doubts = resourceDoubts(roles, { resource: resourceOf('secretsmanager'), write: false, existing: undefined });
  assert.match(
    doubts.join('\n'),
    /^this policy replaces .*--resource-policy FILE\n.*only if a customer managed KMS key/,
  );
  assert.deepEqual(resourceDoubts(roles, { resource: resourceOf('sqs'), write: false, existing: {} }), []);
});

for (const [service, arn] of [
  ['s3', 'arn:aws:s3:::reports/*'],
  ['s3', 'arn:aws:s3:::*'],
  ['s3', "arn:aws:s3:::repo'rts"],
  ['s3', 'arn:other:s3:::reports'],
  ['sqs', arns.sns],
  ['sqs', `arn:aws:sqs:eu-central-1:${owner}:*`],
  ['sqs', 'arn:aws:sqs:eu-central-1:12345:jobs'],
  ['sns', `arn:aws:sns:*:${owner}:news`],
  ['kms', `arn:aws:kms:eu-central-1:${owner}:alias/x`],
  ['kms', `arn:aws:kms:eu-central-1:${owner}:key/*`],
  ['ecr', `arn:aws:ecr:eu-central-1:${owner}:repository/a"b`],
  ['secretsmanager', `arn:aws:secretsmanager:eu-central-1:${owner}:secret:a"b`],
  ['secretsmanager', `arn:aws:secretsmanager:eu-central-1:${owner}:secret:${'a'.repeat(1024)}`],
] as const) {
  test(`not one resource of ${service}: ${arn.slice(0, 70)}`, () =>
    assert.equal(parseResourceArn(service, arn), undefined));
}
