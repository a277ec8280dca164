import { type GuardProblem, guardRefusals } from './guard-refusals.ts';
import { type ResourceProblem, resourceRefusals } from './resource-refusals.ts';
import { type RoleProblem, roleRefusals } from './role-refusals.ts';

/** Everything that anything can be refused for. */
export type Problem = RoleProblem | ResourceProblem | GuardProblem;

/** Each refusal: its cause, who can mend it, how, and the words for one case. */
export const refusals = { ...roleRefusals, ...resourceRefusals, ...guardRefusals };
