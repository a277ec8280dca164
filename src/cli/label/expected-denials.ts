/** Which pods would be denied, were their namespaces labelled. */

import type { View } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { effectiveDecision, outcomeOf } from '../../admission/effective-decision.ts';
import { describeMalformed } from '../../admission/failure.ts';
import { ruleFor } from '../../admission/rules.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { isJsonObject, type JsonObject, MalformedObjectError } from '../../objects/json.ts';
import { mirrorAnnotation } from '../../objects/keys.ts';
import { templateOf, type WorkloadKind, withClaims, workloadKinds } from '../../objects/pod-template.ts';
import { quote } from '../../objects/quote.ts';
import { bareServiceAccount } from '../../objects/service-account.ts';
import { controllerOf } from '../check/pod-owners.ts';
import { beforeInjection } from '../predict/running-pod.ts';
import { podResource, reviewOf } from '../predict/synthetic-review.ts';
import type { ObjectSource } from '../sources/object-source.ts';
import { type AskedPod, messageOf } from '../why/explain.ts';
import type { LeftOut } from './label-choice.ts';

/** Nothing creates pods from a PodTemplate. */
const judgedKinds = workloadKinds.filter(({ kind }) => kind !== 'PodTemplate');

/** Reasons that are told of one namespace. */
const mostReasons = 5;

interface ExpectedDenial extends LeftOut {
  /** Pods and workloads that it concerns. */
  count: number;
}

/** By namespace, then by reason: the first object of each is told. */
type Denials = Map<string, Map<string, ExpectedDenial>>;

/** Without its ServiceAccounts: what a namespace itself denies. */
function viewWithBareAccounts(state: Snapshot): View {
  return {
    namespace: name => state.namespace(name),
    serviceAccount: () => bareServiceAccount,
    roleMap: (kind, ackSystem) => state.roleMap(kind, ackSystem),
    roleSelectors: () => state.roleSelectors(),
    namespaces: () => state.namespaces(),
    findResources: search => state.findResources(search),
    mayBind: () => state.mayBind(),
  };
}

function denialOf(asked: AskedPod, view: View, config: Config): LeftOut | undefined {
  const { name, namespace, object } = asked;
  const request = reviewOf({ resource: podResource, kind: 'Pod', name, namespace, object });
  const effective = effectiveDecision(ruleFor('mutate', request), request, view, config);
  const { decision } = effective;
  if (decision.verdict !== 'deny' || outcomeOf(effective) !== 'denied') return undefined;
  // Kubernetes denies these by itself: the label changes nothing for them.
  if (decision.reason === 'ServiceAccountNotFound') return undefined;
  return { reason: decision.reason, message: messageOf(asked, decision.message()) };
}

function metadataOf({ metadata }: JsonObject): JsonObject {
  return isJsonObject(metadata) ? metadata : {};
}

/** A pod that runs, as if it were created now; undefined for one that no webhook is asked about. */
function askedOfPod(pod: JsonObject, namespace: string, name: string): AskedPod | undefined {
  const { labels, annotations, deletionTimestamp } = metadataOf(pod);
  if (deletionTimestamp !== undefined) return undefined;
  if (isJsonObject(annotations) && mirrorAnnotation in annotations) return undefined;
  const written = { metadata: { name, namespace, labels, annotations }, spec: pod['spec'] };
  return { namespace, name, object: beforeInjection(written) };
}

/** Whether a Job creates no pod any more. https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup */
function hasEnded({ status }: JsonObject): boolean {
  const conditions = isJsonObject(status) ? status['conditions'] : undefined;
  if (!Array.isArray(conditions)) return false;
  return conditions.some(
    each => isJsonObject(each) && ['Complete', 'Failed'].includes(String(each['type'])) && each['status'] === 'True',
  );
}

