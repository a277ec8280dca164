import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubectlResult } from '../testbed/kubectl.ts';
import {
  boundNamespace,
  injectLabel,
  type Metadata,
  namespace,
  ownerAnnotation,
  pod,
  serviceAccount,
} from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { assertInjected } from './injected-pod.ts';
import { asList } from './manifests.ts';
import { ServedPlane, warningsOf } from './served-plane.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/shop`;
const testLimit = { timeout: 30_000 };
const binding = { annotations: { [ownerAnnotation]: account } };
const bindingPatch = JSON.stringify({ metadata: binding });
const disabled = { labels: { [injectLabel]: 'disabled' } };

const onNamespaceStatus = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'namespace-status' },
  rules: [{ apiGroups: [''], resources: ['namespaces/status', 'namespaces/finalize'], verbs: ['patch', 'update'] }],
};
const toEve = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'namespace-status' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'namespace-status' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'eve' }],
};

describe('the label of a bound namespace', () => {
  let served: ServedPlane;

  before(
    async () => {
      served = await ServedPlane.start({ map: { [account]: role }, users: [{ name: 'eve' }] });
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  const kubectl = (args: readonly string[], object?: object): Promise<KubectlResult> =>
    served.plane.kubectl(args, object === undefined ? {} : { input: JSON.stringify(object) });

  const metadataOf = async (name: string): Promise<Metadata> =>
    (await served.get<{ readonly metadata: Metadata }>(`/api/v1/namespaces/${name}`)).metadata;

  async function assertLabel(name: string, label: string | undefined): Promise<void> {
    assert.equal((await metadataOf(name)).labels?.[injectLabel], label, name);
  }

  async function assertBoundAndLabelled(name: string): Promise<void> {
    const { annotations, labels } = await metadataOf(name);
    assert.equal(annotations?.[ownerAnnotation], account);
    assert.equal(labels?.[injectLabel], 'enabled');
  }

  describe('comes', () => {
    const creations: Readonly<Record<string, (name: string) => Promise<KubectlResult>>> = {
      'with kubectl create': name => kubectl(['create', '-f', '-'], boundNamespace(name, account)),
      'with kubectl apply': name => kubectl(['apply', '-f', '-'], boundNamespace(name, account)),
      'with kubectl apply --server-side': name =>
        kubectl(['apply', '--server-side', '-f', '-'], boundNamespace(name, account)),
      'beside labels of the user': name =>
        kubectl(['create', '-f', '-'], boundNamespace(name, account, { labels: { team: 'shop' } })),
    };
    for (const [index, [how, create]] of Object.entries(creations).entries()) {
      test(`on creation, ${how}`, testLimit, async () => {
        const name = `created-${index}`;
        assert.equal((await create(name)).stderr, '');
        await assertBoundAndLabelled(name);
      });
    }

    test('on creation by generateName', testLimit, async () => {
      const unnamed = { apiVersion: 'v1', kind: 'Namespace', metadata: { generateName: 'team-', ...binding } };
      const { stdout } = await kubectl(['create', '-o', 'name', '-f', '-'], unnamed);
      await assertBoundAndLabelled(stdout.trim().replace('namespace/', ''));
    });

    const updates: Readonly<Record<string, (name: string) => Promise<KubectlResult>>> = {
      'kubectl annotate': name => kubectl(['annotate', 'namespace', name, `${ownerAnnotation}=${account}`]),
      'kubectl apply': name => kubectl(['apply', '-f', '-'], boundNamespace(name, account)),
      'kubectl apply --server-side': name =>
        kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], boundNamespace(name, account)),
      'kubectl replace': name => kubectl(['replace', '-f', '-'], boundNamespace(name, account)),
      'a merge patch': name => kubectl(['patch', 'namespace', name, '--type=merge', '-p', bindingPatch]),
      'a JSON patch': name => {
        const patch = JSON.stringify([{ op: 'add', path: '/metadata/annotations', value: binding.annotations }]);
        return kubectl(['patch', 'namespace', name, '--type=json', '-p', patch]);
      },
      'a patch of the status': name =>
        kubectl(['patch', 'namespace', name, '--subresource=status', '--type=merge', '-p', bindingPatch]),
      'a replaced status': name =>
        kubectl(['replace', '--subresource=status', '-f', '-'], boundNamespace(name, account)),
      'an applied status': name =>
        kubectl(['apply', '--server-side', '--subresource=status', '-f', '-'], boundNamespace(name, account)),
      'a call of finalize': name =>
        kubectl(['replace', '--raw', `/api/v1/namespaces/${name}/finalize`, '-f', '-'], {
          ...boundNamespace(name, account),
          spec: { finalizers: ['kubernetes'] },
        }),
    };
    for (const [index, [how, update]] of Object.entries(updates).entries()) {
      test(`when the binding comes later, by ${how}, and pods get the role`, testLimit, async () => {
        const name = `updated-${index}`;
        await kubectl(['create', '-f', '-'], namespace(name));
        await assertLabel(name, undefined);
        await update(name);
        await assertBoundAndLabelled(name);
        await served.apply([serviceAccount(name, 'app')]);
        // The API server selects namespaces by a cache of its own, which follows a moment later.
        await eventually('the API server asks about pods of the namespace', async () => {
          const probe = await served.plane.request<{ metadata?: Metadata }>(
            'POST',
            `/api/v1/namespaces/${name}/pods?dryRun=All`,
            pod(name, 'probe'),
          );
          return probe.body.metadata?.annotations === undefined ? undefined : true;
        });
        await served.apply([pod(name, 'web')]);
        assertInjected(await served.pod(name, 'web'), role);
      });
    }

    test('on creation with a claim to be terminating, which the API server drops', testLimit, async () => {
      const deletionTimestamp = '2020-01-01T00:00:00Z';
      const metadata = { name: 'claims', deletionTimestamp, deletionGracePeriodSeconds: 0, ...binding };
      await served.plane.request('POST', '/api/v1/namespaces', { metadata });
      const stored = await metadataOf('claims');
      assert.ok(!('deletionTimestamp' in stored));
      await assertBoundAndLabelled('claims');
    });

    for (const [index, [how, subresource, method]] of (
      [
        ['a merge patch', '', 'PATCH'],
        ['a patch of the status', '/status', 'PATCH'],
        ['a call of finalize', '/finalize', 'PUT'],
      ] as const
    ).entries()) {
      test(
        `nothing comes with a claim to be terminating, which the API server refuses: by ${how}`,
        testLimit,
        async () => {
          const name = `claims-${index}`;
          const path = `/api/v1/namespaces/${name}`;
          await kubectl(['create', '-f', '-'], namespace(name));
          const metadata = { name, deletionTimestamp: '2020-01-01T00:00:00Z', ...binding };
          const claimed = { metadata, spec: { finalizers: ['kubernetes'] } };
          const answer = await served.plane.request<{ message: string }>(method, path + subresource, claimed);
          assert.equal(answer.status, 422);
          assert.match(answer.body.message, /metadata\.deletionTimestamp: .* field is immutable/);
          assert.equal((await metadataOf(name)).annotations?.[ownerAnnotation], undefined);
        },
      );
    }

    test('when someone who may touch nothing but status and finalize slips a binding in', testLimit, async () => {
      await served.plane.kubectl(['apply', '-f', '-'], { input: asList([onNamespaceStatus, toEve]) });
      await kubectl(['create', '-f', '-'], namespace('slipped'));
      const token = served.plane.tokenOf('eve');
      const status = await eventually('eve may patch the status', async () => {
        const path = '/api/v1/namespaces/slipped/status';
        const answer = await served.plane.request('PATCH', path, { metadata: binding }, { token });
        return answer.status === 403 ? undefined : answer.status;
      });
      assert.equal(status, 200);
      const refused = await served.plane.request('PATCH', '/api/v1/namespaces/slipped', {}, { token });
      assert.equal(refused.status, 403);
      await assertBoundAndLabelled('slipped');
    });
  });

  describe('comes back', () => {
    for (const [index, [how, act]] of Object.entries({
      'kubectl label, removed': (name: string) => kubectl(['label', 'namespace', name, `${injectLabel}-`]),
      'kubectl replace without labels': (name: string) =>
        kubectl(['replace', '-f', '-'], boundNamespace(name, account)),
      'a patch that takes all labels': (name: string) =>
        kubectl(['patch', 'namespace', name, '--type=merge', '-p', '{"metadata":{"labels":null}}']),
      'a patch of the status': (name: string) => {
        const patch = JSON.stringify({ metadata: { labels: { [injectLabel]: null } } });
        return kubectl(['patch', 'namespace', name, '--subresource=status', '--type=merge', '-p', patch]);
      },
      'a call of finalize': (name: string) =>
        kubectl(['replace', '--raw', `/api/v1/namespaces/${name}/finalize`, '-f', '-'], {
          ...boundNamespace(name, account),
          spec: { finalizers: ['kubernetes'] },
        }),
    }).entries()) {
      test(`after ${how}`, testLimit, async () => {
        const name = `relabelled-${index}`;
        await kubectl(['create', '-f', '-'], boundNamespace(name, account));
        await act(name);
        await assertBoundAndLabelled(name);
      });
    }

    test('after kubectl apply of the file without it, which was applied before with it', testLimit, async () => {
      await served.apply([boundNamespace('pruned', account, { labels: { [injectLabel]: 'enabled' } })]);
      await served.apply([boundNamespace('pruned', account)]);
      await assertBoundAndLabelled('pruned');
    });

    test('when disabled is taken away', testLimit, async () => {
      await kubectl(['create', '-f', '-'], boundNamespace('enabled-again', account, disabled));
      await kubectl(['label', 'namespace', 'enabled-again', `${injectLabel}-`]);
      await assertBoundAndLabelled('enabled-again');
    });
  });

  describe('that says disabled', () => {
    test('stays, and pods are left alone', testLimit, async () => {
      const name = 'opted-out';
      const created = await kubectl(['create', '-f', '-'], boundNamespace(name, account, disabled));
      assert.equal(created.stderr, '');
      await assertLabel(name, 'disabled');
      await kubectl(['annotate', '--overwrite', 'namespace', name, `${ownerAnnotation}=444455556666`]);
      await assertLabel(name, 'disabled');
      await kubectl(['annotate', 'namespace', name, 'services.k8s.aws/default-region=eu-central-1']);
      await assertLabel(name, 'disabled');
      await kubectl(['patch', 'namespace', name, '--subresource=status', '--type=merge', '-p', bindingPatch]);
      await assertLabel(name, 'disabled');
      await served.apply([serviceAccount(name, 'app'), pod(name, 'web')]);
      const { spec, metadata } = await served.pod(name, 'web');
      assert.equal(spec.containers[0]?.env, undefined);
      assert.equal(metadata.annotations?.['carm-webhook.dev/role-arn'], undefined);
    });

    test('may replace enabled on a bound namespace', testLimit, async () => {
      await kubectl(['create', '-f', '-'], boundNamespace('opting-out', account));
      await kubectl(['label', '--overwrite', 'namespace', 'opting-out', `${injectLabel}=disabled`]);
      await assertLabel('opting-out', 'disabled');
    });
  });

  describe('of one that is unbound', () => {
    for (const [index, [how, act]] of Object.entries({
      'kubectl annotate': (name: string) => kubectl(['annotate', 'namespace', name, `${ownerAnnotation}-`]),
      'an empty annotation': (name: string) =>
        kubectl(['annotate', '--overwrite', 'namespace', name, `${ownerAnnotation}=`]),
      'kubectl apply of the file without the binding': (name: string) => served.apply([namespace(name)]),
      'a patch of the status': (name: string) => {
        const patch = JSON.stringify({ metadata: { annotations: { [ownerAnnotation]: null } } });
        return kubectl(['patch', 'namespace', name, '--subresource=status', '--type=merge', '-p', patch]);
      },
    }).entries()) {
      test(`stays, and a warning says so: by ${how}`, testLimit, async () => {
        const name = `unbound-${index}`;
        await served.apply([boundNamespace(name, account)]);
        const unbound = await act(name);
        assert.deepEqual(
          warningsOf(unbound).map(line => /\((\w+)\)$/.exec(line)?.[1]),
          ['BindingRemoved'],
        );
        await assertLabel(name, 'enabled');
        await served.apply([serviceAccount(name, 'app')]);
        const refused = await served.apply([pod(name, 'web')], { expectCode: 1 });
        assert.match(refused.stderr, /\(NamespaceNotBound\)/);
        // The second step, which the warning's entry in the catalogue names, frees the namespace.
        await kubectl(['label', 'namespace', name, `${injectLabel}-`]);
        await assertLabel(name, undefined);
      });
    }
  });

  describe('that is removed together with the binding', () => {
    const both = JSON.stringify({
      metadata: { annotations: { [ownerAnnotation]: null }, labels: { [injectLabel]: null } },
    });
    for (const [index, [how, act]] of Object.entries({
      'kubectl patch': (name: string) => kubectl(['patch', 'namespace', name, '--type=merge', '-p', both]),
      'kubectl replace': (name: string) => kubectl(['replace', '-f', '-'], namespace(name)),
    }).entries()) {
      test(`is gone, and a warning says what that means: by ${how}`, testLimit, async () => {
        const name = `released-${index}`;
        await kubectl(['create', '-f', '-'], boundNamespace(name, account));
        const released = await act(name);
        await assertLabel(name, undefined);
        const [warning = '', ...more] = warningsOf(released);
        assert.deepEqual(more, []);
        assert.match(warning, /\(BindingRemoved\)$/);
        assert.doesNotMatch(warning, /stays/);
      });
    }
  });

  test('is on no namespace that is not bound', testLimit, async () => {
    await served.apply([namespace('plain', { labels: { team: 'shop' } })]);
    await kubectl(['annotate', 'namespace', 'plain', 'services.k8s.aws/default-region=eu-central-1']);
    await assertLabel('plain', undefined);
  });
});
