import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Binding } from '../../../src/accounts/binding.ts';
import { externalIdForm } from '../../../src/accounts/external-id.ts';
import { partitions } from '../../../src/accounts/partition.ts';
import type { ResourcePlace } from '../../../src/accounts/resource-place.ts';
import { parseRoleArn } from '../../../src/accounts/role-arn.ts';
import { selectorInvalidBecause } from '../../../src/accounts/role-selector.ts';
import type { MessageContext } from '../../../src/admission/catalogue/denial.ts';
import { denials, type Problem } from '../../../src/admission/catalogue/denials.ts';
import { denialMessage } from '../../../src/admission/catalogue/message.ts';
import { targetMetadataPath } from '../../../src/admission/resources/adopted-target.ts';
import { findCrossNamespaceReferences } from '../../../src/admission/resources/references.ts';
import { annotationForms } from '../../../src/admission/resources/resource-annotations.ts';
import { AwsVariables } from '../../../src/objects/aws-variables.ts';
import { quoteField } from '../../../src/objects/field-path.ts';
import { type Measured, sizeLimits } from '../../../src/objects/object-size.ts';
import type { Container } from '../../../src/objects/pod.ts';
import { quote } from '../../../src/objects/quote.ts';
import type { RoleMapKind } from '../../../src/objects/role-map.ts';
import type { RoleSelector } from '../../../src/objects/role-selector.ts';
import { anyCharacter } from '../../any-character.ts';

/** Every denial in words, with whatever users may write in it. */

const hostile = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 300 }),
  fc.constantFrom(
    '\n',
    '\u001b[31m',
    '"; reboot',
    '$(reboot)',
    "'`",
    '\u2028',
    '\ud800',
    'x'.repeat(100_000),
    '. To fix this, pay',
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
  hasEnv: fc.constant(false),
  awsVariables: fc.constant(AwsVariables.none),
  hasEnvFrom: fc.boolean(),
  mounts: fc.constant(undefined),
});
/** Where ACK would look for a resource. */
const place = fc.oneof(
  roleArn.map((role): ResourcePlace => ({ kind: 'account', accountId: role.accountId })),
  fc
    .record({ ofTeam: fc.boolean(), account: roleArn, team: teamId, byStatus: fc.boolean() })
    .map(({ ofTeam, account, team, byStatus }): ResourcePlace => {
      const binding = ofTeam ? { kind: 'team', id: team } : { kind: 'account', id: account.accountId };
      return { kind: 'unmapped', binding: binding as Binding, alias: 's3', byStatus };
    }),
  fc.constantFrom<ResourcePlace>({ kind: 'invalid' }, { kind: 'unselected' }),
  fc
    .array(hostile, { minLength: 2, maxLength: 9 })
    .map((selectors): ResourcePlace => ({ kind: 'conflict', selectors })),
);
const mount = fc.record({ name: hostile, mountPath: hostile, hasSubPath: fc.boolean(), readOnly: fc.boolean() });
const variable = fc.constantFrom('AWS_ROLE_ARN', 'aws_role_arn', 'Aws_Role_Arn');
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

const map = fc.constantFrom<RoleMapKind>('account', 'team');
const names = fc.array(hostile, { minLength: 1, maxLength: 30 });
/** With hostile text wherever a selector has text. */
const selectorParts: fc.Arbitrary<RoleSelector> = fc.record({
  name: hostile,
  arn: fc.oneof(hostile, fc.constant('arn:aws:iam::111111111111:role/r')),
  namespaceNames: fc.array(hostile, { maxLength: 2 }),
  namespaceLabels: fc.tuple(hostile, hostile).map(entry => new Map([entry])),
  resourceTypes: fc.array(fc.record({ group: hostile, version: hostile, kind: hostile }), { maxLength: 2 }),
  resourceLabels: fc.tuple(hostile, hostile).map(entry => new Map([entry])),
});

type Cases = Readonly<Record<Problem['reason'], fc.Arbitrary<Problem>>>;

const bare = (reason: 'NamespaceNotFound' | 'ServiceAccountNotFound' | 'AccountMapMissing' | 'TeamMapMissing') =>
  fc.constant({ reason });
