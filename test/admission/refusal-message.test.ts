import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { partitions } from '../../src/accounts/partition.ts';
import { parseRoleArn } from '../../src/accounts/role-arn.ts';
import { refusalMessage } from '../../src/admission/message.ts';
import { quote } from '../../src/admission/quote.ts';
import type { Circumstances } from '../../src/admission/refusal.ts';
import { type RoleProblem, roleRefusals } from '../../src/admission/role-refusals.ts';
import type { Container } from '../../src/injection/pod.ts';

/** Every refusal in words, with whatever users may write in it. */

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    '\n',
    '\u001b[31m',
    '"; reboot',
    '$(reboot)',
    "'`",
    '\u2028',
    '\ud800',
    'x'.repeat(100_000),
    '; you can: pay',
  ),
);
const accountId = fc.stringMatching(/^[0-9]{12}$/);
const teamId = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9_-]{1,10}$/),
  fc.constantFrom('t'.repeat(253), '-n', '__proto__'),
);
const roleArn = fc
  .record({ partition: fc.constantFrom(...partitions), accountId, name: fc.constantFrom('a', `${'p/'.repeat(256)}a`) })
  .map(({ partition, accountId: id, name }) => {
    const role = parseRoleArn(`arn:${partition}:iam::${id}:role/${name}`);
    if (role === undefined) throw new Error('not a role');
    return role;
  });
const container: fc.Arbitrary<Container> = fc.record({
  kind: fc.constantFrom('container', 'init container', 'ephemeral container'),
  name: hostile,
  path: fc.constant('/spec/containers/0'),
  env: fc.constant(undefined),
  hasEnvFrom: fc.boolean(),
  mounts: fc.constant(undefined),
});
const mount = fc.record({ name: hostile, mountPath: hostile, partial: fc.boolean() });
const annotation = fc.constantFrom('carm-webhook.dev/role', 'eks.amazonaws.com/role-arn');
const accountKey = fc.oneof(
  accountId,
  accountId.map(id => `pods.${id}`),
);
const teamKey = fc.oneof(
  teamId.map(id => `pods.${id}`),
  teamId,
);
const key = fc.oneof(accountKey, teamKey);

type Cases = Readonly<Record<RoleProblem['reason'], fc.Arbitrary<RoleProblem>>>;

const bare = (reason: 'NamespaceNotFound' | 'ServiceAccountNotFound' | 'AccountMapMissing' | 'TeamMapMissing') =>
  fc.constant({ reason });
const withKeys = (reason: 'AccountNotMapped' | 'TeamNotMapped', keys: fc.Arbitrary<string>) =>
  fc.record({ reason: fc.constant(reason), keys: fc.array(keys, { minLength: 1, maxLength: 2 }) });

const cases: Cases = {
  NamespaceNotFound: bare('NamespaceNotFound'),
  NamespaceNotBound: fc.record({
    reason: fc.constant('NamespaceNotBound'),
    of: fc.constantFrom('pod', 'resource'),
  }),
  ServiceAccountNotFound: bare('ServiceAccountNotFound'),
  InvalidAccountId: fc.record({ reason: fc.constant('InvalidAccountId'), value: hostile }),
  InvalidTeamId: fc.record({ reason: fc.constant('InvalidTeamId'), value: hostile }),
  AccountMapMissing: bare('AccountMapMissing'),
  TeamMapMissing: bare('TeamMapMissing'),
  AccountNotMapped: withKeys('AccountNotMapped', accountKey),
  TeamNotMapped: withKeys('TeamNotMapped', teamKey),
  InvalidRoleArn: fc.oneof(
    fc.record({ reason: fc.constant('InvalidRoleArn'), value: hostile, at: fc.record({ annotation }) }),
    fc.record({
      reason: fc.constant('InvalidRoleArn'),
      value: hostile,
      at: fc.record({ map: fc.constantFrom('account', 'team'), key }),
    }),
  ),
  AccountMismatch: fc
    .tuple(key, roleArn, roleArn)
    .map(([name, role, other]) => ({ reason: 'AccountMismatch', key: name, role, accountId: other.accountId })),
  RoleOutsideAccount: fc
    .tuple(
      fc.oneof(
        hostile,
        roleArn.map(({ text }) => text),
      ),
      roleArn,
      fc.oneof(fc.record({ annotation }), fc.record({ container })),
    )
    .map(
      ([value, role, at]) =>
        ({ reason: 'RoleOutsideAccount', value, accountId: role.accountId, at }) as Extract<
          RoleProblem,
          { reason: 'RoleOutsideAccount' }
        >,
    ),
  RoleNotVerifiable: fc.record({
    reason: fc.constant('RoleNotVerifiable'),
    value: fc.option(hostile, { nil: undefined }),
    container,
  }),
  VolumeConflict: fc.oneof(
    fc.record({ reason: fc.constant('VolumeConflict'), audience: hostile }),
    fc.record({ reason: fc.constant('VolumeConflict'), container, mount }),
  ),
};

