/** Series as promtool reads them, a value a minute. https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series */

/** What one firing alert says. */
export interface Firing {
  /** Beside `alertname` and the severity. */
  readonly labels?: Readonly<Record<string, string>>;
  /** `$value` as the alert's words have it. */
  readonly value?: string;
}

export interface AlertCase {
  readonly alert: string;
  readonly what: string;
  /** By series. */
  readonly series: Readonly<Record<string, string>>;
  /** When it is looked at. */
  readonly at: string;
  /** Empty where it must not fire. */
  readonly firing: readonly Firing[];
}

const pods = 'pods.carm-webhook.dev';
const replica = (instance: string): Readonly<Record<string, string>> => ({ instance, job: 'carm-webhook' });
const a = replica('a:8080');
const b = replica('b:8080');

/** A series of a replica. */
function of(
  target: Readonly<Record<string, string>>,
  metric: string,
  labels: Readonly<Record<string, string>> = {},
): string {
  const all = Object.entries({ ...labels, ...target }).map(([name, value]) => `${name}="${value}"`);
  return `${metric}{${all.join()}}`;
}

const reviews = (target: Readonly<Record<string, string>>, outcome: string, reason: string, webhook = pods): string =>
  of(target, 'carm_webhook_reviews_total', { webhook, endpoint: 'mutate', operation: 'CREATE', outcome, reason });
const calls = (code: string, name = pods): string =>
  of({}, 'apiserver_admission_webhook_request_total', { name, type: 'admit', operation: 'CREATE', code });
const failedCalls = (error: string, name = pods): string =>
  of({}, 'apiserver_admission_webhook_rejection_count', {
    name,
    type: 'admit',
    operation: 'CREATE',
    error_type: error,
  });
const ready = (target: Readonly<Record<string, string>>): string => of(target, 'carm_webhook_ready');
const lastEvent = (target: Readonly<Record<string, string>>, resource = 'namespaces'): string =>
  of(target, 'carm_webhook_watch_last_event_timestamp_seconds', { resource });
const reads = (resource: string, result: string): string =>
  of(a, 'carm_webhook_live_reads_total', { resource, result });
const entries = (target: Readonly<Record<string, string>>, map: string, valid: string): string =>
  of(target, 'carm_webhook_map_entries', { map, valid });

/** Buckets of a histogram in which every observation took between 1 and 2.5 s, or below 1 s, at one a minute. */
function latency(
  metric: string,
  labels: Readonly<Record<string, string>>,
  slow: boolean,
): Readonly<Record<string, string>> {
  const grows = '0+60x60';
  const bucket = (le: string, values: string) => [of({}, `${metric}_bucket`, { ...labels, le }), values] as const;
  return Object.fromEntries([bucket('1', slow ? '0x60' : grows), bucket('2.5', grows), bucket('+Inf', grows)]);
}
const apiServerLatency = 'apiserver_admission_webhook_admission_duration_seconds';
const ourLatency = 'carm_webhook_review_duration_seconds';

const day = 86_400;
/** The certificate of a replica, which began `age` days before the series and ends after `lifetime` days. */
function certificate(age: number, lifetime: number): Readonly<Record<string, string>> {
  return {
    [of(a, 'carm_webhook_certificate_not_before_timestamp_seconds')]: `${-age * day}x120`,
    [of(a, 'carm_webhook_certificate_expiry_timestamp_seconds')]: `${(lifetime - age) * day}x120`,
  };
}

/** The age of a last event, of a series whose clock starts at 0: fresh at each minute. */
const fresh = '0+60x60';

