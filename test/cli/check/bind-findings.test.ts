import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Finding } from '../../../src/cli/check/finding.ts';
import { runCommand } from '../command-runs.ts';
import { startTinyApiServer, type TinyObject } from '../tiny-api-server.ts';

const rbac = 'rbac.authorization.k8s.io/v1';
const [first, second] = ['111122223333', '444455556666'];

function mapOf(name: string, keys: readonly string[]): TinyObject {
  const data = Object.fromEntries(keys.map(key => [key, `arn:aws:iam::${key.replace(/\D/g, '')}:role/r`]));
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'ack-system' }, data };
}

function granted(
  name: string,
  apiGroups: readonly string[],
  ...resourceNames: readonly string[]
): readonly TinyObject[] {
  const rules = [{ apiGroups, resources: ['accounts'], verbs: ['bind'], resourceNames }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
  return [
    { apiVersion: rbac, kind: 'ClusterRole', metadata: { name }, rules },
    { apiVersion: rbac, kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects: [{ kind: 'Group', name }] },
  ];
}

const map = mapOf('ack-role-account-map', [first, `pods.${first}`, `s3.${second}`]);
const admins = granted('cluster-admin', ['*']);

async function check(
  t: TestContext,
  objects: readonly TinyObject[],
  forbidden: readonly string[] = [],
  ...flags: string[]
) {
  const api = await startTinyApiServer(t, objects);
  for (const path of forbidden) api.forbidden.add(path);
  const { stdout, stderr } = await runCommand([
    'check',
    '-o',
    'json',
    '--kubeconfig',
    api.kubeconfig,
    '--authorize-bindings',
    ...flags,
  ]);
  const findings: readonly Finding[] = JSON.parse(stdout).findings;
  const found = findings.filter(({ reason }) => reason === 'NobodyMayBind');
  const asksRbac = api.requests.some(path => path.includes('clusterrole'));
  // There is no webhook in this cluster.
  const told = stderr.replace(/^not checked: the installation of carm-webhook, .*\n/m, '');
  return { messages: found.map(({ message }) => message), found, stderr: told, asksRbac };
}

const nobody = (ids: string, resource = 'accounts') =>
  `nobody except cluster admins may bind ${ids}: no ClusterRoleBinding grants the verb bind on ${resource}.carm-webhook.dev for them`;

describe('what check finds of who may bind', () => {
  test('each account once, however many keys it has; a rule for every group is not meant for it', async t => {
    const { found, messages, stderr } = await check(t, [map, ...admins]);
    assert.deepEqual(messages, [nobody(`"${first}", "${second}"`)]);
    assert.deepEqual(found[0]?.object, { kind: 'ConfigMap', namespace: 'ack-system', name: 'ack-role-account-map' });
    assert.match(found[0]?.fix ?? '', /^Grant the verb bind on accounts\.carm-webhook\.dev /);
    assert.equal(stderr, '');
  });

  test('what somebody may bind is none, by name or with every other', async t => {
    const objects = [map, ...admins];
    const one = await check(t, [...objects, ...granted('binders', ['carm-webhook.dev'], second)]);
    assert.deepEqual(one.messages, [nobody(`"${first}"`)]);
    const all = await check(t, [...objects, ...granted('binders', ['carm-webhook.dev'])]);
    assert.deepEqual(all.messages, []);
    const [unbound] = granted('binders', ['carm-webhook.dev']);
    const none = await check(t, [...objects, ...(unbound === undefined ? [] : [unbound])]);
    assert.deepEqual(none.messages, [nobody(`"${first}", "${second}"`)]);
  });

  test('teams too, where they bind', async t => {
    const teams = mapOf('ack-role-team-map', ['red', 'blue']);
    const objects = [teams, ...admins];
    assert.deepEqual((await check(t, objects)).messages, []);
    const gated = await check(t, objects, [], '--feature-gates=TeamLevelCARM=true');
    assert.deepEqual(gated.messages, [nobody('"red", "blue"', 'teams')]);
  });

  test('nothing is asked of RBAC where the webhook asks nothing of it', async t => {
    const { messages, asksRbac, stderr } = await check(t, [map, ...admins], [], '--authorize-bindings=false');
    assert.deepEqual(messages, []);
    assert.equal(asksRbac, false);
    assert.equal(stderr, '');
  });

  for (const resource of ['clusterroles', 'clusterrolebindings']) {
    test(`who may not read the ${resource} is told so, and nothing is claimed`, async t => {
      const objects = [map, ...admins];
      const { messages, stderr } = await check(t, objects, [`/apis/${rbac}/${resource}`]);
      assert.deepEqual(messages, []);
      assert.match(
        stderr,
        new RegExp(
          `^not checked: cannot read the ${resource}: .*you need the right to list ${resource}\\)\nnot checked: who may bind: not all .* were read\n$`,
        ),
      );
    });
  }
});