const circumstances: fc.Arbitrary<Circumstances> = fc
  .record({
    namespace: hostile,
    serviceAccountName: hostile,
    binding: fc.option(
      fc.oneof(
        accountId.map(id => ({ kind: 'account', id })),
        teamId.map(id => ({ kind: 'team', id })),
      ),
      {
        nil: undefined,
      },
    ),
    ackSystemNamespace: fc.constantFrom('ack-system', 'n'.repeat(63)),
    roleArnAnnotation: fc.option(
      fc.oneof(
        hostile,
        roleArn.map(({ text }) => text),
      ),
      { nil: undefined },
    ),
  })
  .map(at => at as Circumstances);

/** The whole of every command that we give to paste: a truncated one would do something else. */
const commands: readonly RegExp[] = [
  /^kubectl create namespace [\w.:/@+,-]+$/,
  /^kubectl create serviceaccount [\w.:/@+,-]+ --namespace [\w.:/@+,-]+$/,
  /^kubectl annotate (?:--overwrite )?namespace [\w.:/@+,-]+ services\.k8s\.aws\/(?:owner-account-id=ACCOUNT_ID|team-id=TEAM_ID)$/,
  /^kubectl create configmap ack-role-(?:account|team)-map --namespace [a-z0-9-]+ --from-literal=[\w.-]+=ROLE_ARN$/,
  /^kubectl patch configmap ack-role-(?:account|team)-map --namespace [a-z0-9-]+ --type merge --patch '\{"data":\{"[\w.-]+":"ROLE_ARN"\}\}'$/,
];

describe('a refusal', () => {
  for (const reason of Object.keys(roleRefusals) as (keyof typeof roleRefusals)[]) {
    test(`${reason}: one line of at most 1 KiB, with cause, mender, reason and support, whatever users wrote`, () => {
      const problems: fc.Arbitrary<RoleProblem> = cases[reason];
      const support = fc.option(fc.constantFrom('Ask in #platform.', 'S'.repeat(256)), { nil: undefined });
      fc.assert(
        fc.property(problems, circumstances, hostile, support, (problem, at, name, supportMessage) => {
          const subject = `Pod ${quote(name)} in namespace ${quote(at.namespace)}`;
          const message = refusalMessage(subject, problem, at, supportMessage);
          assert.match(message, /^[\x20-\x7e]*$/);
          assert.ok(message.length <= 1024, `${message.length} bytes`);
          assert.ok(message.startsWith(`${subject}: `));
          assert.ok(message.endsWith(` (${reason})${supportMessage === undefined ? '' : ` ${supportMessage}`}`));
          assert.match(message, /; (?:you can|your platform team must): /);
        }),
        { numRuns: 300 },
      );
    });

    test(`${reason}: a command to paste is whole, and never holds an unvalidated value`, () => {
      const problems: fc.Arbitrary<RoleProblem> = cases[reason];
      fc.assert(
        fc.property(problems, circumstances, fc.boolean(), (problem, at, long) => {
          const subject = long ? `Pod "${'w'.repeat(62)}" in namespace ${quote(at.namespace)}` : 'Pod "web"';
          const message = refusalMessage(subject, problem, at, long ? 'S'.repeat(256) : undefined);
          // Quoted values may hold anything, also the word kubectl.
          const remedy = message.split(/; (?:you can|your platform team must): /).at(-1) ?? '';
          const command = /: (kubectl .*?) \([A-Z]\w+\)/.exec(remedy)?.[1];
          if (command === undefined) return;
          assert.ok(
            commands.some(form => form.test(command)),
            command,
          );
        }),
        { numRuns: 500 },
      );
    });
  }

  test('by a non-ASCII support message still has at most 1,024 bytes', () => {
    const at: Circumstances = {
      namespace: 'shop',
      serviceAccountName: 'default',
      binding: undefined,
      ackSystemNamespace: 'ack-system',
      roleArnAnnotation: undefined,
    };
    const message = refusalMessage('Pod "web"', { reason: 'NamespaceNotBound', of: 'pod' }, at, '漢'.repeat(256));
    assert.ok(Buffer.byteLength(message) <= 1024);
    assert.ok(message.includes('(NamespaceNotBound)'));
  });
});
