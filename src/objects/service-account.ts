import type { KeyedStrings, ServiceAccountAnnotation } from './keys.ts';

export interface ServiceAccount {
  readonly annotations: KeyedStrings<ServiceAccountAnnotation>;
}
