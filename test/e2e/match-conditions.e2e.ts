import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ControlPlane } from '../testbed/control-plane.ts';
import {
  ackPath,
  ackResource,
  ackStatus,
  bucketKind,
  installAckKinds,
  roleSelector,
  roleSelectorKind,
} from './ack-crds.ts';
import { guardMatchCases } from './ack-guard-match-cases.ts';
import { ackMatchCases } from './ack-match-cases.ts';
import { eventually } from './eventually.ts';
import { asList, type Manifest, pointAt, renderChart, renderDeploy, webhookConfigurations } from './manifests.ts';
import {
  type Call,
  type Caller,
  type Entry,
  entries,
  type MatchCase,
  missingCall,
  pod,
  podTemplate,
} from './match-case.ts';
import { namespaceCases } from './namespace-cases.ts';
import { podCases } from './pod-cases.ts';
import { RecordingWebhook } from './recording-webhook.ts';
import { workloadCases } from './workload-cases.ts';

const users: Readonly<Record<Exclude<Caller, 'admin'>, string>> = {
  'break-glass': 'rescuer',
  'namespace-controller': 'system:serviceaccount:kube-system:namespace-controller',
  'garbage-collector': 'system:serviceaccount:kube-system:generic-garbage-collector',
  'deployment-controller': 'system:serviceaccount:kube-system:deployment-controller',
  'cronjob-controller': 'system:serviceaccount:kube-system:cronjob-controller',
  'controller-manager': 'system:kube-controller-manager',
  'ack-controller': 'system:serviceaccount:ack-system:ack-s3-controller',
  'ack-lookalike': 'system:serviceaccount:team-a:ack-s3-controller',
  'ack-neighbour': 'system:serviceaccount:ack-system:ack-s3-controller-2',
};

interface Answered {
  readonly message?: string;
  readonly metadata?: { readonly name?: string; readonly resourceVersion?: string };
}

const advisory: readonly Entry[] = ['validate/workloads.carm-webhook.dev', 'keys/keys.carm-webhook.dev'];
const failing: ReadonlySet<Entry> = new Set(entries.filter(entry => !advisory.includes(entry)));

