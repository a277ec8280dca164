import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeSelfSigned } from '../../src/server/self-signed.ts';
import { CertManager } from '../testbed/cert-manager.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { installedCaBundles } from './ca-injection.ts';
import { eventually } from './eventually.ts';
import { asList, deployFolder, type Manifest, only, renderDeploy, webhookConfigurations } from './manifests.ts';

interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly securityContext: object;
    readonly serviceAccountName: string;
    readonly terminationGracePeriodSeconds: number;
    readonly containers: readonly [{ readonly securityContext: object; readonly image: string }];
    readonly volumes: readonly { readonly secret?: { readonly secretName: string } }[];
  };
}

interface DeploymentSpec {
  readonly replicas: number;
  readonly selector: { readonly matchLabels: object };
  readonly template: PodTemplate;
}

const testLimit = { timeout: 60_000 };

/** The one namespace that an entry looks at, if it is only one. */
function whereOnly(entry: string): string | undefined {
  return entry === 'maps.carm-webhook.dev' ? 'ack-system' : undefined;
}

describe('the manifests in deploy/', () => {
  let plane: ControlPlane;
  let certManager: CertManager;
  let manifests: readonly Manifest[];
  let deployment: DeploymentSpec;

  before(
    async () => {
      plane = await ControlPlane.start();
      certManager = await CertManager.start(plane);
      // What is applied here, the tests want to see unmoved.
      await certManager.stop();
      manifests = await renderDeploy();
      deployment = only(manifests, 'Deployment')['spec'] as DeploymentSpec;
      await plane.kubectl(['create', 'namespace', 'ack-system']);
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await certManager?.stop();
    await plane?.stop();
  });

  const applyFolder = (...flags: readonly string[]) => plane.kubectl(['apply', '-k', deployFolder, ...flags]);

  test('are taken by one kubectl apply, every field known, without a warning', testLimit, async () => {
    const { stdout, stderr } = await applyFolder('--validate=strict');
    assert.equal(stderr, '');
    assert.equal(stdout.trim().split('\n').length, manifests.length);
    for (const line of stdout.trim().split('\n')) assert.match(line, / created$/);
  });

  test('are not changed by being applied again, by either way of applying', testLimit, async () => {
    const every =
      '{range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name} {.metadata.resourceVersion}{"\\n"}{end}';
    const versions = async () => (await plane.kubectl(['get', '-k', deployFolder, '-o', `jsonpath=${every}`])).stdout;
    const first = await versions();
    assert.equal(first.trim().split('\n').length, manifests.length);
    const { stdout } = await applyFolder();
    const patched = stdout.split('\n').filter(line => line !== '' && !line.endsWith(' unchanged'));
    // kubectl sends a budget's selector each time, for it is replaced as a whole; the API server finds nothing to change.
    assert.deepEqual(patched, ['poddisruptionbudget.policy/carm-webhook configured']);
    assert.equal(await versions(), first);
    assert.equal((await plane.kubectl(['diff', '-k', deployFolder])).stdout, '');
    await applyFolder('--server-side', '--force-conflicts');
    const owned = await versions();
    await applyFolder('--server-side');
    assert.equal(await versions(), owned);
    assert.equal((await plane.kubectl(['diff', '--server-side', '-k', deployFolder])).stdout, '');
  });

  test('applied again, leave the caBundle that cert-manager has filled in', testLimit, async () => {
    const { caPem } = await makeSelfSigned();
    const caBundle = Buffer.from(caPem).toString('base64');
    const configurations = webhookConfigurations(manifests);
    const bundles = async () => (await installedCaBundles(plane)).split(' ');
    for (const { kind, webhooks } of configurations) {
      const fill = webhooks.map((_, index) => ({
        op: 'add',
        path: `/webhooks/${index}/clientConfig/caBundle`,
        value: caBundle,
      }));
      const path = `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}s/zz-carm-webhook`;
      const filled = await plane.request('PATCH', `${path}?fieldManager=cainjector`, fill, {
        contentType: 'application/json-patch+json',
      });
      assert.equal(filled.status, 200);
    }
    const filled = configurations.flatMap(({ webhooks }) => webhooks.map(() => caBundle));
    assert.deepEqual(await bundles(), filled);
    await applyFolder();
    assert.deepEqual(await bundles(), filled);
    await applyFolder('--server-side', '--force-conflicts');
    assert.deepEqual(await bundles(), filled);
  });

  test('a pod of the Deployment meets the restricted Pod Security Standard', testLimit, async () => {
    const { metadata, spec } = deployment.template;
    const make = (changed: object) =>
      plane.request<{ message?: string; spec: { priority: number } }>(
        'POST',
        '/api/v1/namespaces/carm-webhook/pods?dryRun=All',
        { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'web' }, spec: { ...spec, ...changed } },
      );
    const made = await make({});
    assert.equal(made.status, 201, JSON.stringify(made.body));
    assert.deepEqual(made.warnings, []);
    // Of system-cluster-critical, outside kube-system.
    assert.equal(made.body.spec.priority, 2_000_000_000);
    const [container] = spec.containers;
    const refused = await make({ containers: [{ ...container, securityContext: {} }] });
    assert.equal(refused.status, 403);
    assert.match(refused.body.message ?? '', /violates PodSecurity "restricted:latest"/);
    const unconfined = await make({ securityContext: { runAsNonRoot: true } });
    assert.match(unconfined.body.message ?? '', /seccompProfile/);
  });

  test('fit together', () => {
    const { matchLabels } = deployment.selector;
    assert.partialDeepStrictEqual(deployment.template.metadata.labels, matchLabels);
    const service = only(manifests, 'Service')['spec'] as { selector: object; ports: readonly { port: number }[] };
    assert.deepEqual(service.selector, matchLabels);
    const budget = only(manifests, 'PodDisruptionBudget')['spec'] as { selector: { matchLabels: object } };
    assert.deepEqual(budget.selector.matchLabels, matchLabels);
    const certificate = only(manifests, 'Certificate', 'carm-webhook-tls');
    const { secretName, dnsNames } = certificate['spec'] as { secretName: string; dnsNames: readonly string[] };
    assert.equal(deployment.template.spec.volumes[0]?.secret?.secretName, secretName);
    for (const { metadata, webhooks } of webhookConfigurations(manifests)) {
      assert.equal(
        metadata.annotations?.['cert-manager.io/inject-ca-from'],
        `carm-webhook/${certificate.metadata.name}`,
      );
      for (const { clientConfig } of webhooks) {
        const { name, namespace, port } = clientConfig.service as unknown as {
          name: string;
          namespace: string;
          port: number;
        };
        assert.ok(dnsNames.includes(`${name}.${namespace}.svc`));
        assert.equal(name, only(manifests, 'Service').metadata.name);
        assert.equal(namespace, only(manifests, 'Namespace').metadata.name);
        assert.equal(port, service.ports[0]?.port);
      }
    }
    assert.ok(deployment.replicas >= 2);
    // --shutdown-delay and the reviews in flight after it.
    assert.ok(deployment.template.spec.terminationGracePeriodSeconds > 10 + 25);
  });

  test('every entry is opt-in or narrowed, and those of pods leave the same namespaces out', () => {
    const ownNamespace = only(manifests, 'Namespace').metadata.name;
    const excluded = [ownNamespace, 'kube-system', 'kube-public', 'kube-node-lease'];
    const names: string[] = [];
    for (const { kind, webhooks } of webhookConfigurations(manifests)) {
      for (const entry of webhooks) {
        names.push(`${kind.slice(0, -'WebhookConfiguration'.length)} ${entry.name} ${entry.failurePolicy}`);
        assert.partialDeepStrictEqual(entry, {
          matchPolicy: 'Equivalent',
          timeoutSeconds: 5,
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          ...(kind === 'MutatingWebhookConfiguration' && { reinvocationPolicy: 'IfNeeded' }),
        });
        const [first] = entry.matchConditions;
        assert.equal(first?.name, 'not-break-glass');
        if (!/^(?:pods|workloads)\./.test(entry.name)) {
          assert.equal(entry.namespaceSelector?.matchLabels['kubernetes.io/metadata.name'], whereOnly(entry.name));
          if (entry.name !== 'namespaces.carm-webhook.dev' || kind !== 'MutatingWebhookConfiguration') continue;
          const named = entry.matchConditions.find(({ name }) => name === 'not-excluded');
          const list = `[${excluded.map(name => `'${name}'`).join(', ')}]`;
          assert.ok(named?.expression.includes(`in ${list}`));
          continue;
        }
        assert.deepEqual(entry.namespaceSelector, {
          matchLabels: { 'carm-webhook.dev/inject': 'enabled' },
          matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: excluded }],
        });
      }
    }
    assert.deepEqual(names, [
      'Mutating pods.carm-webhook.dev Fail',
      'Mutating namespaces.carm-webhook.dev Fail',
      'Mutating resources.carm-webhook.dev Fail',
      'Validating pods.carm-webhook.dev Fail',
      'Validating workloads.carm-webhook.dev Ignore',
      'Validating namespaces.carm-webhook.dev Fail',
      'Validating resources.carm-webhook.dev Fail',
      'Validating status.carm-webhook.dev Fail',
      'Validating maps.carm-webhook.dev Fail',
      'Validating selectors.carm-webhook.dev Fail',
      'Validating keys.carm-webhook.dev Ignore',
    ]);
  });

  test(
    'are taken by an API server that has none of them yet, but their namespaces, as a dry run too',
    testLimit,
    async () => {
      await plane.kubectl(['delete', '-k', deployFolder, '--wait=false', '--ignore-not-found']);
      // Without kube-controller-manager a deleted namespace stays: made again under its name it cannot be.
      const rest = manifests.filter(
        ({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'carm-webhook',
      );
      await eventually('what is not in the namespace is gone', async () => {
        const { stdout } = await plane.kubectl(['get', '-f', '-', '--ignore-not-found', '-o', 'name'], {
          input: asList(rest),
        });
        return stdout === '' ? true : undefined;
      });
      const { stdout } = await plane.kubectl(['apply', '--server-side', '--dry-run=server', '-f', '-'], {
        input: asList(rest),
      });
      for (const line of stdout.trim().split('\n')) assert.match(line, / serverside-applied \(server dry run\)$/);
    },
  );
});
