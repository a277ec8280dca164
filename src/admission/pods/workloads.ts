import { requiredObject } from '../../objects/json.ts';
import { type Pod, readPod } from '../../objects/pod.ts';
import { templateOf, withClaims, workloadKinds } from '../../objects/pod-template.ts';
import { sameJson } from '../../objects/same-json.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { allow, type Denied } from '../decision.ts';
import { deniedFor } from '../failure.ts';
import { modeOf } from '../mode.ts';
import { readOnce } from '../read-once.ts';
import type { AdmissionRequest } from '../review.ts';
import { type DecisionBy, defineRule } from '../rule.ts';
import { fromUs, shortSubject } from '../subject.ts';
import { ExpectedServiceAccounts } from './expected-service-accounts.ts';
import { isMadeByController } from './made-by-controller.ts';
import { PodReview, reviewPod, type UnmanagedPod } from './pod-review.ts';
import { decidePod, type PodDecision, podReasons } from './pods.ts';

const notThereYet = 'ServiceAccountNotFound';
type DeniedForPods = Exclude<(typeof podReasons.deny)[number], typeof notThereYet>;

const reasons = {
  allow: ['Checked', 'OptedOut', 'NamespaceNotManaged', 'NotApplicable'],
  mutate: [],
  deny: [
    ...podReasons.deny.filter((reason): reason is DeniedForPods => reason !== notThereYet),
    'NamespaceNotFound' as const,
  ],
} as const;

type WorkloadDecision = DecisionBy<typeof reasons>;
/** Of pods whose ServiceAccount is taken to be there. */
type DecisionOfPods = Exclude<PodDecision | UnmanagedPod, Denied> | Denied<DeniedForPods | 'NamespaceNotFound'>;

function asAnswerOfWorkload(decision: DecisionOfPods, { workloads }: Config): WorkloadDecision {
  if (decision.verdict === 'deny') {
    // A namespace often follows in the same `kubectl apply`: only a warning, even with `deny`.
    return { ...decision, advisory: workloads !== 'deny' || decision.reason === 'NamespaceNotFound' };
  }
  const { reason, verdict: _, ...details } = decision;
  return allow(reason === 'NamespaceNotManaged' || reason === 'OptedOut' ? reason : 'Checked', details);
}

/** The pods that a workload makes, and how they are named. */
interface PodsOfWorkload {
  readonly pods: string;
  readonly pod: Pod;
}

/** The pods that a workload makes; or why nothing is to be said of them. @throws {MalformedObjectError} */
const readPodsOf = readOnce((request: AdmissionRequest): PodsOfWorkload | 'Checked' | 'NotApplicable' => {
  const { group, resource } = request.resource;
  const workload = workloadKinds.find(candidate => candidate.group === group && candidate.resource === resource);
  if (workload === undefined || isMadeByController(request)) return 'NotApplicable';
  const object = requiredObject(request.object, '');
  const template = templateOf(object, workload.template);
  if (template === undefined) return 'NotApplicable';
  if (request.operation === 'UPDATE' && sameJson(template, templateOf(request.oldObject, workload.template)))
    return 'Checked';
  return {
    pods: `pods of ${shortSubject(request, object)}`,
    pod: readPod(withClaims(template, object, workload.kind)),
  };
});

/**
 * The decision of its pods, told to whoever applies the workload, with who says it and what comes of it: they asked for no
 * pod. Controllers create the pods, and nobody reads what those are told.
 */
function validateWorkload(request: AdmissionRequest, view: View, config: Config): WorkloadDecision {
  const read = config.workloads === 'off' ? 'NotApplicable' : readPodsOf(request);
  if (typeof read === 'string') return allow(read);
  const subject = () => {
    const mode = modeOf(view.namespace(request.namespace), config.defaultMode);
    return fromUs(`${read.pods} will ${mode === 'enforce' ? 'not start' : `run unchanged (mode ${mode})`}`);
  };
  const expected = new ExpectedServiceAccounts(view);
  const podReview = reviewPod({ subject, pod: read.pod }, request.namespace, expected, config);
  const decision = podReview instanceof PodReview ? decidePod(podReview) : podReview;
  const answer = asAnswerOfWorkload(decision as DecisionOfPods, config);
  return expected.missed ? { ...answer, confirmLive: true } : answer;
}

/** When the cluster could not be asked: a warning is all that a workload gets, so it is not held up for one. */
function unverifiedWorkload(_: AdmissionRequest, config: Config, words: string): Denied<'Unverified'> | undefined {
  return config.workloads === 'deny'
    ? undefined
    : { ...deniedFor('Unverified', `carm-webhook could not check the pods of ${words}`, config), advisory: true };
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
    warnsOfPods: true,
  }),
];
