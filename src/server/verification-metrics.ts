import type { Counter, Registry } from 'prom-client';
import { metricsIn } from './metrics-in.ts';

/** The closed sets of label values of what `--verify-roles` does. */
export interface VerificationMetricLabels {
  readonly results: readonly string[];
  readonly outcomes: readonly string[];
  readonly eventResults: readonly string[];
}

/** What verifies roles, as far as metrics ask it. */
export interface VerificationState {
  counts(): Readonly<Record<string, number>>;
  /** Undefined while nobody knows. */
  replicas(): number | undefined;
}

/** What is known of the roles that pods take. */
export class VerificationMetrics {
  readonly #calls: Counter<'outcome'>;
  readonly #events: Counter<'result'>;
  #lastRoundMs = 0;
  #state: VerificationState | undefined;

  constructor(registry: Registry, labels: VerificationMetricLabels | undefined) {
    const { counter, measure, measureEach } = metricsIn(registry);
    const noRoles = Object.fromEntries((labels?.results ?? []).map(result => [result, 0]));
    measureEach(
      'carm_webhook_verified_roles',
      'Roles that this replica verifies, by what is known of them.',
      'result',
      () => this.#state?.counts() ?? noRoles,
    );
    this.#calls = counter(
      'carm_webhook_role_verifications_total',
      'Calls of AWS STS to verify a role, by their outcome.',
      ['outcome'],
    );
    measure(
      'carm_webhook_role_verification_last_round_timestamp_seconds',
      'When every role of this replica was last asked for, in seconds since the epoch; 0 before the first time.',
      () => this.#lastRoundMs / 1000,
    );
    measure(
      'carm_webhook_role_verification_replicas',
      'Replicas that share the roles; 0 while this one does not know the others, or verifies none.',
      () => this.#state?.replicas() ?? 0,
    );
    this.#events = counter('carm_webhook_namespace_events_total', 'Events about namespaces, by what became of them.', [
      'result',
    ]);
    for (const outcome of labels?.outcomes ?? []) this.#calls.inc({ outcome }, 0);
    for (const result of labels?.eventResults ?? []) this.#events.inc({ result }, 0);
  }

  /** @param state asked at each scrape. */
  watch(state: VerificationState): void {
    this.#state = state;
  }

  countCall(outcome: string): void {
    this.#calls.inc({ outcome });
  }

  countEvent(result: string): void {
    this.#events.inc({ result });
  }

  /** @param atMs milliseconds since the epoch. */
  roundCompleted(atMs: number): void {
    this.#lastRoundMs = atMs;
  }
}