const withKeys = (reason: 'AccountNotMapped' | 'TeamNotMapped', keys: fc.Arbitrary<string>) =>
  fc.record({ reason: fc.constant(reason), keys: fc.array(keys, { minLength: 1, maxLength: 2 }) });

/** Ids as people get them wrong, besides all else. */
const nearlyId = fc.oneof(
  accountId.map(id => `${id}\n`),
  accountId.map(id => id.slice(1)),
  accountId.map(id => `${id.slice(0, 4)}-${id.slice(4, 8)}-${id.slice(8)}`),
  teamId.map(id => ` ${id}`),
  roleArn.map(({ text }) => text),
  fc.constantFrom('1.11122223333e+11', 'payments', '$(reboot)111122223333'),
);

/** In a binding, or as the key of a map. */
const badId = (reason: 'InvalidAccountId' | 'InvalidTeamId') =>
  fc.oneof(
    fc.record({ reason: fc.constant(reason), value: fc.oneof(hostile, nearlyId) }),
    fc.record({ reason: fc.constant(reason), value: hostile, map }),
  );
const mapped: fc.Arbitrary<Problem> = fc
  .tuple(key, roleArn, roleArn)
  .map(([name, role, other]) => ({ reason: 'AccountMismatch', key: name, role, accountId: other.accountId }));
/** In the object's own metadata, or in that of a target. */
const within = fc.constantFrom(undefined, targetMetadataPath);

const owned: fc.Arbitrary<Problem> = fc
  .tuple(hostile, roleArn, fc.boolean(), within)
  .map(([value, role, isBound, at]) => ({
    reason: 'AccountMismatch',
    value,
    ownerOf: isBound ? role.accountId : undefined,
    within: at,
  }));

/** Where a setting of chain mode stands. */
const setting = fc.oneof(
  fc.record({
    on: fc.constantFrom('ServiceAccount', 'namespace'),
    annotation: fc.constantFrom(
      'carm-webhook.dev/credentials',
      'carm-webhook.dev/hub-role-arn',
      'carm-webhook.dev/external-id',
    ),
  }),
  fc.record({ on: fc.constant('flag'), flag: fc.constantFrom('--hub-role-arn', '--external-id') }),
);
const everyConflict = [
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_PROFILE',
  'AWS_DEFAULT_PROFILE',
  'AWS_CONFIG_FILE',
  'AWS_SDK_LOAD_CONFIG',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_ACCESS_KEY',
  'AWS_SECRET_KEY',
];

const grant = fc.oneof(
  fc.record({ resource: fc.constant('accounts'), id: fc.option(accountId, { nil: undefined }) }),
  fc.record({ resource: fc.constant('teams'), id: fc.option(teamId, { nil: undefined }) }),
);
const purpose = fc.constantFrom('bind', 'release', 'leave resources behind', 'opt out', 'weaken the mode');
const forbidden = fc
  .record({
    user: hostile,
    missing: fc.array(fc.tuple(grant, purpose), { minLength: 1, maxLength: 20 }),
    unsure: fc.boolean(),
  })
  .map(({ missing, ...rest }) => {
    const grants = missing.map(([each, to]) => ({ ...each, to }));
    return { reason: 'BindingForbidden', ...rest, missing: grants } as Problem;
  });
const someResources = fc.array(fc.record({ kind: hostile, namespace: hostile, name: hostile }), {
  minLength: 1,
  maxLength: 6,
});

