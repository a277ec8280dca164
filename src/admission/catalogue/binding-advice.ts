/**
 * What belongs to every advice to bind a namespace, or to have another map or gate count for it: ACK stops reconciling resources that
 * it created in another account, and cannot delete them. https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go
 */
export const unlessResourcesStrand = 'unless the namespace has ACK resources of another account';

/** The same, for pages about more than one namespace. */
export const whatStrands =
  'ACK stops reconciling existing resources, and cannot delete them, when their namespace leads to another account than the one in their status.';
