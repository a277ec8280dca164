import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ReviewRecord, WebhookEntry } from '../admission/record.ts';
import type { ReviewSeries } from '../admission/review-series.ts';
import { type ClusterMetricLabels, ClusterMetrics } from './cluster-metrics.ts';
import { type HttpErrorStatus, httpErrorStatuses } from './http-error.ts';
import { type ShortageCause, shortageCauses } from './shortage-cause.ts';

export interface MetricsOptions {
  readonly version: string;
  /** The series that can occur: each stands at 0 from the start, so that the first increase is seen. */
  readonly reviewSeries: readonly ReviewSeries[];
  readonly warningReasons: readonly string[];
  readonly cluster?: ClusterMetricLabels;
  /** Process and Node.js metrics too; default true. */
  readonly processMetrics?: boolean;
}

/** 0.1 ms to 5 s, five steps a decade at most: a review takes well under 1 ms, and the API server waits seconds. */
export const durationBucketsSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
] as const;

/**
 * All metrics, in a registry of their own. Each is a method: there is no name to get wrong. Labels come from closed
 * sets; no namespace, name or account is ever one.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly cluster: ClusterMetrics;
  readonly #reviews: Counter<'webhook' | 'operation' | 'outcome' | 'reason'>;
  readonly #duration: Histogram<'webhook'>;
  readonly #warnings: Counter<'reason'>;
  readonly #httpErrors: Counter<'code'>;
  readonly #shortages: Counter<'cause'>;
  #inFlight = 0;
  #certificateExpiryMs: (() => number | undefined) | undefined;

  constructor(options: MetricsOptions) {
    const registers = [this.registry];
    this.#reviews = new Counter({
      name: 'carm_webhook_reviews_total',
      help: 'Admission reviews answered, by what became of them.',
      labelNames: ['webhook', 'operation', 'outcome', 'reason'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'carm_webhook_review_duration_seconds',
      help: 'From the headers of an admission review to its answer.',
      labelNames: ['webhook'],
      buckets: [...durationBucketsSeconds],
      registers,
    });
    this.#warnings = new Counter({
      name: 'carm_webhook_warnings_total',
      help: 'Warnings given with answers.',
      labelNames: ['reason'],
      registers,
    });
    this.#httpErrors = new Counter({
      name: 'carm_webhook_http_errors_total',
      help: 'Requests to the webhook port that were no admission review, by the HTTP status of their answer.',
      labelNames: ['code'],
      registers,
    });
    this.#shortages = new Counter({
      name: 'carm_webhook_refused_requests_total',
      help: 'Requests and connections refused or cut off because capacity was short, by what was short.',
      labelNames: ['cause'],
      registers,
    });
    this.cluster = new ClusterMetrics(this.registry, options.cluster);
    this.#addGauges(options.version);
    this.#fillWithZeros(options);
    if (options.processMetrics ?? true) collectDefaultMetrics({ register: this.registry });
  }

  reviewBegan(): void {
    this.#inFlight++;
  }

  /** One review is over: the one place where it is counted. */
  reviewed({ webhook, operation, outcome, reason, warnings }: ReviewRecord, durationSeconds: number): void {
    this.#inFlight--;
    this.#reviews.inc({ webhook, operation, outcome, reason });
    this.#duration.observe({ webhook }, durationSeconds);
    for (const warning of warnings) this.#warnings.inc({ reason: warning });
  }

  refused(code: HttpErrorStatus): void {
    this.#httpErrors.inc({ code });
  }

  shortage(cause: ShortageCause): void {
    this.#shortages.inc({ cause });
  }

  /** @param expiresAtMs asked at each scrape; milliseconds since the epoch. */
  watchCertificateExpiry(expiresAtMs: () => number | undefined): void {
    this.#certificateExpiryMs = expiresAtMs;
  }

  #addGauges(version: string): void {
    const registers = [this.registry];
    const inFlight = (): number => this.#inFlight;
    const expiryMs = (): number | undefined => this.#certificateExpiryMs?.();
    new Gauge({
      name: 'carm_webhook_reviews_in_flight',
      help: 'Admission reviews being decided.',
      registers,
      collect() {
        this.set(inFlight());
      },
    });
    new Gauge({
      name: 'carm_webhook_certificate_expiry_timestamp_seconds',
      help: 'When the certificate being served expires, in seconds since the epoch; 0 without one.',
      registers,
      collect() {
        this.set((expiryMs() ?? 0) / 1000);
      },
    });
    new Gauge({
      name: 'carm_webhook_build_info',
      help: 'Always 1; the version is the label.',
      labelNames: ['version'],
      registers,
    }).set({ version }, 1);
  }

  #fillWithZeros({ reviewSeries, warningReasons }: MetricsOptions): void {
    const webhooks = new Set<WebhookEntry | 'unknown'>();
    for (const { webhook, operation, outcome, reason } of reviewSeries) {
      this.#reviews.inc({ webhook, operation, outcome, reason }, 0);
      webhooks.add(webhook);
    }
    for (const webhook of webhooks) this.#duration.zero({ webhook });
    for (const reason of warningReasons) this.#warnings.inc({ reason }, 0);
    for (const code of httpErrorStatuses) this.#httpErrors.inc({ code }, 0);
    for (const cause of shortageCauses) this.#shortages.inc({ cause }, 0);
  }
}
