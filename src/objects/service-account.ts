import type { KeyedStrings, ServiceAccountAnnotation } from './keys.ts';

/** What we know of a ServiceAccount. */
export interface ServiceAccount {
  readonly annotations: KeyedStrings<ServiceAccountAnnotation>;
}
