/** The node's name and its one address, in a network namespace that leads nowhere else. */
export const nodeName = 'node-1';
export const nodeAddress = '10.99.0.1';

/** Addresses of pods. */
export const podSubnet = '10.244.0.0/24';

/** The users that a node's programs are, as in every cluster. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#core-component-roles */
export const nodeUsers = [
  { name: `system:node:${nodeName}`, groups: ['system:nodes'] },
  { name: 'system:kube-proxy' },
  { name: 'system:kube-scheduler' },
] as const;
