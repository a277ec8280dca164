import { isJsonObject, optionalObject } from '../objects/json.ts';
import { isTerminating } from '../objects/metadata.ts';
import type { Excess } from '../objects/object-size.ts';
import type { Config } from './config.ts';
import { allow, type Decision } from './decision.ts';
import { denyObject, messageContext } from './deny-object.ts';
import type { AdmissionRequest } from './review.ts';
import type { Rule } from './rule.ts';
import { fromUs, subjectOf } from './subject.ts';

function isStoredTerminating({ oldObject, terminating }: AdmissionRequest): boolean {
  if (terminating !== undefined) return terminating;
  return isJsonObject(oldObject) && isTerminating(optionalObject(oldObject, 'metadata', '') ?? {});
}

/**
 * The decision on an object that holds too much to be judged. Never a denial of one that is being deleted, whose finalizers
 * must come off; and only a warning for a workload, whose pods are judged themselves.
 * @throws {MalformedObjectError}
 */
export function tooLarge(rule: Rule, request: AdmissionRequest, { what, atLeast }: Excess, config: Config): Decision {
  if (isStoredTerminating(request)) return allow('Terminating');
  const at = messageContext(request.namespace, config);
  const advisory = rule.advisory ?? false;
  const subject = () => (advisory ? fromUs(subjectOf(request)) : subjectOf(request));
  const decision = denyObject(subject, { reason: 'ObjectTooLarge', what, atLeast }, at, config);
  return { ...decision, advisory, confirmLive: false };
}
