import { type AccessProblem, accessDenials } from './access-denials.ts';
import { type BindingDenialProblem, bindingDenials } from './binding-denials.ts';
import type { Denial, Softening } from './denial.ts';
import { type GuardProblem, guardDenials } from './guard-denials.ts';
import { type ObjectProblem, objectDenials } from './object-denials.ts';
import { type RebindProblem, rebindDenials } from './rebind-denial.ts';
import { type ResourceProblem, resourceDenials } from './resource-denials.ts';
import { type RoleProblem, roleDenials } from './role-denials.ts';

/** Everything that anything can be denied for. */
export type Problem =
  | BindingDenialProblem
  | RoleProblem
  | AccessProblem
  | ResourceProblem
  | GuardProblem
  | RebindProblem
  | ObjectProblem;

/** Each denial: its cause, who can fix it, how, and the words for one case. */
export const denials = {
  ...bindingDenials,
  ...roleDenials,
  ...accessDenials,
  ...resourceDenials,
  ...guardDenials,
  ...rebindDenials,
  ...objectDenials,
};

/** The denial of a problem. The catalogue's type ties each reason to its problem; an index type cannot say so. */
export function denialOf(problem: Problem): Denial<Problem> {
  return denials[problem.reason] as Denial<Problem>;
}

/** Each mode that can soften the denials of a reason. */
export function softeningsOf(reason: Problem['reason']): readonly Softening[] {
  const { softenedBy = 'namespace' }: Pick<Denial<never>, 'softenedBy'> = denials[reason];
  return typeof softenedBy === 'string' ? [softenedBy] : Object.values(softenedBy);
}

/** Which mode softens the denial of a problem. */
export function softeningOf(problem: Problem): Softening {
  const { softenedBy = 'namespace' } = denialOf(problem);
  if (typeof softenedBy === 'string') return softenedBy;
  return softenedBy['of' in problem && problem.of === 'pod' ? 'pod' : 'others'];
}
