import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BindGrants, mostBindRoles } from '../../../src/cluster/state/bind-grants.ts';

const roleFor = (resources: readonly string[], resourceNames: readonly string[] = []) => ({
  rules: [{ apiGroups: ['carm-webhook.dev'], resources, verbs: ['bind'], resourceNames }],
});
const bindingOf = (name: string) => ({ roleRef: { name }, subjects: [{ kind: 'Group', name: 'x' }] });

test('only ClusterRoles that somebody has count, in whatever order they come', () => {
  const grants = new BindGrants();
  grants.addBinding(bindingOf('some'));
  grants.addRole('some', roleFor(['accounts'], ['a', 'b']));
  grants.addRole('nobodys', roleFor(['accounts', 'teams']));
  assert.deepEqual(grants.unbindable('account', ['a', 'b', 'c']), ['c']);
  assert.deepEqual(grants.unbindable('team', ['a']), ['a']);
  grants.addBinding(bindingOf('nobodys'));
  assert.deepEqual(grants.unbindable('account', ['a', 'b', 'c']), []);
  assert.ok(grants.isComplete);
});

test('what says nothing of RBAC is not the whole of a cluster, nor is a part', () => {
  const grants = new BindGrants();
  assert.ok(!grants.isComplete);
  grants.addRole('view', { rules: [] });
  assert.ok(grants.isComplete);
  grants.lack();
  assert.ok(!grants.isComplete);
});

test('so many are kept, and it is known that there were more', () => {
  const roles = new BindGrants();
  for (let index = 0; index < mostBindRoles; index++) roles.addRole(`r${index}`, roleFor(['accounts'], ['a']));
  assert.ok(roles.isComplete);
  roles.addRole('view', { rules: [] });
  assert.ok(roles.isComplete);
  roles.addRole('one-more', roleFor(['accounts'], ['a']));
  assert.ok(!roles.isComplete);
  const ids = new BindGrants();
  ids.addRole(
    'r',
    roleFor(
      ['accounts'],
      Array.from({ length: 200_001 }, (_, index) => `${index}`),
    ),
  );
  assert.ok(!ids.isComplete);
});
