import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubectlOptions, KubectlResult } from '../testbed/kubectl.ts';
import { boundNamespace, type Container, pod, roleArnAnnotation, roleMap, serviceAccount } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { assertInjectedContainer, tokenMounts, tokenVolumes } from './injected-pod.ts';
import { ServedPlane, warningsOf } from './served-plane.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/shop`;
const newRole = `arn:aws:iam::${account}:role/renamed`;
const foreignRole = 'arn:aws:iam::999999999999:role/admin';
const testLimit = { timeout: 30_000 };

describe('kubectl debug', () => {
  let served: ServedPlane;

  before(
    async () => {
      // With the ServiceAccount admission plugin, whose token every container mounts too.
      served = await ServedPlane.start({ controllerManager: true, map: { [account]: role } });
      await served.apply([boundNamespace('shop', account), serviceAccount('shop', 'app')]);
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  const debug = (
    name: string,
    container: string,
    flags: readonly string[] = [],
    options: KubectlOptions = {},
  ): Promise<KubectlResult> =>
    served.plane.kubectl(['debug', name, '-n', 'shop', '--image=tools', '-c', container, ...flags], options);

  const ephemeralContainers = async (name: string): Promise<readonly Container[]> =>
    (await served.pod('shop', name)).spec.ephemeralContainers ?? [];

  test('twice on one pod: each container gets environment and mount, the first is left alone', testLimit, async () => {
    await served.apply([pod('shop', 'web')]);
    const created = await served.pod('shop', 'web');
    assert.deepEqual(warningsOf(await debug('web', 'first')), []);
    const [first, ...none] = await ephemeralContainers('web');
    assert.ok(first);
    assert.deepEqual(none, []);
    assertInjectedContainer(first, role);

    assert.deepEqual(warningsOf(await debug('web', 'second')), []);
    const [again, second] = await ephemeralContainers('web');
    assert.deepEqual(again, first);
    assert.ok(second);
    assertInjectedContainer(second, role);
    // Nothing else of the pod has changed.
    const { ephemeralContainers: _, ...rest } = (await served.pod('shop', 'web')).spec;
    assert.deepEqual(rest, created.spec);
  });

  test('the role is resolved again; the older container keeps its own', testLimit, async () => {
    await served.apply([pod('shop', 'mapped-anew')]);
    await debug('mapped-anew', 'first');
    await served.apply([roleMap({ [account]: newRole })]);
    await eventually('the new role is known', async () => {
      const { stdout } = await served.plane.kubectl(['apply', '--dry-run=server', '-o', 'json', '-f', '-'], {
        input: JSON.stringify(pod('shop', 'probe')),
      });
      return stdout.includes(newRole) ? true : undefined;
    });
    await debug('mapped-anew', 'second');
    const [first, second] = await ephemeralContainers('mapped-anew');
    assert.ok(first && second);
    assertInjectedContainer(first, role);
    assertInjectedContainer(second, newRole);
    const { metadata } = await served.pod('shop', 'mapped-anew');
    assert.equal(metadata.annotations?.[roleArnAnnotation], role);
    await served.apply([roleMap({ [account]: role })]);
    await eventually('the old role is known again', async () => {
      const { stdout } = await served.plane.kubectl(['apply', '--dry-run=server', '-o', 'json', '-f', '-'], {
        input: JSON.stringify(pod('shop', 'probe')),
      });
      return stdout.includes(newRole) ? undefined : true;
    });
  });

  test('a foreign role is denied, and nothing is added', testLimit, async () => {
    await served.apply([pod('shop', 'guarded')]);
    const refused = await debug('guarded', 'thief', [`--env=AWS_ROLE_ARN=${foreignRole}`], { expectCode: 1 });
    assert.match(
      refused.stderr,
      /^Error from server \(Forbidden\): admission webhook "pods\.carm-webhook\.dev" denied the request: Pod "guarded" in namespace "shop": ephemeral container "thief" sets AWS_ROLE_ARN to "arn:aws:iam::999999999999:role\/admin", which is not a role in account 111122223333 \(namespace "shop"\)\. To fix this, remove AWS_ROLE_ARN \(the webhook injects the role\) or use a role in account 111122223333 \(your platform team can allow account 999999999999 with --source-accounts\) \(RoleOutsideAccount\)\n$/m,
    );
    assert.deepEqual(await ephemeralContainers('guarded'), []);
  });

  test('a role of the own account stays, and gets its token', testLimit, async () => {
    const own = `arn:aws:iam::${account}:role/other`;
    await debug('guarded', 'own', [`--env=AWS_ROLE_ARN=${own}`]);
    const [container] = await ephemeralContainers('guarded');
    assert.ok(container);
    assert.equal(container.env?.find(({ name }) => name === 'AWS_ROLE_ARN')?.value, own);
    assert.ok(container.env?.some(({ name }) => name === 'AWS_WEB_IDENTITY_TOKEN_FILE'));
    assert.equal(tokenMounts(container).length, 1);
  });

  test('a pod that opted out: allowed, nothing is added, and nothing is said', testLimit, async () => {
    await served.apply([pod('shop', 'opted-out', { labels: { 'carm-webhook.dev/inject': 'disabled' } })]);
    const before = await served.pod('shop', 'opted-out');
    assert.deepEqual(tokenVolumes(before), []);
    assert.deepEqual(warningsOf(await debug('opted-out', 'look')), []);
    const [container] = await ephemeralContainers('opted-out');
    assert.equal(container?.env, undefined);
    assert.deepEqual(tokenMounts(container ?? { name: '' }), []);
  });

  test(
    'a pod from before the namespace was bound: allowed, nothing is added, and a warning says so',
    testLimit,
    async () => {
      await served.apply([
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'old' } },
        serviceAccount('old', 'app'),
      ]);
      await served.apply([pod('old', 'web')]);
      await served.apply([boundNamespace('old', account)]);
      const debugged = await served.plane.kubectl(['debug', 'web', '-n', 'old', '--image=tools', '-c', 'look']);
      const { spec } = await served.pod('old', 'web');
      const [container] = spec.ephemeralContainers ?? [];
      assert.ok(container);
      assert.equal(container.env, undefined);
      assert.deepEqual(tokenMounts(container), []);
      assert.deepEqual(
        warningsOf(debugged).map(line => /\((\w+)\)$/.exec(line)?.[1]),
        ['DebugContainerNotInjected'],
      );
    },
  );

  test('a debug container that is named to be skipped gets nothing', testLimit, async () => {
    const annotations = { 'eks.amazonaws.com/skip-containers': 'look' };
    const applied = await served.apply([pod('shop', 'skipping', { annotations })]);
    assert.match(warningsOf(applied).join(), /\(UnknownContainer\)$/);
    await debug('skipping', 'look');
    const [container] = await ephemeralContainers('skipping');
    assert.equal(container?.env, undefined);
  });

  test('a debug copy of an injected pod is injected already, and stays as it is', testLimit, async () => {
    await served.apply([pod('shop', 'original')]);
    const { spec: original } = await served.pod('shop', 'original');
    const copied = await debug('original', 'look', ['--copy-to=copy']);
    assert.deepEqual(warningsOf(copied), []);
    const { spec } = await served.pod('shop', 'copy');
    assert.deepEqual(spec.volumes, original.volumes);
    for (const container of spec.containers) assertInjectedContainer(container, role);
    assert.equal(spec.containers.length, 2);
  });
});
