import type { AccountId } from '../../accounts/account-id.ts';
import type { ProviderProblem, ProviderProblems } from '../../accounts/provider-problem.ts';
import type { RoleArn } from '../../accounts/role-arn.ts';
import type { TokenRole } from './roles-in-use.ts';
import type { Schedule, Urgency } from './schedule.ts';
import { unverified, type Verification, type VerificationResult } from './verification.ts';

export interface RoleVerifierOptions {
  readonly schedule: Schedule;
  /** Asks AWS for a role. It ends soon after the signal, and does not throw. */
  readonly ask: (role: RoleArn, signal: AbortSignal) => Promise<Verification>;
  readonly observer: {
    /** After each call. */
    verified(role: TokenRole, verification: Verification): void;
    /** After a call that says another thing than the one before. */
    changed(role: TokenRole, verification: Verification, before: Verification): void;
    roundCompleted(): void;
  };
}

/** The longest sleep, so that a clock that stood still delays nothing for long. */
const longestSleepMs = 1_000;

function urgencyOf({ result, unheard }: Verification): Urgency {
  if (unheard) return 'unheard';
  return result === 'broken' ? 'may change soon' : 'settled';
}

/**
 * Asks AWS in the background for the roles that pods take, and keeps what is certain. Nothing waits for it: what is known is read
 * from memory. It holds one small result for each role of this replica, and those of roles that are gone are dropped.
 */
export class RoleVerifier implements ProviderProblems {
  readonly #options: RoleVerifierOptions;
  readonly #stopping = new AbortController();
  readonly #calls = new Set<Promise<void>>();
  #roles: ReadonlyMap<string, TokenRole> = new Map();
  /** Of roles that were asked for. */
  readonly #results = new Map<string, Verification>();
  #ownProblems: ReadonlyMap<AccountId, ProviderProblem> = new Map();
  #peerProblems: ReadonlyMap<AccountId, ProviderProblem> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RoleVerifierOptions) {
    this.#options = options;
  }

  problemOf(accountId: AccountId): ProviderProblem | undefined {
    return this.#ownProblems.get(accountId) ?? this.#peerProblems.get(accountId);
  }

  /** What this replica found, for the others. */
  get ownProblems(): ReadonlyMap<AccountId, ProviderProblem> {
    return this.#ownProblems;
  }

  /** How many roles of this replica have each result. */
  counts(): Readonly<Record<VerificationResult, number>> {
    const counts = { ok: 0, broken: 0, unknown: 0 };
    for (const role of this.#options.schedule.owned()) counts[(this.#results.get(role) ?? unverified).result] += 1;
    return counts;
  }

  setRoles(roles: ReadonlyMap<string, TokenRole>): void {
    this.#roles = roles;
    this.#options.schedule.setRoles(roles);
    this.#dropResults();
  }

  /**
   * @param replicas the others, by name; undefined while nobody knows.
   * @param problems what they found.
   */
  setPeers(
    self: string,
    replicas: Iterable<string> | undefined,
    problems: ReadonlyMap<AccountId, ProviderProblem>,
  ): void {
    this.#options.schedule.setReplicas(self, replicas);
    this.#peerProblems = problems;
    this.#dropResults();
  }

  start(): void {
    this.#run();
  }

  /** Ends the calls in flight. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await Promise.all(this.#calls);
  }

  #dropResults(): void {
    for (const role of this.#results.keys()) {
      if (!this.#options.schedule.owns(role)) this.#results.delete(role);
    }
    this.#collectProblems();
  }

  #collectProblems(): void {
    const problems = new Map<AccountId, ProviderProblem>();
    for (const [role, { problem }] of this.#results) {
      const accountId = this.#roles.get(role)?.role.accountId;
      if (problem !== undefined && accountId !== undefined) problems.set(accountId, problem);
    }
    this.#ownProblems = problems;
  }

  #run(): void {
    if (this.#stopping.signal.aborted) return;
    const { schedule, observer } = this.#options;
    const role = schedule.take(performance.now());
    if (role !== undefined) {
      const call = this.#verify(role).finally(() => this.#calls.delete(call));
      this.#calls.add(call);
    } else if (schedule.roundIsOver) {
      observer.roundCompleted();
      schedule.beginRound();
    }
    const sleepMs = Math.min(longestSleepMs, 500 / schedule.rate);
    this.#timer = setTimeout(() => this.#run(), sleepMs).unref();
  }

  async #verify(role: string): Promise<void> {
    const { schedule, ask, observer } = this.#options;
    const asked = this.#roles.get(role);
    if (asked === undefined) return schedule.done(role, 'settled', performance.now());
    const verification = await ask(asked.role, this.#stopping.signal);
    schedule.done(role, urgencyOf(verification), performance.now());
    // Its namespaces may be others by now, or another replica's turn may have come.
    const current = this.#roles.get(role);
    if (this.#stopping.signal.aborted || current === undefined || !schedule.owns(role)) return;
    const before = this.#results.get(role) ?? unverified;
    this.#results.set(role, verification);
    if (before.result !== verification.result || before.problem !== verification.problem) {
      this.#collectProblems();
      observer.changed(current, verification, before);
    }
    observer.verified(current, verification);
  }
}
