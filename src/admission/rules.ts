/** The list of all rules: which one is asked, what can come of it, and what `inject` predicts derive from it. */

import { isAckGroup } from '../accounts/ack-service.ts';
import { allow } from './decision.ts';
import { labellingRules } from './guards/labelling.ts';
import { mapRules } from './guards/maps.ts';
import { namespaceKeyRules } from './guards/namespace-keys.ts';
import { namespaceRules } from './guards/namespaces.ts';
import { podConfigRules } from './guards/pod-config.ts';
import { roleSelectorRules } from './guards/role-selectors.ts';
import { ephemeralContainerRules } from './pods/ephemeral-containers.ts';
import { podRules } from './pods/pods.ts';
import { workloadRules } from './pods/workloads.ts';
import type { Endpoint } from './record.ts';
import { resourceRules } from './resources/resources.ts';
import type { AdmissionRequest } from './review.ts';
import { defineRule, everyAckGroup, type Rule, type RuleMatch } from './rule.ts';

export const rules: readonly Rule[] = [
  ...podRules,
  ...ephemeralContainerRules,
  ...podConfigRules,
  ...workloadRules,
  ...labellingRules,
  ...namespaceRules,
  ...resourceRules,
  ...mapRules,
  ...roleSelectorRules,
  ...namespaceKeyRules,
];

/** For what no rule matches. What we do not know is allowed: a webhook that was rolled back must not block. */
export const notApplicable = defineRule({
  webhook: 'unknown',
  endpoint: 'validate',
  matches: [],
  reasons: { allow: ['NotApplicable'], mutate: [], deny: [] },
  decide: () => allow('NotApplicable'),
});

/** By endpoint, operation and subresource. */
type RulesOfResource = Map<string, Rule>;

function wayTo(endpoint: Endpoint, operation: string, subResource = ''): string {
  return `${endpoint} ${operation} ${subResource}`;
}

/** By group and resource. */
const byResource = new Map<string, RulesOfResource>();
for (const rule of rules) {
  for (const { group, resource, subResource, operations } of rule.matches) {
    const key = `${group}/${resource}`;
    const ofResource = byResource.get(key) ?? new Map<string, Rule>();
    byResource.set(key, ofResource);
    for (const operation of operations) ofResource.set(wayTo(rule.endpoint, operation, subResource), rule);
  }
}
const ofAck = byResource.get(`${everyAckGroup}/*`);

export function ruleFor(endpoint: Endpoint, { operation, resource, subResource }: AdmissionRequest): Rule {
  const { group } = resource;
  // What a rule names is not matched by a pattern as well.
  const ofResource = byResource.get(`${group}/${resource.resource}`) ?? (isAckGroup(group) ? ofAck : undefined);
  return ofResource?.get(wayTo(endpoint, operation, subResource)) ?? notApplicable;
}

const created = rules
  .flatMap(({ matches }) => matches)
  .filter(({ subResource, operations }) => subResource === undefined && operations.includes('CREATE'));

/** How rules match the objects of a kind when they are created; undefined where none does. */
export function matchOfKind(group: string, kind: string): RuleMatch | undefined {
  return (
    created.find(match => match.group === group && match.kind === kind) ??
    created.find(match => match.group === everyAckGroup && isAckGroup(group))
  );
}
