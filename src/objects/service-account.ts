import type { KeyedStrings, ServiceAccountAnnotation } from './keys.ts';

export interface ServiceAccount {
  /** None is read; some of their keys are warned of. */
  readonly labels: KeyedStrings<never>;
  readonly annotations: KeyedStrings<ServiceAccountAnnotation>;
}

/** One that says nothing: with no labels and no annotations. */
export const bareServiceAccount: ServiceAccount = { labels: new Map(), annotations: new Map() };
