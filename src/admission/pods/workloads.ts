import { requiredObject } from '../../objects/json.ts';
import { readPod } from '../../objects/pod.ts';
import { templateOf, withClaims, workloadKinds } from '../../objects/pod-template.ts';
import { sameJson } from '../../objects/same-json.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { allow, type Denied } from '../decision.ts';
import { deniedFor } from '../failure.ts';
import { readOnce } from '../read-once.ts';
import type { AdmissionRequest } from '../review.ts';
import { type DecisionBy, defineRule } from '../rule.ts';
import { nameSubject } from '../subject.ts';
import { isMadeByController } from './made-by-controller.ts';
import { type NamedPod, PodReview, reviewPod, type UnmanagedPod } from './pod-review.ts';
import { decidePod, type PodDecision, podReasons } from './pods.ts';

const reasons = {
  allow: ['Checked', 'OptedOut', 'NamespaceNotManaged', 'NotApplicable'],
  mutate: [],
  deny: [...podReasons.deny, 'NamespaceNotFound'],
} as const;

type WorkloadDecision = DecisionBy<typeof reasons>;

/** A missing ServiceAccount or namespace often follows in the same `kubectl apply`: only a warning, even with `deny`. */
const mayFollow: ReadonlySet<string> = new Set(['NamespaceNotFound', 'ServiceAccountNotFound']);

function asAnswerOfWorkload(decision: PodDecision | UnmanagedPod, { workloads }: Config): WorkloadDecision {
  if (decision.verdict === 'deny') {
    return { ...decision, advisory: workloads !== 'deny' || mayFollow.has(decision.reason) };
  }
  const { reason, verdict: _, ...details } = decision;
  return allow(reason === 'NamespaceNotManaged' || reason === 'OptedOut' ? reason : 'Checked', details);
}

/** The pods that a workload makes; or why nothing is to be said of them. @throws {MalformedObjectError} */
const readPodsOf = readOnce((request: AdmissionRequest): NamedPod | 'Checked' | 'NotApplicable' => {
  const { group, resource } = request.resource;
  const workload = workloadKinds.find(candidate => candidate.group === group && candidate.resource === resource);
  if (workload === undefined || isMadeByController(request)) return 'NotApplicable';
  const object = requiredObject(request.object, '');
  const template = templateOf(object, workload.template);
  if (template === undefined) return 'NotApplicable';
  if (request.operation === 'UPDATE' && sameJson(template, templateOf(request.oldObject, workload.template)))
    return 'Checked';
  const subject = nameSubject(request, object);
  return { subject: () => `pods of ${subject()}`, pod: readPod(withClaims(template, object, workload.kind)) };
});

/**
 * The decision of its pods, told to whoever applies the workload. Controllers create the pods, and nobody reads what those
 * are told.
 */
function validateWorkload(request: AdmissionRequest, view: View, config: Config): WorkloadDecision {
  const pods = config.workloads === 'off' ? 'NotApplicable' : readPodsOf(request);
  if (typeof pods === 'string') return allow(pods);
  const podReview = reviewPod(pods, request.namespace, view, config);
  return asAnswerOfWorkload(podReview instanceof PodReview ? decidePod(podReview) : podReview, config);
}

/** When the cluster could not be asked: a warning is all that a workload gets, so it is not held up for one. */
function unverifiedWorkload(_: AdmissionRequest, config: Config, words: string): Denied<'Unverified'> | undefined {
  return config.workloads === 'deny' ? undefined : { ...deniedFor('Unverified', words, config), advisory: true };
}

/** Every built-in kind with a pod template. */
export const workloadRules = [
  defineRule({
    webhook: 'workloads.carm-webhook.dev',
    endpoint: 'validate',
    matches: workloadKinds.map(kind => ({ ...kind, operations: ['CREATE', 'UPDATE'] })),
    reasons,
    decide: validateWorkload,
    unverified: unverifiedWorkload,
    advisory: true,
  }),
];
