import { otherSelectors, selectorIgnoredBecause, selectorInvalidBecause } from '../../accounts/role-selector.ts';
import { selectorCovers, selectorsOverlap } from '../../accounts/selector-relations.ts';
import { requiredObject } from '../../objects/json.ts';
import { type RoleSelector, readRoleSelector } from '../../objects/role-selector.ts';
import { sameJson } from '../../objects/same-json.ts';
import type { Problem } from '../catalogue/denials.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import type { Decision } from '../decision.ts';
import { denyObject, messageContext } from '../deny-object.ts';
import { readOnce } from '../read-once.ts';
import type { AdmissionRequest } from '../review.ts';
import { shortSubject } from '../subject.ts';
import { strandedResources } from './selector-use.ts';

const readSelectorOnce = readOnce(readRoleSelector);

/** What is wrong with a selector that is written. */
function specProblem(selector: RoleSelector, before: RoleSelector | undefined, view: View): Problem | undefined {
  const why = selectorInvalidBecause(selector);
  if (why !== undefined) return { reason: 'InvalidSelector', why };
  const others = otherSelectors(view.roleSelectors() ?? [], selector.name);
  const labelsOf = (name: string) => view.namespace(name)?.labels;
  // What is only narrowed may overlap as before: of several overlaps one is fixed at a time.
  const isNarrowed =
    before !== undefined && selectorIgnoredBecause(before) === undefined && selectorCovers(before, selector);
  const overlapping = others
    .filter(other => selectorsOverlap(selector, other, labelsOf))
    .filter(other => !isNarrowed || !selectorsOverlap(before, other, labelsOf))
    .map(({ name }) => name);
  return overlapping.length === 0 ? undefined : { reason: 'SelectorConflict', selectors: overlapping, of: 'selector' };
}

function specOf(object: unknown): unknown {
  return requiredObject(object ?? {}, '')['spec'];
}

/**
 * `/validate` for CREATE, UPDATE and DELETE of IAMRoleSelectors: what ACK would leave out without a word, what would make
 * it stop at resources that two selectors match, and what would take resources out of their account.
 */
export function validateRoleSelector(request: AdmissionRequest, view: View, config: Config): Decision {
  if (!config.featureGates.IAMRoleSelector) return { verdict: 'allow', reason: 'NotApplicable', confirmLive: false };
  const { operation, object, oldObject } = request;
  const checked: Decision = { verdict: 'allow', reason: 'Checked', confirmLive: false };
  if (operation === 'UPDATE' && sameJson(specOf(object), specOf(oldObject))) return checked;
  const after = operation === 'DELETE' ? undefined : readSelectorOnce(object);
  const deny = (problem: Problem): Decision => {
    const subject = shortSubject(request, requiredObject(after === undefined ? oldObject : object, ''));
    return denyObject(subject, problem, messageContext('', config), config);
  };
  const before = operation === 'CREATE' ? undefined : readSelectorOnce(oldObject);
  const problem = after === undefined ? undefined : specProblem(after, before, view);
  if (problem !== undefined) return deny(problem);
  if (before === undefined) return checked;
  const stranded = strandedResources({ before, after }, view);
  // The cache holds no resources: they are asked for live.
  if (stranded === undefined) return { ...checked, confirmLive: true };
  return stranded.length === 0 ? checked : deny({ reason: 'SelectorInUse', resources: stranded });
}
