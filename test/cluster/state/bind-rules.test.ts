import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readBindRules, readBoundRole } from '../../../src/cluster/state/bind-rules.ts';

const rule = { apiGroups: ['carm-webhook.dev'], resources: ['accounts'], verbs: ['bind'] };

describe('what a ClusterRole says of binding', () => {
  const every = (...kinds: readonly string[]) => [{ kinds, ids: undefined }];
  const rows: readonly (readonly [title: string, rules: unknown, read: readonly unknown[]])[] = [
    ['accounts', [rule], every('account')],
    ['some accounts', [{ ...rule, resourceNames: ['a', 'b'] }], [{ kinds: ['account'], ids: ['a', 'b'] }]],
    ['no names are all names', [{ ...rule, resourceNames: [] }], every('account')],
    ['a name that is none is not every name', [{ ...rule, resourceNames: [7] }], [{ kinds: ['account'], ids: [] }]],
    ['both', [{ ...rule, resources: ['teams', 'accounts'] }], every('account', 'team')],
    ['all resources of our group, all verbs', [{ ...rule, resources: ['*'], verbs: ['*'] }], every('account', 'team')],
    ['two rules', [rule, { ...rule, resources: ['teams'] }], [...every('account'), ...every('team')]],
    ['our group among others', [{ ...rule, apiGroups: ['', 'carm-webhook.dev'] }], every('account')],
    ['every group', [{ ...rule, apiGroups: ['*'] }], []],
    ['another group', [{ ...rule, apiGroups: ['carm-webhook.dev.example'] }], []],
    ['another verb', [{ ...rule, verbs: ['get', 'Bind', 'b*'] }], []],
    ['another resource', [{ ...rule, resources: ['account', 'accounts/status', '*/accounts'] }], []],
    ['no rules', undefined, []],
    ['rules of another shape', ['x', null, { ...rule, verbs: 'bind' }, { ...rule, apiGroups: { 0: 'carm' } }], []],
  ];
  for (const [title, rules, read] of rows) test(title, () => assert.deepEqual(readBindRules({ rules }), read));
});

test('a ClusterRole is given to somebody by a binding with subjects', () => {
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'binder' };
  assert.equal(readBoundRole({ roleRef, subjects: [{ kind: 'Group', name: 'platform' }] }), 'binder');
  for (const subjects of [[], undefined, 'all']) assert.equal(readBoundRole({ roleRef, subjects }), undefined);
  for (const other of [undefined, 'binder', { name: 7 }]) {
    assert.equal(readBoundRole({ roleRef: other, subjects: [{}] }), undefined);
  }
});
