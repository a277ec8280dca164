import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { alertsFile } from '../prometheus/alerts.ts';
import { shippedDashboard } from '../prometheus/dashboard.ts';
import { monitorRelabelings } from '../prometheus/relabelings.ts';
import { withEachHelm } from './each-helm.ts';
import { HelmFailed, templateChart } from './helm.ts';

type Labels = Readonly<Record<string, string>>;

interface Monitor {
  readonly namespaceSelector: { readonly matchNames: readonly string[] };
  readonly selector: { readonly matchLabels: Labels };
  readonly endpoints?: readonly Endpoint[];
  readonly podMetricsEndpoints?: readonly Endpoint[];
}

interface Endpoint {
  readonly port: string;
  readonly path: string;
  readonly interval?: string;
  readonly relabelings: readonly object[];
}

interface Rendered<Spec> {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels: Labels };
  readonly spec: Spec;
  readonly data?: Labels;
}

interface PodOwner {
  readonly template: {
    readonly metadata: { readonly labels: Labels };
    readonly spec: { readonly containers: readonly { readonly ports: readonly { readonly name: string }[] }[] };
  };
}

interface ServiceSpec {
  readonly selector: Labels;
  readonly ports: readonly { readonly name: string; readonly targetPort: string }[];
}

const image = { repository: 'carm-webhook' };
const isWithin = (some: Labels, all: Labels): boolean =>
  Object.entries(some).every(([key, value]) => all[key] === value);

/** What a monitor's own settings come to: another namespace, and what is to be done to labels. */
const settings = {
  enabled: true,
  namespace: 'monitoring',
  labels: { release: 'prometheus' },
  interval: '15s',
  relabelings: [{ action: 'replace', targetLabel: 'cluster', replacement: 'one' }],
};

withEachHelm('what Prometheus and Grafana get of the chart', helm => {
  async function render(metrics: object) {
    const text = await templateChart(helm, { image, metrics }, { namespace: 'aws', release: 'one' });
    const objects = parseAllDocuments(text).map(document => document.toJS() as Rendered<unknown> | null);
    return <Spec>(kind: string, name?: string): Rendered<Spec> => {
      const found = objects.filter(each => each?.kind === kind && (name === undefined || each.metadata.name === name));
      assert.equal(found.length, 1, `${kind} ${name ?? ''}`);
      return found[0] as Rendered<Spec>;
    };
  }

  function checkEndpoint(endpoint: Endpoint | undefined): string {
    assert.ok(endpoint !== undefined);
    assert.deepEqual([endpoint.path, endpoint.interval], ['/metrics', '15s']);
    assert.deepEqual(endpoint.relabelings, [...monitorRelabelings, ...settings.relabelings]);
    return endpoint.port;
  }

  test('nothing, unless it is asked for', async () => {
    const text = await templateChart(helm, { image });
    assert.doesNotMatch(text, /monitoring\.coreos\.com|grafana_dashboard|-metrics$/m);
  });

  test('a ServiceMonitor, which finds one Service, whose port is that of the pods', async () => {
    const of = await render({ serviceMonitor: settings });
    const { metadata, spec } = of<Monitor>('ServiceMonitor');
    assert.deepEqual([metadata.namespace, metadata.labels['release']], ['monitoring', 'prometheus']);
    assert.deepEqual(spec.namespaceSelector.matchNames, ['aws']);
    const service = of<ServiceSpec>('Service', 'one-carm-webhook-metrics');
    const other = of<ServiceSpec>('Service', 'one-carm-webhook');
    assert.deepEqual(
      [service, other].map(({ metadata: { labels } }) => isWithin(spec.selector.matchLabels, labels)),
      [true, false],
    );
    const [port] = service.spec.ports;
    assert.equal(checkEndpoint(spec.endpoints?.[0]), port?.name);
    const { template } = of<PodOwner>('Deployment').spec;
    assert.ok(isWithin(service.spec.selector, template.metadata.labels));
    assert.ok(template.spec.containers[0]?.ports.some(({ name }) => name === port?.targetPort));
  });

  test('a PodMonitor, which finds the pods and their port', async () => {
    const of = await render({ podMonitor: settings });
    const { metadata, spec } = of<Monitor>('PodMonitor');
    assert.deepEqual([metadata.namespace, metadata.labels['release']], ['monitoring', 'prometheus']);
    assert.deepEqual(spec.namespaceSelector.matchNames, ['aws']);
    const { template } = of<PodOwner>('Deployment').spec;
    assert.ok(isWithin(spec.selector.matchLabels, template.metadata.labels));
    const port = checkEndpoint(spec.podMetricsEndpoints?.[0]);
    assert.ok(template.spec.containers[0]?.ports.some(({ name }) => name === port));
  });

  test('not both monitors, which would count everything twice', async () => {
    const both = { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } };
    await assert.rejects(
      render(both),
      error => error instanceof HelmFailed && /choose one, or everything is counted twice/.test(error.message),
    );
  });

  test('the alerts and the dashboard, as they are', async () => {
    const of = await render({
      prometheusRule: { enabled: true, labels: { release: 'p' } },
      dashboard: { enabled: true },
    });
    const rule = of('PrometheusRule');
    assert.equal(rule.metadata.labels['release'], 'p');
    assert.deepEqual(rule.spec, parse(readFileSync(alertsFile, 'utf8')));
    const dashboard = of('ConfigMap', 'one-carm-webhook-dashboard');
    assert.equal(dashboard.metadata.labels['grafana_dashboard'], '1');
    assert.deepEqual(JSON.parse(dashboard.data?.['carm-webhook.json'] ?? ''), shippedDashboard());
  });
});
