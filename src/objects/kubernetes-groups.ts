/** https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#-strong-api-groups-strong- */
const kubernetesGroups: ReadonlySet<string> = new Set([
  ...['', 'apps', 'autoscaling', 'batch', 'extensions', 'policy', 'admissionregistration.k8s.io'],
  ...['apiextensions.k8s.io', 'apiregistration.k8s.io', 'authentication.k8s.io', 'authorization.k8s.io'],
  ...['certificates.k8s.io', 'coordination.k8s.io', 'discovery.k8s.io', 'events.k8s.io', 'networking.k8s.io'],
  ...['flowcontrol.apiserver.k8s.io', 'internal.apiserver.k8s.io', 'node.k8s.io', 'rbac.authorization.k8s.io'],
  ...['resource.k8s.io', 'scheduling.k8s.io', 'storage.k8s.io', 'storagemigration.k8s.io'],
]);

/** Whether a group is one of Kubernetes' own: the kinds in these that have a pod template are known. */
export function isKubernetesGroup(group: string): boolean {
  return kubernetesGroups.has(group);
}