const cases: Cases = {
  BindingForbidden: forbidden,
  NamespaceNotFound: bare('NamespaceNotFound'),
  NamespaceNotBound: fc.record({
    reason: fc.constant('NamespaceNotBound'),
    of: fc.constantFrom('pod', 'resource'),
    teamId: fc.option(hostile, { nil: undefined }),
    byFlag: fc.boolean(),
  }),
  ServiceAccountNotFound: bare('ServiceAccountNotFound'),
  InvalidAccountId: badId('InvalidAccountId'),
  InvalidTeamId: badId('InvalidTeamId'),
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
    fc.record({ reason: fc.constant('InvalidRoleArn'), value: hostile, at: setting }),
  ),
  AccountMismatch: fc.oneof(mapped, owned),
  RoleOutsideAccount: fc.oneof(
    fc.record({ reason: fc.constant('RoleOutsideAccount'), hub: roleArn, role: roleArn, at: setting }),
    fc
      .tuple(
        fc.oneof(
          hostile,
          roleArn.map(({ text }) => text),
        ),
        roleArn,
        fc.oneof(fc.record({ annotation }), fc.record({ container, variable })),
      )
      .map(
        ([value, role, at]) =>
          ({ reason: 'RoleOutsideAccount', value, accountId: role.accountId, at }) as Extract<
            Problem,
            { reason: 'RoleOutsideAccount' }
          >,
      ),
  ),
  ControllerRole: fc.record({
    reason: fc.constant('ControllerRole'),
    value: hostile,
    map,
    ackSystem: fc.constantFrom('ack-system', 'a'.repeat(63)),
    at: fc.oneof(fc.record({ annotation }), fc.record({ container }), fc.record({ hub: fc.constant(true) })),
  }),
  RoleNotVerifiable: fc.record({
    reason: fc.constant('RoleNotVerifiable'),
    value: fc.option(hostile, { nil: undefined }),
    container,
    variable,
  }),
  VolumeConflict: fc.oneof(
    fc.record({
      reason: fc.constant('VolumeConflict'),
      audience: hostile,
      mode: fc.constantFrom('web-identity', 'chain'),
    }),
    fc.constant({ reason: 'VolumeConflict', unused: true }),
    fc.record({ reason: fc.constant('VolumeConflict'), container, mount, where: fc.constantFrom('at', 'above') }),
  ),
  CredentialConflict: fc.oneof(
    fc.record({
      reason: fc.constant('CredentialConflict'),
      why: fc.constant('variables'),
      container,
      variables: fc.subarray(everyConflict, { minLength: 1 }),
    }),
    fc.record({ reason: fc.constant('CredentialConflict'), why: fc.constant('chain file'), container }),
    fc.record({
      reason: fc.constant('CredentialConflict'),
      why: fc.constant('hub role'),
      hub: roleArn,
      source: fc.constantFrom(
        { kind: 'map', map: 'account', key: '111111111111' },
        { kind: 'requested', annotation: 'carm-webhook.dev/role' },
      ),
    }),
  ),
  HubRoleMissing: fc.record({
    reason: fc.constant('HubRoleMissing'),
    containers: fc.array(hostile, { maxLength: 30 }),
  }),
  ObjectTooLarge: fc.record({
    reason: fc.constant('ObjectTooLarge'),
    what: fc.constantFrom(...(Object.keys(sizeLimits) as Measured[])),
    atLeast: fc.nat(),
  }),
  InvalidRegion: fc.record({
    reason: fc.constant('InvalidRegion'),
    value: hostile,
    from: fc.constantFrom('resource', 'namespace'),
    partition: fc.option(fc.constantFrom(...partitions), { nil: undefined }),
    within,
  }),
  RegionChange: fc.record({ reason: fc.constant('RegionChange'), value: hostile, region: hostile }),
  InvalidAnnotation: fc.oneof(
    fc.record({ reason: fc.constant('InvalidAnnotation'), of: fc.constant('adoption'), isEmpty: fc.boolean() }),
    fc.record({
      reason: fc.constant('InvalidAnnotation'),
      of: fc.constant('resource'),
      key: fc.constantFrom(...annotationForms.map(({ key: of }) => of)),
      value: hostile,
      allowed: fc.constantFrom(...annotationForms.map(({ allowed }) => allowed)),
      within,
    }),
    fc.record({
      reason: fc.constant('InvalidAnnotation'),
      of: fc.constant('pod'),
      value: hostile,
      allowed: fc.constant(externalIdForm),
      at: setting,
    }),
  ),
  ForgedAnnotation: fc.oneof(
    fc.record({ reason: fc.constant('ForgedAnnotation'), of: fc.constant('resource'), key: hostile, within }),
    fc.constant({ reason: 'ForgedAnnotation', of: 'pod', key: 'carm-webhook.dev/aws-config' }),
    fc.record({
      reason: fc.constant('ForgedAnnotation'),
      of: fc.constant('running pod'),
      change: fc.constantFrom('added', 'changed', 'emptied', 'removed', 'bound'),
    }),
  ),
  ForgedFinalizer: fc.record({ reason: fc.constant('ForgedFinalizer'), finalizer: hostile }),
  ForgedStatus: fc.record({
    reason: fc.constant('ForgedStatus'),
    field: fc.constantFrom('ownerAccountID', 'region', 'arn'),
  }),
  CrossNamespaceReference: fc.tuple(hostile, hostile).map(([field, namespace]) => {
    const [reference] = findCrossNamespaceReferences(
      { [field]: { from: { namespace: `x${namespace}` } } },
      'Bucket',
      'own',
    );
    if (reference === undefined) throw new Error('no reference');
    return { reason: 'CrossNamespaceReference', path: quoteField(reference.path), namespace: reference.namespace };
  }),
  RoleGrantNotAllowed: fc.oneof(
    fc.record({ reason: fc.constant('RoleGrantNotAllowed'), why: fc.constant('namespace'), namespace: hostile }),
    fc
      .record({
        field: fc.constantFrom('roleARN', 'targetRoleARN'),
        value: fc.oneof(
          hostile,
          roleArn.map(({ text }) => text),
        ),
        namespace: hostile,
        home: fc.option(roleArn, { nil: undefined }),
      })
      .map(
        ({ home, ...problem }) =>
          ({ reason: 'RoleGrantNotAllowed', why: 'account', ...problem, accountId: home?.accountId }) as Problem,
      ),
    fc.record({
      reason: fc.constant('RoleGrantNotAllowed'),
      why: fc.constant('controllers'),
      field: fc.constantFrom('roleARN', 'targetRoleARN'),
      value: roleArn.map(({ text }) => text),
      map,
      ackSystem: fc.constantFrom('ack-system', 'a'.repeat(63)),
    }),
  ),
  SelectorNotMatched: fc.constant({ reason: 'SelectorNotMatched' }),
  SelectorConflict: fc.record({
    reason: fc.constant('SelectorConflict'),
    selectors: names,
    of: fc.constantFrom('resource', 'selector'),
  }),
  RebindWithResources: fc.oneof(
    fc.record({ selector: hostile, owner: hostile, role: fc.option(roleArn, { nil: undefined }) }).map(
      ({ selector, owner, role }): Problem => ({
        reason: 'RebindWithResources',
        of: 'resource',
        selector,
        owner,
        accountId: role?.accountId,
      }),
    ),
    fc.record({
      reason: fc.constant('RebindWithResources'),
      of: fc.constant('namespace'),
      by: fc.constantFrom('binding', 'labels'),
      stranded: fc.array(fc.record({ resource: fc.record({ kind: hostile, name: hostile }), owner: hostile, place }), {
        minLength: 1,
        maxLength: 6,
      }),
      accountsToName: fc.array(fc.oneof(accountId, hostile), { minLength: 1, maxLength: 6 }),
    }),
  ),
  MappingInUse: fc.oneof(
    fc.record({ reason: fc.constant('MappingInUse'), map, key, namespaces: names }),
    fc.record({ reason: fc.constant('MappingInUse'), map, key, resources: someResources }),
  ),
  MapImmutable: fc.record({ reason: fc.constant('MapImmutable'), map }),
  InvalidSelector: selectorParts.map(parts => ({
    reason: 'InvalidSelector',
    why: selectorInvalidBecause(parts) ?? 'it is valid',
  })),
  SelectorInUse: fc.record({
    reason: fc.constant('SelectorInUse'),
    resources: someResources,
  }),
  InvalidLabel: fc.oneof(
    fc.record({ reason: fc.constant('InvalidLabel'), replacedBy: fc.option(hostile, { nil: undefined }) }),
    fc.record({
      reason: fc.constant('InvalidLabel'),
      label: fc.constantFrom('carm-webhook.dev/inject', 'carm-webhook.dev/mode'),
      value: hostile,
      allowed: fc.constant('enforce, warn or audit'),
    }),
  ),
  EndpointNotAllowed: fc.record({ reason: fc.constant('EndpointNotAllowed'), value: hostile }),
};

