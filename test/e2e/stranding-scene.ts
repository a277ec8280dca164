import assert from 'node:assert/strict';
import type { ControlPlane } from '../testbed/control-plane.ts';
import type { KubectlResult } from '../testbed/kubectl.ts';
import { AckOfPlane } from './ack-api.ts';
import { ackPath, ackResource, bucketKind, type StoredResource, topicKind } from './ack-crds.ts';
import type { AckSettings } from './ack-decisions.ts';
import { AckStandIn, type Outcome } from './ack-stand-in.ts';
import { asList } from './manifests.ts';
import { runPasted } from './pasted-command.ts';
import { warningsOf } from './served-plane.ts';
import { StandInAws } from './stand-in-aws.ts';
import { bucketWork, topicWork } from './worked-kinds.ts';

type Texts = Readonly<Record<string, string>>;

/** Warnings that tell of what is stranded by the request that they answer. */
const tellingReasons: ReadonlySet<string> = new Set([
  'FinalizerRemoved',
  'MappingUseUnverified',
  'ResourcesInOtherRegion',
  'ResourcesLeftBehind',
  'SelectorUseUnverified',
]);

/** What a user did, and what they were told. */
interface Answer {
  readonly command: string;
  readonly denied: boolean;
  /** What kubectl printed on stderr. */
  readonly said: string;
  readonly warnings: readonly string[];
}

/** How a denial is lifted. */
export interface Lifted {
  readonly reason: string;
  /** Of the message. */
  readonly advice: string;
  /** Does what the advice says. */
  readonly by: (said: string) => Promise<unknown>;
  /** Objects of the request. */
  readonly input?: object;
  /** Reasons of its warnings, once it passes. */
  readonly warned?: readonly string[];
}

function reasonsOf(texts: readonly string[]): readonly string[] {
  return texts.flatMap(text => /\((\w+)\)$/.exec(text)?.[1] ?? []);
}

/** A bucket `assets`, as a user writes it; in AWS it is named after its namespace. */
export function assets(inNamespace: string, annotations: Texts = {}, labels: Texts = {}): object {
  return ackResource(bucketKind, inNamespace, 'assets', { annotations, labels }, { name: `${inNamespace}-assets` });
}

/** A topic `news`. */
export function news(inNamespace: string, labels: Texts = {}): object {
  return ackResource(topicKind, inNamespace, 'news', { labels }, { name: `${inNamespace}-news` });
}

/** Arguments of kubectl. */
export function annotate(name: string, ...annotations: readonly string[]): readonly string[] {
  return ['annotate', '--overwrite', 'namespace', name, ...annotations];
}

/** Arguments of kubectl. */
export function annotateAssets(inNamespace: string, ...annotations: readonly string[]): readonly string[] {
  return ['annotate', '--overwrite', 'bucket', 'assets', '-n', inNamespace, ...annotations];
}

/**
 * Users and ACK on one cluster, in turns: after every request ACK reconciles until nothing changes any more, and nothing may be
 * stranded that was not before, unless the answer to that very request told of it.
 */
export class StrandingScene {
  readonly aws = new StandInAws();
  readonly #plane: ControlPlane;
  readonly #ack: AckStandIn;
  #stranded: ReadonlyMap<string, string> = new Map();

  private constructor(plane: ControlPlane, api: AckOfPlane, settings: AckSettings) {
    this.#plane = plane;
    this.#ack = new AckStandIn(api, this.aws, [bucketWork, topicWork], settings);
  }

  /** The kinds of buckets and topics must be there. */
  static async start(plane: ControlPlane, settings: AckSettings): Promise<StrandingScene> {
    const scene = new StrandingScene(plane, await AckOfPlane.start(plane, [bucketKind, topicKind]), settings);
    await scene.#ack.reconcileUntilQuiet();
    scene.#stranded = scene.#ack.stranded;
    return scene;
  }

  /** What ACK made of a resource at last, by its title: `Bucket shop/assets`. */
  outcome(title: string): Outcome | undefined {
    return this.#ack.outcomeOf(title);
  }

  /** What is stranded, by its title; those who did it were told. */
  get stranded(): ReadonlyMap<string, string> {
    return this.#stranded;
  }

  /** What there is in AWS that is named after a namespace. */
  places(inNamespace: string): readonly string[] {
    return this.aws.objects
      .filter(({ name }) => name.startsWith(`${inNamespace}-`))
      .map(({ kind, accountId, region }) => `${kind} ${accountId} ${region}`)
      .sort();
  }

