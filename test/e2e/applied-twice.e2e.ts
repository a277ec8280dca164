import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubectlOptions, KubectlResult } from '../testbed/kubectl.ts';
import {
  boundNamespace,
  container,
  containerWith,
  deployment,
  injectLabel,
  pod,
  type StoredPod,
  serviceAccount,
} from './cluster-objects.ts';
import { assertInjected, tokenVolumes } from './injected-pod.ts';
import { asList } from './manifests.ts';
import { ServedPlane } from './served-plane.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/shop`;
const testLimit = { timeout: 30_000 };

/** As the API server stores an object; whatever else it has is compared too. */
interface Stored {
  readonly metadata: { readonly resourceVersion: string; readonly labels?: Readonly<Record<string, string>> };
}

/** A namespace, its ServiceAccount, a Deployment, and two pods: one that says nothing, one that says much itself. */
function bundle(name: string): readonly object[] {
  const own = {
    annotations: { 'eks.amazonaws.com/skip-containers': 'plain', 'eks.amazonaws.com/token-expiration': '3600' },
    initContainers: [container({ name: 'prepare', env: [{ name: 'AWS_REGION', value: 'eu-west-1' }] })],
    containers: [
      containerWith({ name: 'LAST', value: 'x' }, { name: 'AWS_ROLE_ARN', value: `arn:aws:iam::${account}:role/own` }),
      container({ name: 'plain', volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
    ],
    volumes: [{ name: 'data', emptyDir: {} }],
  };
  return [
    boundNamespace(name, account, { labels: { team: 'shop' } }),
    serviceAccount(name, 'app', { 'carm-webhook.dev/role': 'shop' }),
    deployment(name, 'web'),
    pod(name, 'quiet'),
    pod(name, 'own', own),
  ];
}

describe('a bundle that is applied twice', () => {
  let served: ServedPlane;

  before(
    async () => {
      // Without controllers, which would change what is compared.
      served = await ServedPlane.start({ map: { [account]: role } });
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  const run = (args: readonly string[], objects: readonly object[], options: KubectlOptions = {}) =>
    served.plane.kubectl([...args, '-f', '-'], { ...options, input: asList(objects) });

  const pathsOf = (name: string): readonly string[] => [
    `/api/v1/namespaces/${name}`,
    `/api/v1/namespaces/${name}/serviceaccounts/app`,
    `/apis/apps/v1/namespaces/${name}/deployments/web`,
    `/api/v1/namespaces/${name}/pods/quiet`,
    `/api/v1/namespaces/${name}/pods/own`,
  ];

  const storedOf = (name: string): Promise<readonly Stored[]> =>
    Promise.all(pathsOf(name).map(path => served.get<Stored>(path)));

  /** What stands there now was mutated: otherwise there would be nothing to show. */
  async function assertMutated(name: string): Promise<void> {
    const [stored] = await storedOf(name);
    assert.equal(stored?.metadata.labels?.[injectLabel], 'enabled');
    assertInjected(await served.pod(name, 'quiet'), role);
    const own = await served.pod(name, 'own');
    assert.equal(tokenVolumes(own).length, 1);
    assert.deepEqual(
      own.spec.containers.map(({ env = [] }) => env.map(variable => variable.name)),
      [
        ['LAST', 'AWS_ROLE_ARN', 'AWS_STS_REGIONAL_ENDPOINTS', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_ROLE_SESSION_NAME'],
        [],
      ],
    );
  }

  const outcomes = ({ stdout }: KubectlResult): readonly (string | undefined)[] =>
    stdout
      .trimEnd()
      .split('\n')
      .map(line => line.split(' ').at(-1));

  /** `kubectl diff` ends with 1 where there is a difference. */
  async function assertNoDiff(objects: readonly object[], flags: readonly string[] = []): Promise<void> {
    const { stdout } = await run(['diff', ...flags], objects);
    assert.equal(stdout, '');
  }

  test('by client-side apply: nothing is different', testLimit, async () => {
    const objects = bundle('client-side');
    assert.deepEqual(outcomes(await run(['apply'], objects)), Array(5).fill('created'));
    await assertMutated('client-side');
    const before = await storedOf('client-side');
    await assertNoDiff(objects);
    const again = await run(['apply'], objects);
    // kubectl says "configured" wherever it sends a patch. To lists of the user that are longer now it sends one that holds the
    // order of the user's items alone ($setElementOrder), whoever appended to them; it changes nothing, as is seen below.
    assert.deepEqual(outcomes(again), [...Array(4).fill('unchanged'), 'configured']);
    assert.equal(again.stderr, '');
    assert.deepEqual(await storedOf('client-side'), before);
  });

  test('by server-side apply: nothing is different', testLimit, async () => {
    const objects = bundle('server-side');
    await run(['apply', '--server-side'], objects);
    await assertMutated('server-side');
    const before = await storedOf('server-side');
    await assertNoDiff(objects, ['--server-side']);
    const again = await run(['apply', '--server-side'], objects);
    assert.equal(again.stderr, '');
    assert.deepEqual(await storedOf('server-side'), before);
  });

  test(
    'by server-side apply of another manager: it owns its fields too, and nothing else is different',
    testLimit,
    async () => {
      const objects = bundle('two-managers');
      await run(['apply', '--server-side', '--field-manager=first'], objects);
      const withoutManagers = async (): Promise<readonly object[]> =>
        (await storedOf('two-managers')).map(stored => {
          const { resourceVersion: _, ...metadata } = { managedFields: undefined, ...stored.metadata };
          return { ...stored, metadata: { ...metadata, managedFields: undefined } };
        });
      const before = await withoutManagers();
      await run(['apply', '--server-side', '--field-manager=second'], objects);
      assert.deepEqual(await withoutManagers(), before);
      const owned = await storedOf('two-managers');
      await run(['apply', '--server-side', '--field-manager=second'], objects);
      assert.deepEqual(await storedOf('two-managers'), owned);
    },
  );

  test('by replace, but for the pods: nothing is different', testLimit, async () => {
    const objects = bundle('replaced');
    await run(['create'], objects);
    await assertMutated('replaced');
    const replaceable = objects.slice(0, 3);
    await run(['replace'], replaceable);
    await assertMutated('replaced');
    const before = await storedOf('replaced');
    const again = await run(['replace'], replaceable);
    assert.deepEqual(outcomes(again), Array(3).fill('replaced'));
    // The file has no label, so a replace takes it away.
    assert.match(again.stderr, /^Warning: Namespace "replaced": [^\n]*\(LabelRestored\)\n$/);
    assert.deepEqual(await storedOf('replaced'), before);
  });

  test(
    'pods as they are stored can be replaced by themselves; by their file the API server itself refuses',
    testLimit,
    async () => {
      const objects = bundle('replaced-pods');
      await run(['create'], objects);
      const pods = [await served.pod('replaced-pods', 'quiet'), await served.pod('replaced-pods', 'own')];
      await run(['replace'], pods);
      const before = await storedOf('replaced-pods');
      await run(['replace'], pods.map(withoutResourceVersion));
      assert.deepEqual(await storedOf('replaced-pods'), before);
      const refused = await run(['replace'], objects.slice(3), { expectCode: 1 });
      assert.match(refused.stderr, /pod updates may not change fields other than/);
      assert.doesNotMatch(refused.stderr, /admission webhook/);
    },
  );

  test('by replace --force, which creates the pods again: they are injected again', testLimit, async () => {
    const objects = bundle('forced');
    await run(['create'], objects);
    const first = await served.pod('forced', 'quiet');
    await run(['replace', '--force', '--grace-period=0'], objects.slice(3));
    await assertMutated('forced');
    const second = await served.pod('forced', 'quiet');
    assert.notEqual(second.metadata.resourceVersion, first.metadata.resourceVersion);
    assert.deepEqual(second.spec, first.spec);
  });

  test(
    'an injected pod that is exported and created elsewhere of the same account stays as it is',
    testLimit,
    async () => {
      await run(['apply'], bundle('exported'));
      await run(['apply'], [boundNamespace('imported', account), serviceAccount('imported', 'app')]);
      const { spec, metadata } = await served.pod('exported', 'quiet');
      const copy = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'quiet', annotations: metadata.annotations },
        spec,
      };
      await served.plane.kubectl(['create', '-n', 'imported', '-f', '-'], { input: JSON.stringify(copy) });
      assert.deepEqual((await served.pod('imported', 'quiet')).spec, spec);
    },
  );

  test(
    'a shop of twelve services, each with its ServiceAccount after it: no warning, and no difference',
    testLimit,
    async () => {
      const name = 'micro-services';
      await served.apply([boundNamespace(name, account)]);
      const services = Array.from({ length: 12 }, (_, index) => `service-${index}`).flatMap(each => [
        deployment(name, each, { serviceAccountName: each }),
        {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: each, namespace: name },
          spec: { ports: [{ port: 80 }] },
        },
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: each, namespace: name }, data: { image: each } },
        serviceAccount(name, each),
      ]);
      const first = await served.apply(services);
      assert.equal(first.stderr, '');
      assert.equal(first.stdout.match(/ created$/gm)?.length, services.length);
      const second = await served.apply(services);
      assert.equal(second.stderr, '');
      assert.equal(second.stdout.match(/ unchanged$/gm)?.length, services.length);
    },
  );
});

function withoutResourceVersion(stored: StoredPod): object {
  const { resourceVersion: _, ...metadata } = stored.metadata;
  return { ...stored, metadata };
}
