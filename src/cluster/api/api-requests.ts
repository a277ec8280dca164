/** What is asked of the API server: every path, and in which form the answer is wanted. */

const part = encodeURIComponent;
const core = '/api/v1';

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris */
export const apiPaths = {
  groups: '/apis',
  /** https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery */
  issuerConfiguration: '/.well-known/openid-configuration',
  groupVersion: (group: string, version: string) => `/apis/${part(group)}/${part(version)}`,
  /** All of a resource, or those of one namespace. */
  resources: (group: string, version: string, resource: string, namespace?: string) => {
    const place = namespace === undefined ? '' : `/namespaces/${part(namespace)}`;
    return `${apiPaths.groupVersion(group, version)}${place}/${part(resource)}`;
  },
  namespaces: `${core}/namespaces`,
  namespace: (name: string) => `${core}/namespaces/${part(name)}`,
  serviceAccounts: `${core}/serviceaccounts`,
  serviceAccountsOf: (namespace: string) => `${apiPaths.namespace(namespace)}/serviceaccounts`,
  serviceAccount: (namespace: string, name: string) => `${apiPaths.namespace(namespace)}/serviceaccounts/${part(name)}`,
  /** https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/ */
  token: (namespace: string, name: string) => `${apiPaths.serviceAccount(namespace, name)}/token`,
  /** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/ */
  subjectAccessReviews: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
  configMap: (namespace: string, name: string) => `${apiPaths.namespace(namespace)}/configmaps/${part(name)}`,
  /** The list that holds one ConfigMap, if it is there: a single object cannot be watched. */
  configMapList: (namespace: string, name: string) =>
    `${apiPaths.namespace(namespace)}/configmaps?fieldSelector=${part(`metadata.name=${name}`)}`,
  /** Built-in kinds that hold a pod template: all of them are in `v1`. */
  workload: (group: string, resource: string, namespace: string, name: string) => {
    const version = group === '' ? core : apiPaths.groupVersion(group, 'v1');
    return `${version}/namespaces/${part(namespace)}/${part(resource)}/${part(name)}`;
  },
  /** All of such a kind, in every namespace. */
  workloads: (group: string, resource: string) =>
    group === '' ? `${core}/${part(resource)}` : apiPaths.resources(group, 'v1', resource),
  /** Those that have not ended. https://kubernetes.io/docs/concepts/overview/working-with-objects/field-selectors/ */
  runningPods: `${core}/pods?fieldSelector=${part('status.phase!=Succeeded,status.phase!=Failed')}`,
  /** Nothing is stored. https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run */
  newPodDryRun: (namespace: string) => `${apiPaths.namespace(namespace)}/pods?dryRun=All`,
  webhookConfiguration: (resource: string, name: string) =>
    `${apiPaths.resources('admissionregistration.k8s.io', 'v1', resource)}/${part(name)}`,
  pod: (namespace: string, name: string) => `${apiPaths.namespace(namespace)}/pods/${part(name)}`,
  /** Those with these labels. */
  podsOf: (namespace: string, selector: string) =>
    `${apiPaths.namespace(namespace)}/pods?labelSelector=${part(selector)}`,
  service: (namespace: string, name: string) => `${apiPaths.namespace(namespace)}/services/${part(name)}`,
  secret: (namespace: string, name: string) => `${apiPaths.namespace(namespace)}/secrets/${part(name)}`,
  /** https://kubernetes.io/docs/reference/access-authn-authz/authorization/#checking-api-access */
  events: (namespace: string) => `/apis/events.k8s.io/v1/namespaces/${part(namespace)}/events`,
  lease: (namespace: string, name: string) =>
    `/apis/coordination.k8s.io/v1/namespaces/${part(namespace)}/leases/${part(name)}`,
  /** Those with these labels. */
  leases: (namespace: string, selector: string) =>
    `/apis/coordination.k8s.io/v1/namespaces/${part(namespace)}/leases?labelSelector=${part(selector)}`,
  /** There once the CustomResourceDefinition of IAMRoleSelectors is. */
  roleSelectors: '/apis/services.k8s.aws/v1alpha1/iamroleselectors',
} as const;

const metadataOf = (kind: string): string => `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;

/** Values of `Accept`. https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
export const accept = {
  whole: { object: 'application/json', list: 'application/json' },
  metadata: { object: metadataOf('PartialObjectMetadata'), list: metadataOf('PartialObjectMetadataList') },
} as const;
