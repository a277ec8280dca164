import { hashText, Share } from './share.ts';

export interface ScheduleOptions {
  /** Within this time each role is asked for once, if the rate allows. */
  readonly intervalMs: number;
  /** Of all replicas together. */
  readonly callsPerSecond: number;
  /** Calls that may wait for their answers at once. */
  readonly mostInFlight: number;
  /** Roles beyond it are not verified. */
  readonly mostRoles: number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/** How an answer changes when a role is asked for again. */
export type Urgency = 'settled' | 'may change soon' | 'unheard';

/** How many replicas are assumed while nobody knows: two, and the one that comes in addition during a rollout. */
const replicasUnknown = 3;

const firstRetryMs = 15_000;
/** Answers that STS did not give, one after another, before all calls wait. */
const unheardBeforePause = 5;
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

interface ScheduledRole {
  readonly hash: number;
  owned: boolean;
  dueAtMs: number;
  /** Answers in a row after which it is asked for sooner than in an interval. */
  retries: number;
  inFlight: boolean;
}

/**
 * When which role is asked for. It knows no clock and no network, and its calls never come closer together than the rate allows.
 * A role that is new is due at once, one that was asked for is due again a little before the interval is over.
 */
export class Schedule {
  readonly #options: Required<ScheduleOptions>;
  readonly #roles = new Map<string, ScheduledRole>();
  #share: Share | undefined;
  #self = '';
  #inFlight = 0;
  #leftOut = 0;
  #nextCallAtMs = Number.NEGATIVE_INFINITY;
  #unheardInRow = 0;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  /** Roles that this round has still to ask for; a round ends when there are none. */
  readonly #ofRound = new Set<string>();

  constructor(options: ScheduleOptions) {
    this.#options = { random: Math.random, ...options };
  }

  /** Calls a second of this replica. */
  get rate(): number {
    return this.#options.callsPerSecond / (this.#share?.size ?? replicasUnknown);
  }

  /** Roles that are verified here. */
  *owned(): Iterable<string> {
    for (const [role, { owned }] of this.#roles) if (owned) yield role;
  }

  owns(role: string): boolean {
    return this.#roles.get(role)?.owned ?? false;
  }

  /** Roles that there was no room for. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Whether every role of this replica was asked for since the round began. */
  get roundIsOver(): boolean {
    return this.#ofRound.size === 0;
  }

  beginRound(): void {
    for (const role of this.owned()) this.#ofRound.add(role);
  }

  /** The roles in use: those that are gone are forgotten, those that are new are due at once. */
  setRoles(roles: ReadonlySet<string> | ReadonlyMap<string, unknown>): void {
    for (const role of this.#roles.keys()) {
      if (!roles.has(role)) this.#forget(role);
    }
    this.#leftOut = 0;
    for (const role of roles.keys()) {
      if (this.#roles.has(role)) continue;
      if (this.#roles.size >= this.#options.mostRoles) {
        this.#leftOut += 1;
        continue;
      }
      const hash = hashText(role);
      const owned = this.#isOurs(hash);
      this.#roles.set(role, { hash, owned, dueAtMs: 0, retries: 0, inFlight: false });
      if (owned) this.#ofRound.add(role);
    }
  }

  /**
   * Who shares the roles. A role that comes to us is due at once: what another replica knew of it is not known here.
   * @param replicas undefined while nobody knows: then each replica verifies every role, and more slowly.
   */
  setReplicas(self: string, replicas: Iterable<string> | undefined): void {
    this.#self = self;
    this.#share = replicas === undefined ? undefined : new Share([self, ...replicas]);
    for (const [role, scheduled] of this.#roles) {
      const owned = this.#isOurs(scheduled.hash);
      if (owned === scheduled.owned) continue;
      scheduled.owned = owned;
      scheduled.dueAtMs = 0;
      scheduled.retries = 0;
      if (owned) this.#ofRound.add(role);
      else this.#ofRound.delete(role);
    }
  }

  /** The role to ask for now; undefined when it is nobody's turn. Whoever takes it says `done`. */
  take(nowMs: number): string | undefined {
    if (this.#inFlight >= this.#options.mostInFlight) return undefined;
    if (nowMs < this.#nextCallAtMs || nowMs < this.#pausedUntilMs) return undefined;
    const role = this.#mostUrgent(nowMs);
    const scheduled = role === undefined ? undefined : this.#roles.get(role);
    if (role === undefined || scheduled === undefined) return undefined;
    scheduled.inFlight = true;
    this.#inFlight += 1;
    this.#nextCallAtMs = nowMs + 1000 / this.rate;
    return role;
  }

  done(role: string, urgency: Urgency, nowMs: number): void {
    this.#inFlight -= 1;
    this.#pauseAfter(urgency, nowMs);
    this.#ofRound.delete(role);
    const scheduled = this.#roles.get(role);
    // Gone meanwhile; and one that is back since then is due at once anyway.
    if (scheduled === undefined || !scheduled.inFlight) return;
    scheduled.inFlight = false;
    const { intervalMs, random } = this.#options;
    // Even with a queue before it, it is asked for before the interval is over.
    const settledMs = intervalMs * (0.8 + 0.15 * random());
    if (urgency === 'settled') {
      scheduled.retries = 0;
      scheduled.dueAtMs = nowMs + settledMs;
    } else {
      const retryMs = firstRetryMs * 2 ** Math.min(scheduled.retries, 20) * (0.75 + 0.25 * random());
      scheduled.retries += 1;
      scheduled.dueAtMs = nowMs + Math.min(settledMs, retryMs);
    }
  }

  #forget(role: string): void {
    this.#roles.delete(role);
    this.#ofRound.delete(role);
  }

  #isOurs(hash: number): boolean {
    return this.#share === undefined || this.#share.ownerOf(hash) === this.#self;
  }

  /** STS as a whole seems to be out of reach: one call now and then finds out when it is back. */
  #pauseAfter(urgency: Urgency, nowMs: number): void {
    if (urgency !== 'unheard') {
      this.#unheardInRow = 0;
      this.#pausedUntilMs = Number.NEGATIVE_INFINITY;
      return;
    }
    this.#unheardInRow += 1;
    const pauses = this.#unheardInRow - unheardBeforePause;
    if (pauses < 0) return;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(pauses, 20));
    this.#pausedUntilMs = nowMs + pauseMs * (0.75 + 0.25 * this.#options.random());
  }

  #mostUrgent(nowMs: number): string | undefined {
    let first: [role: string, scheduled: ScheduledRole] | undefined;
    for (const [role, scheduled] of this.#roles) {
      if (!scheduled.owned || scheduled.inFlight || scheduled.dueAtMs > nowMs) continue;
      if (first === undefined || goesBefore(scheduled, first[1])) first = [role, scheduled];
    }
    return first?.[0];
  }
}

/** What is asked for again early never delays what is due in its ordinary turn. */
function goesBefore(a: ScheduledRole, b: ScheduledRole): boolean {
  const aIsRetry = a.retries > 0;
  return aIsRetry === b.retries > 0 ? a.dueAtMs < b.dueAtMs : !aIsRetry;
}