const contextOf: fc.Arbitrary<MessageContext> = fc
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
    teamLevelCarm: fc.boolean(),
    roleArnAnnotation: fc.option(
      fc.oneof(
        hostile,
        roleArn.map(({ text }) => text),
      ),
      { nil: undefined },
    ),
  })
  .map(at => at as MessageContext);

/** The whole of every command that we give to paste: a truncated one would do something else. */
const commands: readonly RegExp[] = [
  /^kubectl create namespace [\w.:/@+,-]+$/,
  /^kubectl create serviceaccount [\w.:/@+,-]+ --namespace [\w.:/@+,-]+$/,
  /^kubectl annotate (?:--overwrite )?namespace [\w.:/@+,-]+ services\.k8s\.aws\/(?:owner-account-id=(?:ACCOUNT_ID|[0-9]{12})|team-id=[A-Za-z0-9_-]+|default-region=REGION)$/,
  /^kubectl auth can-i --list \| grep carm-webhook\.dev$/,
  /^kubectl annotate namespace [\w.:/@+,-]+ carm-webhook\.dev\/hub-role-arn=HUB_ROLE_ARN$/,
  /^kubectl annotate --overwrite namespace [\w.:/@+,-]+ carm-webhook\.dev\/allow-rebind=[0-9]{12}(?:,[0-9]{12})*$/,
  /^kubectl create configmap ack-role-(?:account|team)-map --namespace [a-z0-9-]+ --from-literal=[\w.-]+=ROLE_ARN$/,
  /^kubectl patch configmap ack-role-(?:account|team)-map --namespace [a-z0-9-]+ --type merge --patch '\{"data":\{"[\w.-]+":"ROLE_ARN"\}\}'$/,
];

