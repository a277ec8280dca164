import assert from 'node:assert/strict';
import type { KubectlResult } from '../testbed/kubectl.ts';
import type { AckStandIn, Outcome } from './ack-stand-in.ts';
import { runPasted } from './pasted-command.ts';
import { type ServedPlane, warningsOf } from './served-plane.ts';

/** Warnings that tell of what is stranded by the request that they answer. */
const tellingReasons: ReadonlySet<string> = new Set(['FinalizerRemoved']);

/** What a user did, and what they were told. */
interface Answer {
  readonly command: string;
  readonly denied: boolean;
  /** What kubectl printed on stderr. */
  readonly said: string;
  readonly warnings: readonly string[];
}

function reasonsOf(texts: readonly string[]): readonly string[] {
  return texts.flatMap(text => /\((\w+)\)$/.exec(text)?.[1] ?? []);
}

/**
 * Users and ACK on one cluster, in turns: after every request ACK reconciles until nothing changes any more, and nothing may be
 * stranded that was not before, unless the answer to that very request told of it.
 */
export class StrandingScene {
  readonly #served: ServedPlane;
  readonly #ack: AckStandIn;
  #stranded: ReadonlyMap<string, string> = new Map();

  constructor(served: ServedPlane, ack: AckStandIn) {
    this.#served = served;
    this.#ack = ack;
  }

  /** By title: what users were told of when it happened. */
  get stranded(): ReadonlyMap<string, string> {
    return this.#stranded;
  }

  /** Lets ACK go on, after what is nobody's request. */
  async reconcile(): Promise<void> {
    await this.judge({ command: 'nothing', denied: false, said: '', warnings: [] });
  }

  /** Reconciles, and holds an answer to what became of everything. */
  async judge(answer: Answer): Promise<void> {
    await this.#ack.reconcileUntilQuiet();
    const before = this.#stranded;
    this.#stranded = this.#ack.stranded;
    const added = [...this.#stranded].filter(([title]) => !before.has(title));
    if (added.length === 0) return;
    const told = !answer.denied && reasonsOf(answer.warnings).some(reason => tellingReasons.has(reason));
    const what = added.map(([title, why]) => `${title}: ${why}`).join('\n');
    assert.ok(told, `stranded without a word by: ${answer.command}\n${what}\nthe answer: ${answer.said}`);
  }

  async #run(args: readonly string[], input?: string): Promise<Answer> {
    const result = await this.#served.plane.kubectl(args, {
      expectCode: 'any',
      ...(input !== undefined && { input }),
    });
    const denied = result.code !== 0 && result.stderr.includes('denied the request');
    assert.ok(result.code === 0 || denied, `kubectl ${args.join(' ')}: ${result.stderr}`);
    return this.#answered(`kubectl ${args.join(' ')}`, result, denied);
  }

  async #answered(command: string, result: KubectlResult, denied: boolean): Promise<Answer> {
    const answer = { command, denied, said: result.stderr, warnings: warningsOf(result) };
    await this.judge(answer);
    return answer;
  }

  /** A request that is allowed, with exactly these warnings. */
  async allowed(
    args: readonly string[],
    options: { readonly input?: object; readonly warned?: readonly string[] } = {},
  ) {
    const { input, warned = [] } = options;
    const answer = await this.#run(args, input === undefined ? undefined : JSON.stringify(input));
    assert.equal(answer.denied, false, answer.said);
    assert.deepEqual(reasonsOf(answer.warnings), warned, answer.said);
    return answer;
  }

  /** A request that is denied, with these words. @returns what was said. */
  async denied(args: readonly string[], reason: string, ...words: readonly string[]): Promise<string> {
    const { denied, said } = await this.#run(args);
    assert.ok(denied && said.includes(`(${reason})`), said);
    for (const each of words) assert.ok(said.includes(each), `${each} in: ${said}`);
    return said;
  }

  /**
   * A request that is denied, with an advice among its words; then what it advises is done, and the same request passes.
   * @param warned of the request, once it passes.
   */
  async lifted(
    args: readonly string[],
    by: { readonly reason: string; readonly advice: string; readonly then: () => Promise<unknown> },
    warned: readonly string[] = [],
  ): Promise<void> {
    await this.denied(args, by.reason, by.advice);
    await by.then();
    await this.allowed(args, { warned });
  }

  /** Runs the command that a message ends with, before its reason. */
  async paste(said: string): Promise<void> {
    const command = /(kubectl [^\n]+?) \(\w+\)/.exec(said)?.[1];
    assert.ok(command !== undefined, said);
    const { code, stderr } = await runPasted(this.#served.plane, command);
    assert.equal(code, 0, stderr);
    await this.judge({ command, denied: false, said: stderr, warnings: warningsOf({ code: 0, stdout: '', stderr }) });
  }

  /** What ACK made of a resource at last. */
  outcome(title: string): Outcome | undefined {
    return this.#ack.outcomeOf(title);
  }
}