  async assets(inNamespace: string): Promise<StoredResource> {
    const path = ackPath(bucketKind, inNamespace, 'assets');
    const { status, body } = await this.#plane.request<StoredResource>('GET', path);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }

  /** Titles of all resources. */
  get seen(): readonly string[] {
    return this.#ack.seen;
  }

  /** What has been done, in order. */
  readonly history: string[] = [];

  /** A request as kubectl would send it. Errors of the API server itself do not matter. */
  async request(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<void> {
    const {
      status,
      body: answer,
      warnings,
    } = await this.#plane.request<{ readonly message?: string }>(method, path, body);
    const said = [answer.message ?? '', ...warnings].filter(text => text !== '' && status !== 404).join('\n');
    const command = `${method} ${path} ${JSON.stringify(body ?? {})}`;
    this.history.push(`${status} ${command}\n    ${said}`);
    assert.ok(status < 500, this.history.at(-1));
    await this.judge({ command, denied: status >= 400, said, warnings });
  }

  /** Reconciles after a change that no request made. */
  async reconcile(): Promise<void> {
    await this.judge({ command: 'nothing', denied: false, said: '', warnings: [] });
  }

  /** Reconciles, and fails if anything is stranded that the answer did not tell of. */
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

  async #run(args: readonly string[], input?: object): Promise<Answer> {
    const options = input === undefined ? {} : { input: JSON.stringify(input) };
    const result = await this.#plane.kubectl(args, { expectCode: 'any', ...options });
    const denied = result.code !== 0 && result.stderr.includes('denied the request');
    const command = `kubectl ${args.join(' ')}`;
    assert.ok(result.code === 0 || denied, `${command}: ${result.stderr}`);
    return this.#answered(command, result, denied);
  }

  async #answered(command: string, result: KubectlResult, denied: boolean): Promise<Answer> {
    const answer = { command, denied, said: result.stderr, warnings: warningsOf(result) };
    await this.judge(answer);
    return answer;
  }

  /** A request that is allowed, with warnings of exactly these reasons. @returns what was said. */
  async allowed(
    args: readonly string[],
    { input, warned = [] }: { readonly input?: object; readonly warned?: readonly string[] } = {},
  ): Promise<string> {
    const { denied, said, warnings } = await this.#run(args, input);
    assert.equal(denied, false, said);
    assert.deepEqual(reasonsOf(warnings), warned, said);
    return said;
  }

  /** `kubectl apply`, allowed. */
  async apply(objects: readonly object[], warned: readonly string[] = []): Promise<string> {
    return this.allowed(['apply', '-f', '-'], { input: JSON.parse(asList(objects)) as object, warned });
  }

  /** A request that is denied, with these words. @returns what was said. */
  async denied(args: readonly string[], reason: string, ...words: readonly string[]): Promise<string> {
    return this.#denied(args, undefined, reason, words);
  }

  async #denied(
    args: readonly string[],
    input: object | undefined,
    reason: string,
    words: readonly string[],
  ): Promise<string> {
    const { denied, said } = await this.#run(args, input);
    assert.ok(denied && said.includes(`(${reason})`), said);
    for (const each of words) assert.ok(said.includes(each), `${each} in: ${said}`);
    return said;
  }

  /** The same request is denied with an advice; what that says is done, word by word, and the request passes. */
  async lifted(args: readonly string[], denial: Lifted): Promise<void> {
    const { input, warned = [] } = denial;
    const said = await this.#denied(args, input, denial.reason, [denial.advice]);
    await denial.by(said);
    await this.allowed(args, { warned, ...(input !== undefined && { input }) });
  }

  /** Runs the command that a message ends with, before its reason. */
  async paste(said: string): Promise<void> {
    const command = /: (kubectl [^\n]+?) \(\w+\)/.exec(said)?.[1];
    assert.ok(command !== undefined, said);
    const { code, stderr } = await runPasted(this.#plane, command);
    assert.equal(code, 0, stderr);
    await this.#answered(command, { code: 0, stdout: '', stderr }, false);
  }

  /** Edits come through. */
  async follows(inNamespace: string): Promise<void> {
    const spec = JSON.stringify({ spec: { tagging: { tagSet: [{ key: 'edited', value: 'yes' }] } } });
    await this.allowed(['patch', 'bucket', 'assets', '-n', inNamespace, '--type=merge', '-p', spec]);
    const [object] = this.aws.objects.filter(({ name }) => name === `${inNamespace}-assets`);
    assert.deepEqual(object?.spec['tagging'], { tagSet: [{ key: 'edited', value: 'yes' }] });
  }

  /** All that is in it can be deleted, and nothing of it stays in AWS. */
  async goes(inNamespace: string): Promise<void> {
    await this.allowed(['delete', 'buckets,topics', '--all', '-n', inNamespace, '--wait=false']);
    assert.deepEqual(this.places(inNamespace), []);
    const { body } = await this.#plane.request<{ readonly items: readonly unknown[] }>(
      'GET',
      ackPath(bucketKind, inNamespace),
    );
    assert.deepEqual(body.items, []);
  }
}
