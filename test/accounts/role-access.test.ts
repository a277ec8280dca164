import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ExternalIdTemplate } from '../../src/accounts/external-id.ts';
import type { PodRole } from '../../src/accounts/pod-role.ts';
import { type RoleAccessDefaults, resolveRoleAccess } from '../../src/accounts/role-access.ts';
import { parseRoleArn, type RoleArn } from '../../src/accounts/role-arn.ts';
import type { NamespaceAnnotation, ServiceAccountAnnotation } from '../../src/objects/keys.ts';

function roleOf(text: string): RoleArn {
  const role = parseRoleArn(text);
  if (role === undefined) throw new Error(`not a role: ${text}`);
  return role;
}

const role = roleOf('arn:aws:iam::111122223333:role/workloads');
const [flagHub, namespaceHub, ownHub] = ['flag', 'namespace', 'own'].map(name =>
  roleOf(`arn:aws:iam::999988887777:role/${name}`),
) as [RoleArn, RoleArn, RoleArn];
const podRole: PodRole = {
  role,
  accountId: role.accountId,
  partition: 'aws',
  source: { kind: 'map', map: 'account', key: '111122223333' },
};
const defaults: RoleAccessDefaults = {
  credentials: 'web-identity',
  hubRoleArn: flagHub,
  externalId: ExternalIdTemplate.parse('{namespace}.{serviceAccount}'),
  sourceAccounts: new Set(['999988887777']),
};
type Said = Readonly<Partial<Record<'credentials' | 'hub-role-arn' | 'external-id', string>>>;

function accessOf(ofNamespace: Said, ofServiceAccount: Said, flags: Partial<RoleAccessDefaults> = {}) {
  const annotations = <K extends string>(said: Said) =>
    new Map(Object.entries(said).map(([key, value]) => [`carm-webhook.dev/${key}` as K, value]));
  const namespace = { name: 'shop', labels: new Map(), annotations: annotations<NamespaceAnnotation>(ofNamespace) };
  const serviceAccount = { labels: new Map(), annotations: annotations<ServiceAccountAnnotation>(ofServiceAccount) };
  return resolveRoleAccess(
    podRole,
    { namespace, serviceAccount, serviceAccountName: 'web' },
    { ...defaults, ...flags },
  );
}

describe('the mode', () => {
  const modes = [undefined, '', 'web-identity', 'chain'] as const;
  for (const flag of ['web-identity', 'chain'] as const) {
    for (const ofNamespace of modes) {
      for (const own of modes) {
        const expected = own || ofNamespace || flag;
        test(`${own} on the ServiceAccount, ${ofNamespace} on the namespace, ${flag} by flag: ${expected}`, () => {
          const said = (mode: string | undefined) => (mode === undefined ? {} : { credentials: mode });
          const access = accessOf(said(ofNamespace), said(own), { credentials: flag });
          assert.equal(access.ok && access.value.mode, expected);
          assert.equal(access.ok && access.value.role, role);
        });
      }
    }
  }

  for (const value of ['Chain', 'chain ', 'irsa', '__proto__', 'chain\nweb-identity']) {
    test(`${JSON.stringify(value)} is none`, () => {
      for (const access of [accessOf({ credentials: value }, {}), accessOf({}, { credentials: value })]) {
        assert.equal(access.ok, false);
        assert.equal(!access.ok && access.problem.reason, 'InvalidAnnotation');
      }
    });
  }

  test('of the namespace does not matter where the ServiceAccount has one', () => {
    assert.equal(accessOf({ credentials: 'irsa' }, { credentials: 'chain' }).ok, true);
  });
});

describe('hub role and external id', () => {
  const chain = { credentials: 'chain' };
  const of = (ofNamespace: Said, own: Said = {}, flags: Partial<RoleAccessDefaults> = {}) =>
    accessOf({ ...chain, ...ofNamespace }, own, flags);

  test('of the ServiceAccount, else of the namespace, else of the flags, each on its own', () => {
    const ofNamespace = { 'hub-role-arn': namespaceHub.text, 'external-id': 'of-namespace' };
    const own = { 'hub-role-arn': ownHub.text, 'external-id': '{account}' };
    for (const [access, hub, externalId] of [
      [of({}), flagHub, 'shop.web'],
      [of(ofNamespace), namespaceHub, 'of-namespace'],
      [of(ofNamespace, own), ownHub, '111122223333'],
      [of({}, { 'external-id': '{account}' }), flagHub, '111122223333'],
      [of(ofNamespace, { 'hub-role-arn': '', 'external-id': '' }), namespaceHub, 'of-namespace'],
      [of({}, {}, { hubRoleArn: undefined, externalId: undefined }), undefined, undefined],
    ] as const) {
      assert.deepEqual(access, { ok: true, value: { mode: 'chain', hub, role, externalId } });
    }
  });

  test('are not read in mode web-identity', () => {
    const access = accessOf({ 'hub-role-arn': 'x', 'external-id': 'a b' }, {});
    assert.deepEqual(access, { ok: true, value: { mode: 'web-identity', role } });
  });

  for (const [what, said, reason] of [
    ['no role', { 'hub-role-arn': 'hub' }, 'InvalidRoleArn'],
    ['a role with a space behind it', { 'hub-role-arn': `${ownHub.text} ` }, 'InvalidRoleArn'],
    [
      "a role in the namespace's account",
      { 'hub-role-arn': 'arn:aws:iam::111122223333:role/hub' },
      'RoleOutsideAccount',
    ],
    ['a role in another partition', { 'hub-role-arn': 'arn:aws-cn:iam::999988887777:role/hub' }, 'RoleOutsideAccount'],
    ['an external id with a space', { 'external-id': 'a b' }, 'InvalidAnnotation'],
    ['an external id with a line', { 'external-id': 'ab\n[profile x]' }, 'InvalidAnnotation'],
    ['an external id of one character', { 'external-id': 'a' }, 'InvalidAnnotation'],
  ] as const) {
    test(`${what} is denied, wherever it stands`, () => {
      for (const access of [of(said), of({}, said)]) assert.equal(!access.ok && access.problem.reason, reason);
    });
  }

  test('the role itself is no hub role, whatever its path and case', () => {
    for (const text of [role.text, 'arn:aws:iam::111122223333:role/team/Workloads']) {
      const access = of({ 'hub-role-arn': text }, {}, { sourceAccounts: new Set(['111122223333']) });
      assert.equal(!access.ok && access.problem.reason, 'CredentialConflict');
    }
  });
});
