import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubectlResult } from '../testbed/kubectl.ts';
import { pastTheWebhook } from './ack-crds.ts';
import { boundNamespace, namespace, roleMap, serviceAccount } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { mapPatch } from './patch-arguments.ts';
import { ServedPlane, warningsOf } from './served-plane.ts';

const a = '111122223333';
const b = '222233334444';
const unused = '333344445555';
const fresh = '444455556666';
const roleOf = (accountId: string, name = 'ack'): string => `arn:aws:iam::${accountId}:role/${name}`;
const sound = { [a]: roleOf(a), [`pods.${a}`]: roleOf(a, 'pods'), [b]: roleOf(b), [unused]: roleOf(unused) };
const teams = { payments: roleOf(a, 'payments'), idle: roleOf(b, 'idle') };
const testLimit = { timeout: 30_000 };

describe('the account map and the team map', () => {
  let served: ServedPlane;

  before(
    async () => {
      served = await ServedPlane.start({ flags: ['--feature-gates=TeamLevelCARM=true'], map: sound });
      await served.apply([
        roleMap(teams, 'ack-role-team-map'),
        ...['shop', 'cart', 'orders'].map(name => boundNamespace(name, a)),
        boundNamespace('billing', b),
        namespace('paying', { annotations: { 'services.k8s.aws/team-id': 'payments' } }),
      ]);
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  type Data = Readonly<Record<string, string | null>>;
  const edit = (data: Data, map = 'ack-role-account-map', expectCode = 0): Promise<KubectlResult> => {
    return served.plane.kubectl(mapPatch(data, map), { expectCode });
  };
  const read = async (map = 'ack-role-account-map') =>
    (await served.get<{ data?: Data }>(`/api/v1/namespaces/ack-system/configmaps/${map}`)).data ?? {};

  /** An edit that is denied, with words in the message, and changes nothing. */
  async function refused(reason: string, data: Data, words: readonly string[], map?: string): Promise<void> {
    const stored = await read(map);
    const { stderr } = await edit(data, map, 1);
    assert.match(stderr, /admission webhook "maps\.carm-webhook\.dev" denied the request: /);
    assert.ok(stderr.includes(`(${reason})`), stderr);
    for (const word of words) assert.ok(stderr.includes(word), `${word} in: ${stderr}`);
    assert.deepEqual(await read(map), stored);
  }

  test('a bad edit is denied, with key and value', testLimit, async () => {
    await refused('InvalidRoleArn', { [fresh]: 'role/ack' }, [`"${fresh}"`, '"role/ack"']);
    await refused('InvalidRoleArn', { [fresh]: `arn:aws:iam::${fresh}:user/ack` }, [`"${fresh}"`, ':user/ack"']);
    await refused('AccountMismatch', { [fresh]: roleOf(a) }, [`"${fresh}"`, `account ${a}`]);
    await refused('InvalidAccountId', { '1402433619': roleOf(a) }, ['"1402433619"']);
    await refused('InvalidTeamId', { 's3.pay.ments': roleOf(a) }, ['"s3.pay.ments"'], 'ack-role-team-map');
    const immutable = ['patch', 'configmap', 'ack-role-account-map', '-n', 'ack-system', '-p', '{"immutable":true}'];
    assert.match((await served.plane.kubectl(immutable, { expectCode: 1 })).stderr, /\(MapImmutable\)/);
  });

  test('a used entry cannot go: the namespaces are named', testLimit, async () => {
    await refused('MappingInUse', { [a]: null }, [`"${a}"`, '"cart"', '"orders"', '"shop"']);
    await refused('MappingInUse', { [b]: '' }, [`"${b}"`, '"billing"']);
    await refused('MappingInUse', { payments: null }, ['"payments"', '"paying"'], 'ack-role-team-map');
    await refused('MappingInUse', { payments: roleOf(b) }, ['"payments"', '"paying"'], 'ack-role-team-map');
  });

  test('another role of the same account is taken, with a warning that counts who follows', testLimit, async () => {
    const [warning = '', ...more] = warningsOf(await edit({ [b]: roleOf(b, 'ack-2') }));
    assert.deepEqual(more, []);
    assert.match(warning, /: 1 bound namespace will use the new role of "222233334444" \(RoleReplaced\)$/);
  });

  for (const [prefix, words] of [
    ['pod', `key "pod.${b}" in the account map is ignored. Did you mean pods.${b}? (MisspelledKey)`],
    ['quantum', `unknown service prefix in "quantum.${b}"; such a key may never be used (UnknownService)`],
  ]) {
    test(`a key with the prefix of no service is warned of: ${prefix}`, testLimit, async () => {
      const key = `${prefix}.${b}`;
      const [warning = '', ...more] = warningsOf(await edit({ [key]: roleOf(b) }));
      assert.deepEqual(more, []);
      assert.ok(warning.endsWith(`: ${words}`), warning);
      await edit({ [key]: null });
    });
  }

  test(
    'the key of pods cannot go while they use it: they would get the role that ACK provisions with',
    testLimit,
    async () => {
      const key = `pods.${b}`;
      await edit({ [key]: roleOf(b, 'pods') });
      await refused('MappingInUse', { [key]: null }, [`"${key}"`, '"billing"']);
      const { [b]: shared = '' } = await read();
      await edit({ [key]: shared });
      await edit({ [key]: null });
    },
  );

  test('what nobody uses can go, and what is new can come', testLimit, async () => {
    await edit({ [unused]: null, [fresh]: roleOf(fresh) });
    await edit({ idle: null }, 'ack-role-team-map');
    const { [unused]: gone, [fresh]: came } = await read();
    assert.deepEqual([gone, came], [undefined, roleOf(fresh)]);
  });

  test('an entry that was unbound a moment ago can go', testLimit, async () => {
    await served.plane.kubectl(['annotate', 'namespace', 'billing', 'services.k8s.aws/owner-account-id-']);
    // At once: a denial from the cache is asked again before it is spoken.
    await edit({ [b]: null });
    await edit({ [b]: roleOf(b) });
    await served.plane.kubectl(['annotate', 'namespace', 'billing', `services.k8s.aws/owner-account-id=${b}`]);
    await refused('MappingInUse', { [b]: null }, ['"billing"']);
  });

  test('deleting the map, or all ConfigMaps, is denied while it is used', testLimit, async () => {
    await served.plane.kubectl(['create', 'configmap', 'other', '-n', 'ack-system']);
    for (const args of [
      ['delete', 'configmap', 'ack-role-account-map', '-n', 'ack-system'],
      ['delete', 'configmaps', '--all', '-n', 'ack-system'],
      ['delete', '--raw', '/api/v1/namespaces/ack-system/configmaps'],
    ]) {
      const { stderr } = await served.plane.kubectl(args, { expectCode: 1 });
      assert.match(stderr, /\(MappingInUse\)/, args.join(' '));
    }
    assert.equal((await read())[a], roleOf(a));
    const dryRun = ['delete', 'configmap', 'ack-role-account-map', '-n', 'ack-system', '--dry-run=server'];
    assert.match((await served.plane.kubectl(dryRun, { expectCode: 1 })).stderr, /\(MappingInUse\)/);
  });

  test("ACK's own controller is judged like everybody", testLimit, async () => {
    const name = 'ack-s3-controller';
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'patch'] }];
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
    const subjects = [{ kind: 'ServiceAccount', name, namespace: 'ack-system' }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
    await served.apply([
      serviceAccount('ack-system', name),
      role,
      { apiVersion: role.apiVersion, kind: 'ClusterRoleBinding', metadata: { name }, roleRef, subjects },
    ]);
    const token = await served.plane.tokenFor('ack-system', name);
    const path = '/api/v1/namespaces/ack-system/configmaps/ack-role-account-map';
    await eventually('its permissions count', async () =>
      (await served.plane.request('GET', path, undefined, { token })).status === 200 ? true : undefined,
    );
    // What a FieldExport would have it write.
    const body = { data: { [a]: roleOf('999999999999') } };
    const answer = await served.plane.request<{ message: string }>('PATCH', path, body, { token });
    assert.equal(answer.status, 403);
    assert.match(answer.body.message, /\(AccountMismatch\)/);
  });

  test('a map that was broken before is fixed step by step', testLimit, async () => {
    const broken = { [a]: 'nonsense', [b]: roleOf(a), '12': roleOf(a), [fresh]: roleOf(fresh) };
    await served.plane.kubectl(['replace', '-f', '-'], { input: JSON.stringify(roleMap(broken)), as: pastTheWebhook });
    // Nothing that is bad already stands in the way of the rest.
    await edit({ [unused]: roleOf(unused) });
    await refused('InvalidRoleArn', { [a]: 'other nonsense' }, ['"other nonsense"']);
    await edit({ [a]: roleOf(a) });
    await edit({ '12': null });
    await edit({ [b]: roleOf(b) });
    assert.deepEqual(await read(), {
      [a]: roleOf(a),
      [b]: roleOf(b),
      [fresh]: roleOf(fresh),
      [unused]: roleOf(unused),
    });
    await refused('MappingInUse', { [b]: null }, ['"billing"']);
  });

  test('a ConfigMap of the same name elsewhere, and others here, are left alone', testLimit, async () => {
    const elsewhere = { ...roleMap({ key: 'value' }), metadata: { name: 'ack-role-account-map', namespace: 'shop' } };
    await served.apply([elsewhere]);
    await served.plane.kubectl(['create', 'configmap', 'more', '-n', 'ack-system', '--from-literal=a=b']);
    await served.plane.kubectl(['delete', 'configmap', 'more', '-n', 'ack-system']);
  });
});
