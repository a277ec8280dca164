import { readBinding } from '../../accounts/binding.ts';
import type { FeatureGates } from '../../accounts/feature-gates.ts';
import type { Namespace } from '../../objects/namespace.ts';
import { sameJson } from '../../objects/same-json.ts';

/** A namespace as it is stored, and as it would be. */
export interface NamespaceChange {
  readonly before: Namespace;
  readonly after: Namespace;
}

/** Whether the active gates read another binding from the namespace, as ACK does. */
export function changesBinding({ before, after }: NamespaceChange, gates: FeatureGates): boolean {
  return !sameJson(readBinding(before.annotations, gates), readBinding(after.annotations, gates));
}

export function changesLabels({ before, after }: NamespaceChange): boolean {
  const labels = [...before.labels];
  const now = new Map(after.labels);
  return labels.length !== now.size || labels.some(([key, value]) => now.get(key) !== value);
}
