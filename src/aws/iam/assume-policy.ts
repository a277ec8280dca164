import { type PolicyDocument, policyOf, policyValues } from './policy.ts';
import { assumeActions } from './role-trust.ts';

/** The permission policy of a role that may assume exactly these. */
export function assumePolicy(roleArns: Iterable<string>, tagsSession: boolean): PolicyDocument {
  return policyOf([{ Effect: 'Allow', Action: assumeActions(tagsSession), Resource: policyValues(roleArns) }]);
}