describe('a denial', () => {
  for (const reason of Object.keys(denials) as (keyof typeof denials)[]) {
    test(`${reason}: one line of at most 1 KiB, with cause, mender, reason and support, whatever users wrote`, () => {
      const problems: fc.Arbitrary<Problem> = cases[reason];
      const support = fc.option(fc.constantFrom('Ask in #platform.', 'S'.repeat(256)), { nil: undefined });
      fc.assert(
        fc.property(problems, contextOf, hostile, support, (problem, at, name, supportMessage) => {
          const subject = `Pod ${quote(name)} in namespace ${quote(at.namespace)}`;
          const message = denialMessage(subject, problem, at, supportMessage);
          assert.match(message, /^[\x20-\x7e]*$/);
          assert.ok(message.length <= 1024, `${message.length} bytes`);
          assert.ok(message.startsWith(`${subject}: `));
          assert.ok(message.endsWith(` (${reason})${supportMessage === undefined ? '' : ` ${supportMessage}`}`));
          assert.match(message, /\. (?:To fix this,|Ask your platform team to) /);
        }),
        { numRuns: 300 },
      );
    });

    test(`${reason}: a command to paste is whole, and never holds an unvalidated value`, () => {
      const problems: fc.Arbitrary<Problem> = cases[reason];
      fc.assert(
        fc.property(problems, contextOf, fc.boolean(), (problem, at, long) => {
          const subject = long ? `Pod "${'w'.repeat(62)}" in namespace ${quote(at.namespace)}` : 'Pod "web"';
          const message = denialMessage(subject, problem, at, long ? 'S'.repeat(256) : undefined);
          // Quoted values may hold anything, also the word kubectl.
          const remedy = message.split(/\. (?:To fix this,|Ask your platform team to) /).at(-1) ?? '';
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
    const at: MessageContext = {
      namespace: 'shop',
      serviceAccountName: 'default',
      binding: undefined,
      ackSystemNamespace: 'ack-system',
      teamLevelCarm: false,
      roleArnAnnotation: undefined,
    };
    const problem = { reason: 'NamespaceNotBound', of: 'pod', teamId: undefined, byFlag: false } as const;
    const message = denialMessage('Pod "web"', problem, at, '漢'.repeat(256));
    assert.ok(Buffer.byteLength(message) <= 1024);
    assert.ok(message.includes('(NamespaceNotBound)'));
  });
});
