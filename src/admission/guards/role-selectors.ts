import { ackCommonGroup } from '../../accounts/ack-service.ts';
import {
  accountOfArn,
  otherSelectors,
  selectorIgnoredBecause,
  selectorInvalidBecause,
} from '../../accounts/role-selector.ts';
import { selectorCovers, selectorsOverlap } from '../../accounts/selector-relations.ts';
import { requiredObject } from '../../objects/json.ts';
import { type RoleSelector, readRoleSelector } from '../../objects/role-selector.ts';
import { sameJson } from '../../objects/same-json.ts';
import type { Problem } from '../catalogue/denials.ts';
import type { View } from '../cluster.ts';
import { allow, type Denied } from '../decision.ts';
import { denyObject, isSoftened, messageContext } from '../deny-object.ts';
import { readOnce } from '../read-once.ts';
import type { AdmissionRequest } from '../review.ts';
import { defineRule } from '../rule.ts';
import { shortSubject } from '../subject.ts';
import { effectsOfSelector } from './selector-use.ts';

type SelectorProblem = Extract<
  Problem,
  { readonly reason: 'InvalidSelector' | 'RebindWithResources' | 'SelectorConflict' | 'SelectorInUse' }
>;

/** What is wrong with a selector that is written. */
function specProblem(
  selector: RoleSelector,
  before: RoleSelector | undefined,
  view: View,
): SelectorProblem | undefined {
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

const readSelectorsOf = readOnce(({ operation, object, oldObject }: AdmissionRequest) => ({
  before: operation === 'CREATE' ? undefined : readRoleSelector(oldObject),
  after: operation === 'DELETE' ? undefined : readRoleSelector(object),
}));

export const roleSelectorRules = [
  defineRule({
    webhook: 'selectors.carm-webhook.dev',
    endpoint: 'validate',
    matches: [
      {
        group: ackCommonGroup,
        kind: 'IAMRoleSelector',
        resource: 'iamroleselectors',
        operations: ['CREATE', 'UPDATE', 'DELETE'],
      },
    ],
    reasons: {
      allow: ['Checked', 'NotApplicable'],
      mutate: [],
      deny: ['InvalidSelector', 'RebindWithResources', 'SelectorConflict', 'SelectorInUse'],
    },
    /**
     * What ACK would silently ignore, what would make it stop at resources that two selectors match, and what would
     * take resources out of their account.
     */
    decide(request, view, config) {
      if (!config.featureGates.IAMRoleSelector) return allow('NotApplicable');
      const { operation, object, oldObject } = request;
      if (operation === 'UPDATE' && sameJson(specOf(object), specOf(oldObject))) return allow('Checked');
      const { before, after } = readSelectorsOf(request);
      const deny = <P extends SelectorProblem>(problem: P): Denied<P['reason']> => {
        const subject = () => shortSubject(request, requiredObject(after === undefined ? oldObject : object, ''));
        return denyObject(subject, problem, messageContext('', config), config);
      };
      const problem = after === undefined ? undefined : specProblem(after, before, view);
      // It is in no namespace, whose label could say another mode. What no mode softens is looked for all the same.
      if (problem !== undefined && !isSoftened(problem, () => config.defaultMode, config)) return deny(problem);
      const isIgnored = after !== undefined && selectorIgnoredBecause(after) !== undefined;
      const effects = effectsOfSelector({ before, after: isIgnored ? undefined : after }, view);
      // The cache holds no resources: they are asked for live.
      if ('inDoubt' in effects) {
        const isKnownLater = effects.inDoubt === 'stranded';
        const warnings = isKnownLater ? [] : ([{ reason: 'SelectorUseUnverified' }] as const);
        if (problem !== undefined) return { ...deny(problem), warnings };
        return allow('Checked', { warnings, confirmLive: true, ...(!isKnownLater && { advisory: true }) });
      }
      const { stranded, takenOver } = effects;
      if (stranded.length > 0) return deny({ reason: 'SelectorInUse', resources: stranded });
      if (takenOver.length > 0) {
        const accountId = after === undefined ? undefined : accountOfArn(after.arn);
        return deny({ reason: 'RebindWithResources', of: 'selector', accountId, resources: takenOver });
      }
      return problem === undefined ? allow('Checked') : deny(problem);
    },
  }),
];