/** The pod that a workload makes; undefined for one that makes none, or is judged with what controls it. */
function askedOfWorkload(
  workload: JsonObject,
  { kind, template: path }: WorkloadKind,
  namespace: string,
  name: string,
): AskedPod | undefined {
  const controller = controllerOf(workload);
  const isJudged = judgedKinds.some(({ group, kind }) => group === controller?.group && kind === controller.kind);
  const template = templateOf(workload, path);
  if (isJudged || template === undefined || hasEnded(workload)) return undefined;
  const called = `pods of ${kind} ${quote(name)}`;
  return { namespace, name, called, object: withClaims(template, workload, kind) };
}

/** A pod that asks for nothing of its own. */
const plainPod = { spec: { containers: [{ name: 'any' }] } };

/**
 * The denials that a label would bring: of pods that run, were they created again, of the pods of workloads, and of any pod
 * where the binding does not resolve. A denial that the mode softens is none.
 */
export class ExpectedDenials {
  readonly #state: Snapshot;
  readonly #config: Config;
  readonly #candidates: ReadonlySet<string>;
  readonly #denials: Denials = new Map();

  /** @param candidates the namespaces whose pods are looked at. */
  constructor(state: Snapshot, config: Config, candidates: ReadonlySet<string>) {
    this.#state = state;
    this.#config = config;
    this.#candidates = candidates;
  }

  /** Why a namespace is left out; empty for one that can be labelled. */
  of(namespace: string): readonly LeftOut[] {
    return [...(this.#denials.get(namespace)?.values() ?? [])].map(({ reason, message, count }) => ({
      reason,
      message: count > 1 ? `${message} (${count - 1} more)` : message,
    }));
  }

  /** @throws {ClusterUnreachableError} where anything cannot be read: what is not known might be denied. */
  async find(source: ObjectSource): Promise<void> {
    if (this.#candidates.size === 0) return;
    const bare = viewWithBareAccounts(this.#state);
    for (const namespace of this.#candidates) {
      const asked = { namespace, name: 'any', called: 'any pod', object: plainPod };
      this.#add(this.#denials, namespace, denialOf(asked, bare, this.#config));
    }
    // The pods of a workload come after it: it is the one to be named.
    for (const kind of judgedKinds) {
      await this.#look(
        begin => source.workloads(kind, begin),
        (workload, namespace, name) => askedOfWorkload(workload, kind, namespace, name),
      );
    }
    await this.#look(begin => source.pods(begin), askedOfPod);
  }

  async #look(
    read: (begin: () => (object: JsonObject) => void) => Promise<void>,
    askedOf: (object: JsonObject, namespace: string, name: string) => AskedPod | undefined,
  ): Promise<void> {
    let found: Denials = new Map();
    await read(() => {
      found = new Map();
      return object => this.#judge(object, askedOf, found);
    });
    for (const [namespace, byReason] of found) {
      for (const denial of byReason.values()) this.#add(this.#denials, namespace, denial, denial.count);
    }
  }

  #judge(
    object: JsonObject,
    askedOf: (object: JsonObject, namespace: string, name: string) => AskedPod | undefined,
    found: Denials,
  ): void {
    const { name, namespace } = metadataOf(object);
    if (typeof name !== 'string' || typeof namespace !== 'string' || !this.#candidates.has(namespace)) return;
    try {
      const asked = askedOf(object, namespace, name);
      this.#add(found, namespace, asked && denialOf(asked, this.#state, this.#config));
    } catch (error) {
      if (!(error instanceof MalformedObjectError)) throw error;
      this.#add(found, namespace, { reason: 'NotJudged', message: `${quote(name)}: ${describeMalformed(error)}` });
    }
  }

  #add(denials: Denials, namespace: string, denial: LeftOut | undefined, count = 1): void {
    if (denial === undefined) return;
    const byReason = denials.get(namespace) ?? new Map<string, ExpectedDenial>();
    denials.set(namespace, byReason);
    const known = byReason.get(denial.reason);
    if (known !== undefined) known.count += count;
    else if (byReason.size < mostReasons) {
      byReason.set(denial.reason, { reason: denial.reason, message: denial.message, count });
    }
  }
}
