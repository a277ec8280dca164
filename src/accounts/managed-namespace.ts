import { injectLabel } from '../objects/keys.ts';
import type { Namespace } from '../objects/namespace.ts';
import { isBound } from './binding.ts';
import type { FeatureGates } from './feature-gates.ts';

/**
 * Namespaces whose bindings ACK ignores.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/service_controller.go (ignoredNamespaces)
 */
const namesIgnoredByAck: ReadonlySet<string> = new Set(['kube-system', 'kube-public', 'kube-node-lease']);

export function isIgnoredByAck(name: string): boolean {
  return namesIgnoredByAck.has(name);
}

/**
 * Whether ACK resources of a namespace are none of ours. By IAMRoleSelectors ACK ignores no namespace; we leave `kube-system`
 * alone all the same. https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/iamroleselector/cache.go (NewCache)
 */
export function areResourcesIgnored(namespace: string, gates: FeatureGates): boolean {
  return gates.IAMRoleSelector ? namespace === 'kube-system' : isIgnoredByAck(namespace);
}

/** Whether a namespace is out of our reach by its name: those that ACK ignores, and our own. */
export function isExcludedNamespace(name: string, ownNamespace: string): boolean {
  return name === ownNamespace || isIgnoredByAck(name);
}

export type Management = 'managed' | 'not-managed' | 'opted-out';

/** Whether pods of a namespace are ours: bound, or labelled `enabled`; never one labelled `disabled`. */
export function managementOf(namespace: Namespace, ownNamespace: string, gates: FeatureGates): Management {
  if (isExcludedNamespace(namespace.name, ownNamespace)) return 'not-managed';
  const label = namespace.labels.get(injectLabel);
  if (label === 'disabled') return 'opted-out';
  return label === 'enabled' || isBound(namespace.annotations, gates) ? 'managed' : 'not-managed';
}
