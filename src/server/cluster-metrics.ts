import type { Counter, Gauge, Registry } from 'prom-client';
import { metricsIn } from './metrics-in.ts';

/** The closed sets of label values that the cluster will use; every counter stands at 0 for each from the start. */
export interface ClusterMetricLabels {
  readonly maps: readonly string[];
  readonly watchedResources: readonly string[];
  readonly restartCauses: readonly string[];
  readonly liveReadResources: readonly string[];
  readonly liveReadResults: readonly string[];
}

/** What is known of the cluster, and how fresh it is. */
export class ClusterMetrics {
  readonly #boundNamespaces: Gauge;
  readonly #mapEntries: Gauge<'map' | 'valid'>;
  readonly #watchSynced: Gauge<'resource'>;
  readonly #watchLastEvent: Gauge<'resource'>;
  readonly #watchRestarts: Counter<'resource' | 'cause'>;
  readonly #liveReads: Counter<'resource' | 'result'>;

  constructor(registry: Registry, labels: ClusterMetricLabels | undefined) {
    const { counter, gauge } = metricsIn(registry);
    this.#boundNamespaces = gauge('carm_webhook_bound_namespaces', 'Namespaces that have a binding.');
    this.#mapEntries = gauge(
      'carm_webhook_map_entries',
      'Entries of the account and team maps, by whether they can be used.',
      ['map', 'valid'],
    );
    this.#watchSynced = gauge('carm_webhook_watch_synced', '1 once the resource was listed completely.', ['resource']);
    this.#watchLastEvent = gauge(
      'carm_webhook_watch_last_event_timestamp_seconds',
      'When the watch last brought an event, a bookmark or a list, in seconds since the epoch; 0 before the first.',
      ['resource'],
    );
    this.#watchRestarts = counter('carm_webhook_watch_restarts_total', 'Watches that ended and were started again.', [
      'resource',
      'cause',
    ]);
    this.#liveReads = counter('carm_webhook_live_reads_total', 'Objects read from the API server for a decision.', [
      'resource',
      'result',
    ]);
    if (labels !== undefined) this.#fillWithZeros(labels);
  }

  setBoundNamespaces(count: number): void {
    this.#boundNamespaces.set(count);
  }

  setMapEntries(map: string, valid: boolean, count: number): void {
    this.#mapEntries.set({ map, valid: String(valid) }, count);
  }

  setWatchSynced(resource: string, synced: boolean): void {
    this.#watchSynced.set({ resource }, synced ? 1 : 0);
  }

  /** @param atMs milliseconds since the epoch. */
  setWatchLastEvent(resource: string, atMs: number): void {
    this.#watchLastEvent.set({ resource }, atMs / 1000);
  }

  countWatchRestart(resource: string, cause: string): void {
    this.#watchRestarts.inc({ resource, cause });
  }

  countLiveRead(resource: string, result: string): void {
    this.#liveReads.inc({ resource, result });
  }

  #fillWithZeros(labels: ClusterMetricLabels): void {
    for (const map of labels.maps) {
      this.setMapEntries(map, true, 0);
      this.setMapEntries(map, false, 0);
    }
    for (const resource of labels.watchedResources) {
      this.setWatchSynced(resource, false);
      this.setWatchLastEvent(resource, 0);
      for (const cause of labels.restartCauses) this.#watchRestarts.inc({ resource, cause }, 0);
    }
    for (const resource of labels.liveReadResources) {
      for (const result of labels.liveReadResults) this.#liveReads.inc({ resource, result }, 0);
    }
  }
}
