import { type GuardProblem, guardRefusals } from './guard-refusals.ts';
import { type ObjectProblem, objectRefusals } from './object-refusals.ts';
import type { Refusal, Softening } from './refusal.ts';
import { type ResourceProblem, resourceRefusals } from './resource-refusals.ts';
import { type RoleProblem, roleRefusals } from './role-refusals.ts';

/** Everything that anything can be refused for. */
export type Problem = RoleProblem | ResourceProblem | GuardProblem | ObjectProblem;

/** Each refusal: its cause, who can fix it, how, and the words for one case. */
export const refusals = { ...roleRefusals, ...resourceRefusals, ...guardRefusals, ...objectRefusals };

/** The refusal of a problem. The catalogue's type ties each reason to its problem; an index type cannot say so. */
export function refusalOf(problem: Problem): Refusal<Problem> {
  return refusals[problem.reason] as Refusal<Problem>;
}

/** Which mode softens the denial of a problem. */
export function softeningOf(problem: Problem): Softening {
  const { softenedBy = 'namespace' } = refusalOf(problem);
  if (typeof softenedBy === 'string') return softenedBy;
  return softenedBy['of' in problem && problem.of === 'resource' ? 'resource' : 'pod'];
}
