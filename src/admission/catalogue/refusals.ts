import { type GuardProblem, guardRefusals } from './guard-refusals.ts';
import { type ObjectProblem, objectRefusals } from './object-refusals.ts';
import type { Refusal } from './refusal.ts';
import { type ResourceProblem, resourceRefusals } from './resource-refusals.ts';
import { type RoleProblem, roleRefusals } from './role-refusals.ts';

/** Everything that anything can be refused for. */
export type Problem = RoleProblem | ResourceProblem | GuardProblem | ObjectProblem;

/** Each refusal: its cause, who can mend it, how, and the words for one case. */
export const refusals = { ...roleRefusals, ...resourceRefusals, ...guardRefusals, ...objectRefusals };

/** The refusal of a problem. The catalogue's type ties each reason to its problem; an index type cannot say so. */
export function refusalOf(problem: Problem): Refusal<Problem> {
  return refusals[problem.reason] as Refusal<Problem>;
}
