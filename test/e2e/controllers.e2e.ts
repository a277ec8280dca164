import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  boundNamespace,
  containerWith,
  cronJob,
  deployment,
  job,
  roleMap,
  type StoredPod,
  serviceAccount,
  statefulSet,
} from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { assertInjected } from './injected-pod.ts';
import { ServedPlane, warningsOf } from './served-plane.ts';

const account = '111122223333';
const laterAccount = '444455556666';
const foreignRole = 'arn:aws:iam::999999999999:role/admin';
const roleOf = (accountId: string): string => `arn:aws:iam::${accountId}:role/shop`;
const testLimit = { timeout: 45_000 };

interface Event {
  readonly reason: string;
  readonly type: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly name: string };
}

interface Deployment {
  readonly status: {
    readonly conditions?: readonly { readonly type: string; readonly message: string; readonly reason: string }[];
  };
}

describe('pods that controllers create', () => {
  let served: ServedPlane;

  before(
    async () => {
      served = await ServedPlane.start({ controllerManager: true, map: { [account]: roleOf(account) } });
      await served.apply([boundNamespace('shop', account), serviceAccount('shop', 'app')]);
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  async function podsOf(namespace: string, name: string): Promise<readonly StoredPod[]> {
    return eventually(`a pod of ${namespace}/${name}`, async () => {
      const pods = (await served.pods(namespace)).filter(({ metadata }) => metadata.name.startsWith(`${name}-`));
      return pods.length > 0 ? pods : undefined;
    });
  }

  async function denialEvent(namespace: string, kind: string, name: string): Promise<Event> {
    return eventually(`an event of ${kind} ${name}`, async () => {
      const { items } = await served.get<{ items: readonly Event[] }>(`/api/v1/namespaces/${namespace}/events`);
      return items.find(
        ({ reason, involvedObject: of }) =>
          reason === 'FailedCreate' && of.kind === kind && (of.name === name || of.name.startsWith(`${name}-`)),
      );
    });
  }

  for (const [kind, name, object] of [
    ['Deployment', 'web', deployment('shop', 'web')],
    ['StatefulSet', 'db', statefulSet('shop', 'db')],
    ['Job', 'import', job('shop', 'import')],
  ] as const) {
    test(`a ${kind}'s are injected, and kubectl apply is silent`, testLimit, async () => {
      const applied = await served.apply([object]);
      assert.equal(applied.stderr, '');
      for (const created of await podsOf('shop', name)) assertInjected(created, roleOf(account));
    });
  }

  test("a CronJob's are injected", testLimit, async () => {
    const applied = await served.apply([cronJob('shop', 'nightly')]);
    assert.equal(applied.stderr, '');
    await served.plane.kubectl(['create', 'job', 'by-hand', '--from=cronjob/nightly', '-n', 'shop']);
    for (const created of await podsOf('shop', 'by-hand')) assertInjected(created, roleOf(account));
  });

  for (const [kind, name, make] of [
    ['Deployment', 'bad-web', deployment],
    ['StatefulSet', 'bad-db', statefulSet],
    ['Job', 'bad-import', job],
  ] as const) {
    test(`a ${kind}'s that are denied: a warning at kubectl apply, the message in the event`, testLimit, async () => {
      const containers = [containerWith({ name: 'AWS_ROLE_ARN', value: foreignRole })];
      const applied = await served.apply([make('shop', name, { containers })]);
      const told = `: container "app" sets AWS_ROLE_ARN to "${foreignRole}", which is not a role in account ${account} (namespace "shop"). To fix this, remove AWS_ROLE_ARN (the webhook injects the role) or use a role in account ${account} (your platform team can allow account 999999999999 with --source-accounts) (RoleOutsideAccount)`;
      assert.equal(applied.stderr, `Warning: carm-webhook: pods of ${kind} "${name}" will not start${told}\n`);
      assert.match(applied.stdout, / created\n$/);

      // A Deployment's pods are created by its ReplicaSet.
      const creator = kind === 'Deployment' ? 'ReplicaSet' : kind;
      const event = await denialEvent('shop', creator, name);
      assert.equal(event.type, 'Warning');
      assert.match(event.message, /admission webhook "pods\.carm-webhook\.dev" denied the request: Pod "/);
      assert.ok(event.message.includes(told), event.message);
      const shown = await served.plane.kubectl(['describe', creator, event.involvedObject.name, '-n', 'shop']);
      assert.ok(shown.stdout.includes(told), shown.stdout);
      assert.deepEqual(
        (await served.pods('shop')).filter(({ metadata }) => metadata.name.startsWith(name)),
        [],
      );
    });
  }

  test('a Deployment whose pods are denied says so in its own status', testLimit, async () => {
    const condition = await eventually('the condition ReplicaFailure', async () => {
      const { status } = await served.get<Deployment>('/apis/apps/v1/namespaces/shop/deployments/bad-web');
      return status.conditions?.find(({ type }) => type === 'ReplicaFailure');
    });
    assert.equal(condition.reason, 'FailedCreate');
    assert.match(condition.message, /\(RoleOutsideAccount\)/);
  });

  test(
    'those that were refused come once the account is mapped, without a hand on the Deployment',
    testLimit,
    async () => {
      const objects = [
        boundNamespace('later', laterAccount),
        serviceAccount('later', 'app'),
        deployment('later', 'web'),
      ];
      const warnings = warningsOf(await served.apply(objects));
      assert.deepEqual(
        warnings.map(line => /\((\w+)\)$/.exec(line)?.[1]),
        ['BindingUnresolved', 'AccountNotMapped'],
      );
      await denialEvent('later', 'ReplicaSet', 'web');
      await served.apply([roleMap({ [account]: roleOf(account), [laterAccount]: roleOf(laterAccount) })]);
      for (const created of await podsOf('later', 'web')) assertInjected(created, roleOf(laterAccount));
    },
  );

  test('a change of the template brings the warning, a change of the scale does not', testLimit, async () => {
    const scaled = await served.plane.kubectl(['scale', 'deployment/bad-web', '--replicas=2', '-n', 'shop']);
    assert.equal(scaled.stderr, '');
    const labelled = await served.plane.kubectl(['label', 'deployment/bad-web', 'tier=front', '-n', 'shop']);
    assert.equal(labelled.stderr, '');
    const changed = await served.plane.kubectl(['set', 'image', 'deployment/bad-web', 'app=other', '-n', 'shop']);
    assert.match(
      changed.stderr,
      /^Warning: carm-webhook: pods of Deployment "bad-web" will not start: .*\(RoleOutsideAccount\)\n$/,
    );
    const mended = await served.plane.kubectl(['set', 'env', 'deployment/bad-web', 'AWS_ROLE_ARN-', '-n', 'shop']);
    assert.equal(mended.stderr, '');
    // The roll-out waits for readiness, which no kubelet reports, after the first pod.
    for (const created of await podsOf('shop', 'bad-web')) assertInjected(created, roleOf(account));
  });
});
