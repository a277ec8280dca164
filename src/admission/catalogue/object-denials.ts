import { type Excess, sizeLimits } from '../../objects/object-size.ts';
import type { DenialOf } from './denial.ts';

/** What any object can be denied for, whatever its kind. */
export type ObjectProblem = { readonly reason: 'ObjectTooLarge' } & Excess;

/** Each denial that does not depend on the kind of the object. */
export const objectDenials: { readonly [R in ObjectProblem['reason']]: DenialOf<ObjectProblem, R> } = {
  ObjectTooLarge: {
    cause:
      'The object is larger than any that Kubernetes stores or runs, and checking it would delay the reviews of others. The message says what there is too much of; [limits.md](limits.md) lists all limits.',
    fixedBy: 'you',
    remedy: 'Make the object smaller.',
    softenedBy: 'nothing',
    say: ({ what, atLeast }) => ({
      wrong: `it has at least ${atLeast.toLocaleString('en')} ${what}, and the limit is ${sizeLimits[what].toLocaleString('en')}`,
      remedy: 'make it smaller',
    }),
  },
};
