import { warnings } from '../../src/admission/catalogue/warnings.ts';
import { defaultConfig } from '../../src/admission/config.ts';
import { webhookEntries } from '../../src/admission/record.ts';
import { type ReviewSeries, reviewSeries } from '../../src/admission/review-series.ts';
import { clusterMetricLabels } from '../../src/cli/serve/open-cluster.ts';
import { verificationMetricLabels } from '../../src/cli/serve/verification-metric-labels.ts';
import { Metrics } from '../../src/server/metrics.ts';
import { matches, type Query, type Selector } from './promql.ts';

type Labels = Readonly<Record<string, string>>;

/** What Prometheus adds to every series of a target. https://prometheus.io/docs/concepts/jobs_instances/ */
const targetLabels: ReadonlySet<string> = new Set(['instance', 'job']);

/** What kube-apiserver says of our entries. https://kubernetes.io/docs/reference/instrumentation/metrics/ (`test/e2e/prometheus.e2e.ts` asks a real one.) */
function apiServerSeries(): readonly (readonly [string, Labels])[] {
  const prefix = 'apiserver_admission_webhook';
  return webhookEntries.flatMap((name): readonly (readonly [string, Labels])[] => {
    const call = { name, type: 'admit', operation: 'CREATE', rejected: 'true' };
    const rejection = { name, type: 'admit', operation: 'CREATE', rejection_code: '500' };
    return [
      [`${prefix}_rejection_count`, { ...rejection, error_type: 'calling_webhook_error' }],
      [`${prefix}_request_total`, { ...call, code: '200' }],
      [`${prefix}_admission_duration_seconds_bucket`, { ...call, le: '2.5' }],
    ];
  });
}

/** Every series that Prometheus can have of us: by metric, the labels of each. */
export async function exportedSeries(): Promise<ReadonlyMap<string, readonly Labels[]>> {
  const { registry } = new Metrics({
    version: '0',
    reviewSeries: reviewSeries() satisfies readonly ReviewSeries[],
    warningReasons: Object.keys(warnings),
    cluster: clusterMetricLabels(defaultConfig),
    verification: verificationMetricLabels,
  });
  const series = new Map<string, Labels[]>();
  for (const line of (await registry.metrics()).split('\n')) {
    const [, name, inBraces = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const labels = Object.fromEntries(
      Array.from(inBraces.matchAll(/(\w+)="([^"]*)"/g), ([, key, value]) => [key, value]),
    );
    series.set(name, [...(series.get(name) ?? []), labels]);
  }
  for (const [name, labels] of apiServerSeries()) series.set(name, [...(series.get(name) ?? []), labels]);
  return series;
}

/** Whether there can be a series that a selector asks for; else why not. */
function whyNoSeries(all: ReadonlyMap<string, readonly Labels[]>, { metric, matchers }: Selector): string | undefined {
  const series = all.get(metric);
  if (series === undefined) return `no metric ${metric}`;
  const has = (labels: Labels): boolean =>
    matchers.every(matcher => {
      const value = labels[matcher.label];
      return value !== undefined && matches(matcher, value);
    });
  if (!series.some(has)) return `no series of ${metric} with ${JSON.stringify(matchers)}`;
  // A value that is left out, and that nothing has, is a slip too.
  const idle = matchers.find(matcher => series.every(labels => matches(matcher, labels[matcher.label] ?? '')));
  return idle?.operator.startsWith('!') ? `${metric} never has ${idle.label} ${JSON.stringify(idle.value)}` : undefined;
}

/** What a query, or the words beside it, names and nothing exports. */
export function notExported(
  all: ReadonlyMap<string, readonly Labels[]>,
  { selectors, labels }: Query,
  labelsInWords: readonly string[],
): readonly string[] {
  const known = new Set([
    ...targetLabels,
    ...selectors.flatMap(({ metric }) => (all.get(metric) ?? []).flatMap(Object.keys)),
  ]);
  const wrong = selectors.map(selector => whyNoSeries(all, selector)).filter(why => why !== undefined);
  const unknown = [...labels, ...labelsInWords].filter(label => !known.has(label));
  // Results have no labels but those that they are grouped by, if they are.
  const lost = labels.length === 0 ? [] : labelsInWords.filter(label => !labels.includes(label));
  return [
    ...wrong,
    ...unknown.map(label => `no label ${label}`),
    ...lost.map(label => `${label} is not in the result`),
  ];
}
