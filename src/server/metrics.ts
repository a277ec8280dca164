import { type Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { endpoints, outcomes, type ReviewRecord, type WebhookEntry } from '../admission/record.ts';
import type { ReviewSeries } from '../admission/review-series.ts';
import type { CertificateSource } from './certificate.ts';
import { type ClusterMetricLabels, ClusterMetrics } from './cluster-metrics.ts';
import { type HttpErrorStatus, httpErrorStatuses } from './http-error.ts';
import { metricsIn } from './metrics-in.ts';
import { type ShortageCause, shortageCauses } from './shortage.ts';
import { type VerificationMetricLabels, VerificationMetrics } from './verification-metrics.ts';

export interface MetricsOptions {
  readonly version: string;
  /** The series that can occur: each stands at 0 from the start, so that the first increase is seen. */
  readonly reviewSeries: readonly ReviewSeries[];
  readonly warningReasons: readonly string[];
  readonly cluster?: ClusterMetricLabels;
  readonly verification?: VerificationMetricLabels;
  /** Process and Node.js metrics too; default true. */
  readonly processMetrics?: boolean;
}

/** 0.1 ms to 5 s, five steps a decade at most: a review takes well under 1 ms, and the API server waits seconds. */
export const durationBucketsSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
] as const;

/**
 * Gauges of prom-client that are named like counters: `promtool check metrics` rejects them, and a `rate()` of one means nothing.
 * The same counts by type stay. https://github.com/siimon/prom-client/blob/master/lib/metrics/processResources.js
 */
const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/**
 * All metrics, in a registry of their own. Each is a method: there is no name to get wrong. Labels come from closed
 * sets; no namespace, name or account is ever one.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly cluster: ClusterMetrics;
  readonly verification: VerificationMetrics;
  readonly #reviews: Counter<'webhook' | 'endpoint' | 'operation' | 'outcome' | 'reason'>;
  readonly #dryRuns: Counter<'endpoint' | 'outcome'>;
  readonly #duration: Histogram<'webhook'>;
  readonly #warnings: Counter<'reason'>;
  readonly #httpErrors: Counter<'code'>;
  readonly #shortages: Counter<'cause'>;
  readonly #certificateErrors: Counter<never>;
  #inFlight = 0;
  #certificate: Pick<CertificateSource, 'current' | 'reloadFailed'> | undefined;
  #isReady: () => boolean = () => false;

  constructor(options: MetricsOptions) {
    const { counter, gauge, measure } = metricsIn(this.registry);
    this.#reviews = counter(
      'carm_webhook_reviews_total',
      'Admission reviews answered, by what became of them; without dry runs.',
      ['webhook', 'endpoint', 'operation', 'outcome', 'reason'],
    );
    this.#dryRuns = counter('carm_webhook_dry_run_reviews_total', 'Admission reviews of dry runs answered.', [
      'endpoint',
      'outcome',
    ]);
    this.#duration = new Histogram({
      name: 'carm_webhook_review_duration_seconds',
      help: 'From the headers of an admission review to its answer; with dry runs.',
      labelNames: ['webhook'],
      buckets: [...durationBucketsSeconds],
      registers: [this.registry],
    });
    this.#warnings = counter('carm_webhook_warnings_total', 'Warnings given with answers; with dry runs.', ['reason']);
    this.#httpErrors = counter(
      'carm_webhook_http_errors_total',
      'Requests to the webhook port that were no admission review, by the HTTP status of their answer.',
      ['code'],
    );
    this.#shortages = counter(
      'carm_webhook_refused_requests_total',
      'Requests and connections refused or cut off because capacity was short, by what was short.',
      ['cause'],
    );
    this.#certificateErrors = counter(
      'carm_webhook_certificate_errors_total',
      'Times that new contents of the certificate files could not be served; the last good certificate stays.',
      [],
    );
    this.cluster = new ClusterMetrics(this.registry, options.cluster);
    this.verification = new VerificationMetrics(this.registry, options.verification);
    measure('carm_webhook_reviews_in_flight', 'Admission reviews being decided.', () => this.#inFlight);
    measure('carm_webhook_ready', '1 while /readyz says that reviews may be sent here, else 0.', () =>
      this.#isReady() ? 1 : 0,
    );
    measure(
      'carm_webhook_certificate_not_before_timestamp_seconds',
      'From when on the certificate being served is valid, in seconds since the epoch; 0 without one.',
      () => (this.#certificate?.current.validFromMs ?? 0) / 1000,
    );
    measure(
      'carm_webhook_certificate_expiry_timestamp_seconds',
      'When the certificate being served expires, in seconds since the epoch; 0 without one.',
      () => (this.#certificate?.current.expiresAtMs ?? 0) / 1000,
    );
    measure(
      'carm_webhook_certificate_reload_failed',
      '1 while the certificate files hold what cannot be served, and an older certificate is served instead.',
      () => (this.#certificate?.reloadFailed ? 1 : 0),
    );
    const buildInfo = gauge('carm_webhook_build_info', 'Always 1; the version is the label.', ['version']);
    buildInfo.set({ version: options.version }, 1);
    this.#fillWithZeros(options);
    if (options.processMetrics ?? true) this.#addProcessMetrics();
  }

  reviewBegan(): void {
    this.#inFlight++;
  }

  /** One review is over: the one place where it is counted. */
  reviewed(record: ReviewRecord, durationSeconds: number): void {
    const { webhook, endpoint, operation, outcome, reason, warnings } = record;
    this.#inFlight--;
    this.#duration.observe({ webhook }, durationSeconds);
    if (record.dryRun) this.#dryRuns.inc({ endpoint, outcome });
    else this.#reviews.inc({ webhook, endpoint, operation, outcome, reason });
    for (const warning of warnings) this.#warnings.inc({ reason: warning });
  }

  refused(code: HttpErrorStatus): void {
    this.#httpErrors.inc({ code });
  }

  shortage(cause: ShortageCause): void {
    this.#shortages.inc({ cause });
  }

  certificateFailed(): void {
    this.#certificateErrors.inc();
  }

  /** @param certificate asked at each scrape. */
  watchCertificate(certificate: Pick<CertificateSource, 'current' | 'reloadFailed'>): void {
    this.#certificate = certificate;
  }

  /** @param isReady asked at each scrape. */
  watchReadiness(isReady: () => boolean): void {
    this.#isReady = isReady;
  }

  #addProcessMetrics(): void {
    collectDefaultMetrics({ register: this.registry });
    for (const name of misnamed) this.registry.removeSingleMetric(name);
  }

  #fillWithZeros({ reviewSeries, warningReasons }: MetricsOptions): void {
    const webhooks = new Set<WebhookEntry | 'unknown'>();
    for (const series of reviewSeries) {
      this.#reviews.inc({ ...series }, 0);
      webhooks.add(series.webhook);
    }
    for (const endpoint of endpoints) {
      for (const outcome of outcomes) this.#dryRuns.inc({ endpoint, outcome }, 0);
    }
    for (const webhook of webhooks) this.#duration.zero({ webhook });
    for (const reason of warningReasons) this.#warnings.inc({ reason }, 0);
    for (const code of httpErrorStatuses) this.#httpErrors.inc({ code }, 0);
    for (const cause of shortageCauses) this.#shortages.inc({ cause }, 0);
  }
}