export const alertCases: readonly AlertCase[] = [
  {
    alert: 'CarmWebhookNoReplicaReady',
    what: 'both replicas are up and not ready',
    series: { [ready(a)]: '1x5 0x20', [ready(b)]: '1x5 0x20' },
    at: '10m',
    firing: [{}],
  },
  {
    alert: 'CarmWebhookNoReplicaReady',
    what: 'both replicas are gone',
    series: { [ready(a)]: '1x5 stale', [ready(b)]: '0x5 stale' },
    at: '10m',
    firing: [{}],
  },
  {
    alert: 'CarmWebhookNoReplicaReady',
    what: 'one is ready, the other gone',
    series: { [ready(a)]: '1x20', [ready(b)]: '1x5 stale' },
    at: '15m',
    firing: [],
  },
  {
    alert: 'CarmWebhookNoReplicaReady',
    what: 'a restart of both, over within two minutes',
    series: { [ready(a)]: '1x5 0 0 1x10', [ready(b)]: '1x5 0 0 1x10' },
    at: '9m',
    firing: [],
  },
  {
    alert: 'CarmWebhookReplicaNotReady',
    what: 'one of two for 20 minutes',
    series: { [ready(a)]: '1x30', [ready(b)]: '1x5 0x25' },
    at: '25m',
    firing: [{ labels: b }],
  },
  {
    alert: 'CarmWebhookReplicaNotReady',
    what: 'one of two while it is replaced',
    series: { [ready(a)]: '1x30', [ready(b)]: '1x20 0x2 1x10' },
    at: '22m',
    firing: [],
  },
  {
    alert: 'CarmWebhookCallsFail',
    what: 'every call about pods fails',
    series: { [failedCalls('calling_webhook_error')]: '0+2x60', [calls('200')]: '50x60' },
    at: '20m',
    firing: [{ labels: { name: pods } }],
  },
  {
    alert: 'CarmWebhookCallsFail',
    what: 'calls of a client that gives up at once, beside others that succeed',
    series: { [failedCalls('calling_webhook_error')]: '0+20x60', [calls('200')]: '0+1x60' },
    at: '20m',
    firing: [],
  },
  {
    alert: 'CarmWebhookCallsFail',
    what: 'denials, and another webhook that cannot be called',
    series: { [failedCalls('no_error')]: '0+2x60', [failedCalls('calling_webhook_error', 'example.com')]: '0+2x60' },
    at: '20m',
    firing: [],
  },
  {
    alert: 'CarmWebhookPodsUndecided',
    what: 'one replica of two decides nothing',
    series: {
      [reviews(a, 'error', 'Unverified')]: '0+1x60',
      [reviews(a, 'mutated', 'Injected')]: '400x60',
      [reviews(b, 'error', 'Unverified')]: '0x60',
      [reviews(b, 'mutated', 'Injected')]: '0+10x60',
    },
    at: '30m',
    firing: [{ labels: { instance: 'a:8080' } }],
  },
  {
    alert: 'CarmWebhookPodsUndecided',
    what: 'a tenant spends the budget of their namespace, while others create pods',
    series: { [reviews(a, 'error', 'Unverified')]: '0+900x60', [reviews(a, 'mutated', 'Injected')]: '0+1x60' },
    at: '30m',
    firing: [],
  },
  {
    alert: 'CarmWebhookPodsUndecided',
    what: 'nothing but malformed pods, which are the fault of who sends them',
    series: { [reviews(a, 'error', 'InvalidReview')]: '0+10x60', [reviews(a, 'mutated', 'Injected')]: '0x60' },
    at: '30m',
    firing: [],
  },
  {
    alert: 'CarmWebhookCallsSlow',
    what: 'the API server waits between 1 and 2.5 s for each',
    series: latency(apiServerLatency, { name: pods, type: 'admit' }, true),
    at: '40m',
    firing: [{ value: '2.485s' }],
  },
  {
    alert: 'CarmWebhookCallsSlow',
    what: 'it waits less than 1 s, and long for the webhook of somebody else',
    series: {
      ...latency(apiServerLatency, { name: pods, type: 'admit' }, false),
      ...latency(apiServerLatency, { name: 'example.com', type: 'admit' }, true),
    },
    at: '40m',
    firing: [],
  },
  {
    alert: 'CarmWebhookSlow',
    what: 'reviews of pods take between 1 and 2.5 s',
    series: { ...latency(ourLatency, { webhook: pods }, true), ...latency(ourLatency, { webhook: 'other' }, false) },
    at: '40m',
    firing: [{ labels: { webhook: pods }, value: '2.485s' }],
  },
  {
    alert: 'CarmWebhookSlow',
    what: 'no review at all',
    series: Object.fromEntries(Object.keys(latency(ourLatency, { webhook: pods }, true)).map(name => [name, '7x60'])),
    at: '40m',
    firing: [],
  },
  {
    alert: 'CarmWebhookRefusedRequests',
    what: 'connections are refused for 25 minutes',
    series: { [of(a, 'carm_webhook_refused_requests_total', { cause: 'connection' })]: '0+3x60' },
    at: '25m',
    firing: [{ labels: { cause: 'connection' } }],
  },
  {
    alert: 'CarmWebhookRefusedRequests',
    what: 'a burst, and a restart that sets the counter back',
    series: { [of(a, 'carm_webhook_refused_requests_total', { cause: 'body' })]: '0 40x10 0x20' },
    at: '25m',
    firing: [],
  },
  {
    alert: 'CarmWebhookWatchStale',
    what: 'no replica hears of namespaces',
    series: { [lastEvent(a)]: '0+60x10 600x60', [lastEvent(b)]: '0+60x5 300x60', [lastEvent(a, 'account-map')]: fresh },
    at: '30m',
    firing: [{ labels: { resource: 'namespaces' }, value: '20m 0s' }],
  },
  {
    alert: 'CarmWebhookWatchStale',
    what: 'one of two still hears of them',
    series: { [lastEvent(a)]: '0x60', [lastEvent(b)]: fresh },
    at: '30m',
    firing: [],
  },
  {
    alert: 'CarmWebhookReplicaWatchStale',
    what: 'one of two never heard of them',
    series: { [lastEvent(a)]: '0x60', [lastEvent(b)]: fresh },
    at: '30m',
    firing: [{ labels: { ...a, resource: 'namespaces' }, value: '30m 0s' }],
  },
  {
    alert: 'CarmWebhookReplicaWatchStale',
    what: 'a gap of four minutes',
    series: { [lastEvent(a)]: '0+60x10 600x3 840+60x40' },
    at: '30m',
    firing: [],
  },
  {
    alert: 'CarmWebhookLiveReadsFail',
    what: 'three of four reads of the map fail',
    series: { [reads('configmaps', 'error')]: '0+3x60', [reads('configmaps', 'found')]: '0+1x60' },
    at: '30m',
    firing: [{ value: '75%' }],
  },
  {
    alert: 'CarmWebhookLiveReadsFail',
    what: "a tenant's ServiceAccount cannot be read, and a namespace spends its budget",
    series: {
      [reads('serviceaccounts', 'error')]: '0+30x60',
      [reads('configmaps', 'throttled')]: '0+30x60',
      [reads('configmaps', 'error')]: '0x60',
      [reads('configmaps', 'found')]: '0+1x60',
    },
    at: '30m',
    firing: [],
  },
  {
    alert: 'CarmWebhookUnverified',
    what: 'half an hour of it, with a restart between',
    series: { [reviews(a, 'error', 'Unverified')]: '0+1x20 0+1x20' },
    at: '35m',
    firing: [{ labels: { webhook: pods } }],
  },
  {
    alert: 'CarmWebhookUnverified',
    what: 'a burst of a minute',
    series: { [reviews(a, 'error', 'Unverified')]: '0x20 80x40' },
    at: '35m',
    firing: [],
  },
  {
    alert: 'CarmWebhookInternalErrors',
    what: 'a single one',
    series: { [reviews(a, 'error', 'InternalError')]: '0x10 1x40', [reviews(b, 'error', 'InternalError')]: '0x50' },
    at: '20m',
    firing: [{ labels: { webhook: pods } }],
  },
  {
    alert: 'CarmWebhookInternalErrors',
    what: 'one that is long over',
    series: { [reviews(a, 'error', 'InternalError')]: '0x10 1x60' },
    at: '50m',
    firing: [],
  },
  {
    alert: 'CarmWebhookVersionsDiffer',
    what: 'an upgrade that stopped half way',
    series: {
      [of(a, 'carm_webhook_build_info', { version: '0.1.0' })]: '1x120',
      [of(b, 'carm_webhook_build_info', { version: '0.2.0' })]: '1x120',
    },
    at: '90m',
    firing: [{ value: '2' }],
  },
  {
    alert: 'CarmWebhookVersionsDiffer',
    what: 'an upgrade that took ten minutes',
    series: {
      [of(a, 'carm_webhook_build_info', { version: '0.1.0' })]: '1x10 stale',
      [of(b, 'carm_webhook_build_info', { version: '0.2.0' })]: '1x120',
    },
    at: '90m',
    firing: [],
  },
  {
    alert: 'CarmWebhookCertificateEnds',
    what: 'two days before the end of 90',
    series: certificate(88, 90),
    at: '6m',
    firing: [{ labels: a, value: '1d 23h 54m 0s' }],
  },
  {
    alert: 'CarmWebhookCertificateEnds',
    what: 'a certificate of one day, twelve hours before its end',
    series: certificate(0.5, 1),
    at: '60m',
    firing: [],
  },
  {
    alert: 'CarmWebhookCertificateEnds',
    what: 'four days before the end of 90',
    series: certificate(86, 90),
    at: '60m',
    firing: [],
  },
  {
    alert: 'CarmWebhookCertificateNotRenewed',
    what: 'twenty days before the end of 90',
    series: certificate(70, 90),
    at: '90m',
    firing: [{ labels: a, value: '19d 22h 30m 0s' }],
  },
  {
    alert: 'CarmWebhookCertificateNotRenewed',
    what: 'thirty days before the end of 90, when cert-manager renews it',
    series: certificate(60, 90),
    at: '90m',
    firing: [],
  },
  {
    alert: 'CarmWebhookCertificateNotRenewed',
    what: 'a year before the end of ten',
    series: certificate(9 * 365, 10 * 365),
    at: '90m',
    firing: [],
  },
  {
    alert: 'CarmWebhookCertificateNotLoadable',
    what: 'files that cannot be served for a quarter of an hour',
    series: { [of(a, 'carm_webhook_certificate_reload_failed')]: '0x5 1x30' },
    at: '20m',
    firing: [{ labels: a }],
  },
  {
    alert: 'CarmWebhookCertificateNotLoadable',
    what: 'a pair that was seen half written',
    series: { [of(a, 'carm_webhook_certificate_reload_failed')]: '0x5 1 0x30' },
    at: '20m',
    firing: [],
  },
  {
    alert: 'CarmWebhookAccountMapEmpty',
    what: 'the map was emptied',
    series: { [entries(a, 'account', 'true')]: '12x10 0x60', [entries(b, 'account', 'true')]: '12x10 0x60' },
    at: '30m',
    firing: [{}],
  },
  {
    alert: 'CarmWebhookAccountMapEmpty',
    what: 'a cluster without entries, and a team map without any',
    series: { [entries(a, 'account', 'true')]: '0x60', [entries(a, 'team', 'true')]: '5x10 0x50' },
    at: '30m',
    firing: [],
  },
  {
    alert: 'CarmWebhookAccountMapEmpty',
    what: 'one replica has only just started',
    series: { [entries(a, 'account', 'true')]: '12x60', [entries(b, 'account', 'true')]: '_x20 0x40' },
    at: '30m',
    firing: [],
  },
  {
    alert: 'CarmWebhookMapEntriesInvalid',
    what: 'two entries, as both replicas see them',
    series: { [entries(a, 'account', 'false')]: '2x60', [entries(b, 'account', 'false')]: '2x60' },
    at: '30m',
    firing: [{ labels: { map: 'account' }, value: '2' }],
  },
  {
    alert: 'CarmWebhookMapEntriesInvalid',
    what: 'a slip that was corrected',
    series: { [entries(a, 'account', 'false')]: '0x10 1x5 0x45' },
    at: '30m',
    firing: [],
  },
  {
    alert: 'CarmWebhookDenials',
    what: 'a ReplicaSet that is denied at each retry, once in 14 minutes, by either replica',
    series: {
      [reviews(a, 'denied', 'AccountNotMapped')]: '0x5 1x13 2x40',
      [reviews(b, 'denied', 'AccountNotMapped')]: '0x32 1x40',
    },
    at: '34m',
    firing: [{ labels: { webhook: pods, reason: 'AccountNotMapped' } }],
  },
  {
    alert: 'CarmWebhookDenials',
    what: 'one denial, another for another reason, and what is only warned of',
    series: {
      [reviews(a, 'denied', 'AccountNotMapped')]: '0x5 1x60',
      [reviews(a, 'denied', 'ControllerRole')]: '0x30 1x30',
      [reviews(a, 'warned', 'AccountNotMapped')]: '0+1x60',
    },
    at: '34m',
    firing: [],
  },
  {
    alert: 'CarmWebhookRolesBroken',
    what: 'each replica has verified its own',
    series: {
      [of(a, 'carm_webhook_verified_roles', { result: 'broken' })]: '1x60',
      [of(b, 'carm_webhook_verified_roles', { result: 'broken' })]: '2x60',
    },
    at: '40m',
    firing: [{ value: '3' }],
  },
  {
    alert: 'CarmWebhookRolesBroken',
    what: 'unknown ones, which is usual',
    series: { [of(a, 'carm_webhook_verified_roles', { result: 'unknown' })]: '50x60' },
    at: '40m',
    firing: [],
  },
  {
    alert: 'CarmWebhookVerificationStalled',
    what: 'a replica that never finished its first round',
    series: {
      [of(a, 'carm_webhook_role_verification_last_round_timestamp_seconds')]: '0x120',
      [of(a, 'carm_webhook_role_verification_replicas')]: '2x120',
    },
    at: '100m',
    firing: [{ labels: a }],
  },
  {
    alert: 'CarmWebhookVerificationStalled',
    what: 'without --verify-roles',
    series: {
      [of(a, 'carm_webhook_role_verification_last_round_timestamp_seconds')]: '0x120',
      [of(a, 'carm_webhook_role_verification_replicas')]: '0x120',
    },
    at: '100m',
    firing: [],
  },
];
