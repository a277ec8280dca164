import { Agent, get } from 'node:https';
import { text } from 'node:stream/consumers';
import { nodeAddress } from '../testbed/node/node-settings.ts';
import { webhookNamespace } from './node-cluster.ts';

/** The results of kubelet's probes of the webhook's pods: `POD Readiness failed` -> how many. */
export type ProbeCounts = ReadonlyMap<string, number>;

/** Kubelet's own count, which has each probe; events are merged. https://kubernetes.io/docs/reference/instrumentation/metrics/ */
export async function probeCounts(): Promise<ProbeCounts> {
  const agent = new Agent({ rejectUnauthorized: false });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const signal = AbortSignal.timeout(5_000);
  get(`https://${nodeAddress}:10250/metrics/probes`, { agent, signal }, response => {
    if (response.statusCode === 200) text(response).then(resolve, reject);
    else reject(new Error(`kubelet's metrics: ${response.statusCode}`));
  }).on('error', reject);
  const counts = new Map<string, number>();
  for (const line of (await promise).split('\n')) {
    const [, labels = '', value] = /^prober_probe_total\{(.*)\} (\S+)$/.exec(line) ?? [];
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1] ?? '';
    if (label('namespace') !== webhookNamespace) continue;
    counts.set(`${label('pod')} ${label('probe_type')} ${label('result')}`, Number(value));
  }
  if (counts.size === 0) throw new Error('kubelet counts no probes of the webhook');
  return counts;
}

/** How many of a pod's probes ended so, of all types. */
export function countOf(counts: ProbeCounts, pod: string, result: 'successful' | 'failed'): number {
  return ['Liveness', 'Readiness'].reduce((sum, type) => sum + (counts.get(`${pod} ${type} ${result}`) ?? 0), 0);
}
