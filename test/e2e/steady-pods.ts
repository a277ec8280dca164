import { setTimeout as sleep } from 'node:timers/promises';
import { ApiCallFailed } from '../testbed/api-client.ts';
import type { BoundNamespace, PodAnswer } from './bound-namespace.ts';
import { credentialsOf } from './injected-credentials.ts';

/** What became of one call. */
type Outcome =
  | 'injected'
  /** While nobody promises a role: see `mayBeWithoutRole`. */
  | 'without-role'
  /** The API server itself was away: see `apiServerIsAway`. */
  | 'api-server-away'
  | 'failed';

export interface FailedCall {
  /** What the test did meanwhile. */
  readonly phase: string;
  readonly why: string;
}

export interface SteadyPodsOptions {
  /** All but the storing: nothing is kept, and neither scheduler nor kubelet has work by it. */
  readonly dryRun?: boolean;
}

const tickMs = 10;

/**
 * Creates pods at a steady rate, however long each takes, without ever trying one again.
 *
 * While the API server is told to stop or start (`apiServerIsAway`), a call counts as the API server's own failure when it has
 * no answer at all, or one of 429 or 5xx whose message speaks of no webhook: those of admission webhooks always do ("failed
 * calling webhook …", "admission webhook … denied the request"). At any other time every answer but a pod with credentials
 * is a failure, and so is no answer.
 */
export class SteadyPods {
  readonly #namespace: BoundNamespace;
  readonly #roleArn: string;
  readonly #everyMs: number;
  readonly #dryRun: boolean;
  readonly #stopping = new AbortController();
  readonly #calls = new Set<Promise<void>>();
  readonly #outcomes = new Map<Outcome, number>();
  readonly failures: FailedCall[] = [];
  readonly phases = new Map<string, number>();
  /** What is being done meanwhile, for the record of failures. */
  phase = 'nothing';
  /** While the webhook is installed or uninstalled: a pod is created, with its role or with none. */
  mayBeWithoutRole = false;
  #apiServerIsAway = false;
  #isPaused = false;
  #activeMs = 0;
  #started = 0;
  #slowestMs = 0;

  constructor(
    namespace: BoundNamespace,
    roleArn: string,
    perSecond: number,
    { dryRun = false }: SteadyPodsOptions = {},
  ) {
    this.#namespace = namespace;
    this.#roleArn = roleArn;
    this.#everyMs = 1000 / perSecond;
    this.#dryRun = dryRun;
  }

  /** Creates pods while `run` runs; settles when the last call has its answer. */
  async during(run: () => Promise<void>): Promise<void> {
    const creating = this.#run();
    try {
      await run();
    } finally {
      this.#stopping.abort();
      await creating;
      await Promise.all(this.#calls);
    }
  }

  /** Creation goes on while the API server stops, pauses while it is away, and goes on when it is back. */
  async whileApiServerIsAway(stop: () => Promise<void>, start: () => Promise<void>): Promise<void> {
    this.#apiServerIsAway = true;
    await stop();
    this.#isPaused = true;
    await Promise.all(this.#calls);
    await start();
    this.#isPaused = false;
    this.#apiServerIsAway = false;
  }

  count(outcome: Outcome): number {
    return this.#outcomes.get(outcome) ?? 0;
  }

  get started(): number {
    return this.#started;
  }

  /** Calls a second, the pauses left out. */
  get perSecond(): number {
    return this.#started / (this.#activeMs / 1000);
  }

  get slowestMs(): number {
    return this.#slowestMs;
  }

  async #run(): Promise<void> {
    let lastMs = performance.now();
    let due = 0;
    while (!this.#stopping.signal.aborted) {
      await sleep(tickMs);
      const nowMs = performance.now();
      if (!this.#isPaused) {
        this.#activeMs += nowMs - lastMs;
        due += (nowMs - lastMs) / this.#everyMs;
        for (; due >= 1; due--) this.#begin();
      }
      lastMs = nowMs;
    }
  }

  #begin(): void {
    this.#started += 1;
    const call = this.#createOne();
    this.#calls.add(call);
    void call.finally(() => this.#calls.delete(call));
  }

  async #createOne(): Promise<void> {
    const { phase } = this;
    const wasWithoutRole = this.mayBeWithoutRole;
    const wasAway = this.#apiServerIsAway;
    const startedAtMs = performance.now();
    const call = this.#dryRun ? this.#namespace.tryPod() : this.#namespace.createPod();
    const answer = await call.catch((error: unknown) => error);
    // A call may outlive the time in which the API server goes, or begin just before it.
    const isAway = wasAway || this.#apiServerIsAway;
    const why = whyFailed(answer, this.#roleArn);
    const outcome = outcomeOf(answer, why, { isAway, mayBeBare: wasWithoutRole || this.mayBeWithoutRole });
    this.#outcomes.set(outcome, this.count(outcome) + 1);
    this.phases.set(phase, (this.phases.get(phase) ?? 0) + 1);
    if (why !== undefined && outcome === 'failed') this.failures.push({ phase, why });
    if (outcome === 'injected') this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startedAtMs);
  }
}

function outcomeOf(answer: unknown, why: string | undefined, now: { isAway: boolean; mayBeBare: boolean }): Outcome {
  if (why === undefined) return 'injected';
  if (now.mayBeBare && isBare(answer)) return 'without-role';
  return now.isAway && isApiServersOwn(answer) ? 'api-server-away' : 'failed';
}

function isAnswer(answer: unknown): answer is PodAnswer {
  return typeof answer === 'object' && answer !== null && 'status' in answer;
}

function whyFailed(answer: unknown, roleArn: string): string | undefined {
  if (!isAnswer(answer)) return String(answer);
  if (answer.status !== 201) return `${answer.status} ${answer.body.message ?? JSON.stringify(answer.body)}`;
  const role = credentialsOf(answer.body)?.roleArn;
  return role === roleArn ? undefined : `a pod with role ${role ?? 'none'}`;
}

/** A pod that nothing injected anything into. */
function isBare(answer: unknown): boolean {
  return isAnswer(answer) && answer.status === 201 && credentialsOf(answer.body) === undefined;
}

function isApiServersOwn(answer: unknown): boolean {
  if (!isAnswer(answer)) return answer instanceof ApiCallFailed;
  const message = answer.body.message ?? JSON.stringify(answer.body);
  return (answer.status === 429 || answer.status >= 500) && !message.includes('webhook');
}
