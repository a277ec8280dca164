import { requiredObject } from '../../objects/json.ts';
import { templateOf, withClaims, workloadKinds } from '../../objects/pod-template.ts';
import { sameJson } from '../../objects/same-json.ts';
import { closeMessage } from '../catalogue/message.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import type { Decision } from '../decision.ts';
import type { AdmissionRequest } from '../review.ts';
import { nameSubject } from '../subject.ts';
import { isMadeByController } from './made-by-controller.ts';
import { isDecision, managedNamespace, readPodOnce } from './pod-review.ts';
import { decidePod } from './pods.ts';

const notOurs: Decision = { verdict: 'allow', reason: 'NotApplicable', confirmLive: false };
const checked: Decision = { verdict: 'allow', reason: 'Checked', confirmLive: false };

/** A missing ServiceAccount or namespace often follows in the same `kubectl apply`: only a warning, even with `deny`. */
const mayFollow: ReadonlySet<string> = new Set(['NamespaceNotFound', 'ServiceAccountNotFound']);

function asAnswerOfWorkload(decision: Decision, config: Config): Decision {
  if (decision.verdict === 'deny') {
    return { ...decision, advisory: config.workloads !== 'deny' || mayFollow.has(decision.reason) };
  }
  const { patch: _, ...rest } = decision;
  if (decision.reason === 'NamespaceNotManaged' || decision.reason === 'OptedOut') return { ...rest, verdict: 'allow' };
  return { ...rest, verdict: 'allow', reason: 'Checked' };
}

/**
 * `/validate` for CREATE and UPDATE of every built-in kind with a pod template: the decision of its pods, told to
 * whoever applies the workload. Controllers create the pods, and nobody reads what those are told.
 */
export function validateWorkload(request: AdmissionRequest, view: View, config: Config): Decision {
  const { group, resource } = request.resource;
  const workload = workloadKinds.find(candidate => candidate.group === group && candidate.resource === resource);
  if (workload === undefined || config.workloads === 'off' || isMadeByController(request)) return notOurs;
  const object = requiredObject(request.object, '');
  const template = templateOf(object, workload);
  if (template === undefined) return notOurs;
  if (request.operation === 'UPDATE' && sameJson(template, templateOf(request.oldObject, workload))) return checked;
  const subject = `pods of ${nameSubject(request, object)}`;
  const pod = readPodOnce(withClaims(template, object, workload));
  const namespace = managedNamespace(request.namespace, subject, view, config);
  if (isDecision(namespace)) return asAnswerOfWorkload(namespace, config);
  return asAnswerOfWorkload(decidePod({ subject, pod, namespace, view, config }), config);
}

/** When the cluster could not be asked: a warning is all that a workload gets, so it is not held up for one. */
export function unverifiedWorkload(config: Config, words: string): Decision | undefined {
  if (config.workloads === 'deny') return undefined;
  const message = closeMessage(words, 'Unverified', config.supportMessage);
  return { verdict: 'deny', reason: 'Unverified', message, advisory: true, confirmLive: false };
}