describe('the shipped rules, selectors and matchConditions', () => {
  let plane: ControlPlane;
  let webhook: RecordingWebhook;
  let rows = 0;

  before(
    async () => {
      plane = await ControlPlane.start({
        users: Object.entries(users).map(([caller, name]) => ({
          name,
          groups: ['system:masters', ...(caller === 'break-glass' ? ['carm-webhook:break-glass'] : [])],
        })),
      });
      await installAckKinds(plane);
      webhook = await RecordingWebhook.start();
      // With the gate the conditions see what they do without it, and labels that selectors may ask for.
      await apply(await renderChart({ config: { featureGates: { IAMRoleSelector: true } } }));
      for (const name of ['probe', 'ack-system']) await plane.kubectl(['create', 'namespace', name]);
      await make(
        { method: 'POST', path: ackPath(bucketKind, 'probe'), body: ackResource(bucketKind, 'probe', 'probe') },
        'break-glass',
      );
      await plane.kubectl(['label', 'namespace', 'probe', 'carm-webhook.dev/inject=enabled']);
      // The API server learns of configurations and labels a little later.
      const probe = {
        apiVersion: 'v1',
        kind: 'PodTemplate',
        metadata: { name: 'probe' },
        template: podTemplate('probe'),
      };
      await eventually('the API server calls every entry', async () => {
        await make({ method: 'POST', path: '/api/v1/namespaces/probe/pods?dryRun=All', body: pod('probe') });
        await make({ method: 'POST', path: '/api/v1/namespaces/probe/podtemplates?dryRun=All', body: probe });
        await make({
          method: 'PATCH',
          path: '/api/v1/namespaces/probe?dryRun=All',
          body: {
            metadata: {
              labels: { 'carm-webhook.dev/inject': null },
              annotations: {
                'services.k8s.aws/endpoint-url': 'https://probe.example',
                'services.k8s.aws/region': 'eu-central-1',
              },
            },
          },
        });
        await make({
          method: 'PATCH',
          path: `${ackPath(bucketKind, 'probe', 'probe')}?dryRun=All`,
          body: { spec: { versioning: { status: 'Enabled' } } },
        });
        await make({
          method: 'PATCH',
          path: `${ackPath(bucketKind, 'probe', 'probe')}/status?dryRun=All`,
          body: { status: ackStatus('111122223333', 'eu-central-1') },
        });
        const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ack-role-account-map' } };
        await make({ method: 'POST', path: '/api/v1/namespaces/ack-system/configmaps?dryRun=All', body: map });
        const selector = roleSelector('probe', { arn: 'arn:aws:iam::111122223333:role/probe' });
        await make({ method: 'POST', path: `${ackPath(roleSelectorKind, '')}?dryRun=All`, body: selector });
        return new Set(webhook.take().map(({ path }) => path)).size === entries.length ? true : undefined;
      });
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
  });

  async function apply(manifests: readonly Manifest[]): Promise<void> {
    const configurations = webhookConfigurations(manifests).map(configuration =>
      pointAt(
        configuration,
        ({ name, clientConfig }) => `${webhook.url}${clientConfig.service?.path}/${name}`,
        webhook.caPem,
      ),
    );
    await plane.kubectl(['apply', '-f', '-'], { input: asList(configurations) });
  }

  async function make(call: Call, by: Caller = 'admin') {
    const { method, path, body, contentType } = call;
    return plane.request<Answered>(method, path, body, {
      ...(by === 'admin' ? {} : { token: plane.tokenOf(users[by]) }),
      ...(contentType === undefined ? {} : { contentType }),
    });
  }

  /**
   * An update begins with what the watch cache of the API server holds, and starts over where that was behind: a webhook
   * would see two calls, the first of them about an older object. A read of a version waits until the cache has it.
   */
  async function awaitCache({ method, path }: Call, { metadata }: Answered): Promise<void> {
    if (metadata?.resourceVersion === undefined || metadata.name === undefined) return;
    const object =
      method === 'POST' ? `${path}/${metadata.name}` : path.replace(/(?:\/(?:status|finalize))?(?:\?.*)?$/, '');
    await make({ method: 'GET', path: `${object}?resourceVersion=${metadata.resourceVersion}` }, 'break-glass');
  }

  async function prepare(row: MatchCase): Promise<string> {
    rows += 1;
    const name = `case-${rows}`;
    for (const call of row.given?.(name) ?? []) {
      const { status, body } = await make(call, 'break-glass');
      assert.ok(status < 300, `${call.method} ${call.path} was to prepare the row: ${status} ${JSON.stringify(body)}`);
      await awaitCache(call, body);
    }
    assert.deepEqual(webhook.take(), [], 'what prepares a row is seen by no entry');
    return name;
  }

  function assertPassed(row: MatchCase, status: number, body: unknown): void {
    const passed = row.status === undefined ? status < 300 : status === row.status;
    assert.ok(passed, `${status} ${JSON.stringify(body)}`);
  }

  const cases = [...namespaceCases, ...podCases, ...workloadCases, ...ackMatchCases, ...guardMatchCases];

  describe('with the webhook up', () => {
    for (const row of cases) {
      const seen = row.seenBy.length === 0 ? 'passes by' : 'is seen';
      test(`${row.what}: ${seen}`, { timeout: 20_000, skip: missingCall(row) }, async () => {
        const name = await prepare(row);
        const { status, body } = await make(row.call(name), row.by);
        assertPassed(row, status, body);
        // An entry is asked once for each pass; nobody here changes anything, so there is one pass.
        assert.deepEqual(
          webhook
            .take()
            .map(({ path }) => path.slice(1))
            .sort(),
          [...row.seenBy].sort(),
        );
      });
    }
  });

  describe('with the webhook down', () => {
    before(() => webhook.stop());
    for (const row of cases) {
      const closed = row.seenBy.some(entry => failing.has(entry));
      test(`${row.what}: ${closed ? 'is denied' : 'passes'}`, { timeout: 20_000, skip: missingCall(row) }, async () => {
        const name = await prepare(row);
        const { status, body } = await make(row.call(name), row.by);
        if (!closed) {
          assertPassed(row, status, body);
          return;
        }
        assert.equal(status, 500);
        assert.match(
          body.message ?? '',
          /failed calling webhook "(pods|namespaces|resources|status|maps|selectors)\.carm-webhook\.dev"/,
        );
      });
    }

    test('without the feature gate IAMRoleSelector no label of others waits for the webhook', async () => {
      await apply(await renderDeploy());
      const relabel = (labels: object) => ({
        method: 'PATCH' as const,
        path: '/api/v1/namespaces/probe?dryRun=All',
        body: { metadata: { labels } },
      });
      await eventually('the API server knows the conditions', async () =>
        (await make(relabel({ a: 'b' }))).status === 200 ? true : undefined,
      );
      assert.equal((await make(relabel({ 'carm-webhook.dev/inject': null }))).status, 500);
    });
  });
});
