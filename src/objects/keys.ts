/** Every label and annotation that we or ACK read or write, each key once. */

/** What carries keys, as messages call it. */
export type KeyedKind = 'pod' | 'namespace' | 'ServiceAccount' | 'ACK resource';

export interface KeyRow {
  readonly key: string;
  readonly as: 'label' | 'annotation';
  /** Where we read it. Of namespaces and ServiceAccounts nothing else is cached, or can be asked for. */
  readonly us: readonly KeyedKind[];
  /** Where ACK reads it. */
  readonly ack?: readonly KeyedKind[];
  /** Where we write it. */
  readonly written?: readonly KeyedKind[];
  /** Whether nobody but ACK's controllers may write it. */
  readonly controllersOnly?: true;
}

/** Annotations that ACK reads, and mostly we too. */
const ofNamespaces = { as: 'annotation', us: ['namespace'], ack: ['namespace'] } as const;
const ofResources = { as: 'annotation', us: ['ACK resource'], ack: ['ACK resource'] } as const;
/** Those that the controller of one service reads. */
const ofService = { as: 'annotation', us: [], ack: ['ACK resource'] } as const;

/** How pods get their role. */
const ofRoleAccess = { as: 'annotation', us: ['namespace', 'ServiceAccount'] } as const;

/**
 * ACK's: https://github.com/aws-controllers-k8s/runtime/blob/main/apis/core/v1alpha1/annotations.go, read on namespaces by
 * pkg/runtime/cache/namespace.go; EKS': https://github.com/aws/amazon-eks-pod-identity-webhook/blob/master/README.md
 */
const table = {
  inject: { key: 'carm-webhook.dev/inject', as: 'label', us: ['namespace', 'pod'], written: ['namespace'] },
  mode: { key: 'carm-webhook.dev/mode', as: 'label', us: ['namespace'] },
  role: { key: 'carm-webhook.dev/role', as: 'annotation', us: ['ServiceAccount'] },
  roleArn: { key: 'carm-webhook.dev/role-arn', as: 'annotation', us: ['pod'], written: ['pod'] },
  credentials: { key: 'carm-webhook.dev/credentials', ...ofRoleAccess },
  hubRoleArn: { key: 'carm-webhook.dev/hub-role-arn', ...ofRoleAccess },
  externalId: { key: 'carm-webhook.dev/external-id', ...ofRoleAccess },
  allowRebind: { key: 'carm-webhook.dev/allow-rebind', as: 'annotation', us: ['namespace'] },
  awsConfig: { key: 'carm-webhook.dev/aws-config', as: 'annotation', us: ['pod'], written: ['pod'] },

  eksRoleArn: { key: 'eks.amazonaws.com/role-arn', as: 'annotation', us: ['ServiceAccount'] },
  audience: { key: 'eks.amazonaws.com/audience', as: 'annotation', us: ['ServiceAccount'] },
  tokenExpiration: { key: 'eks.amazonaws.com/token-expiration', as: 'annotation', us: ['pod', 'ServiceAccount'] },
  stsRegional: { key: 'eks.amazonaws.com/sts-regional-endpoints', as: 'annotation', us: ['ServiceAccount'] },
  skipContainers: { key: 'eks.amazonaws.com/skip-containers', as: 'annotation', us: ['pod'] },
  skip: { key: 'eks.amazonaws.com/skip-pod-identity-webhook', as: 'label', us: ['pod'] },

  ownerAccountId: { key: 'services.k8s.aws/owner-account-id', ...ofNamespaces, us: ['namespace', 'ACK resource'] },
  teamId: { key: 'services.k8s.aws/team-id', ...ofNamespaces },
  defaultRegion: { key: 'services.k8s.aws/default-region', ...ofNamespaces },
  // Judged in the review that sets it, where the namespace is whole, and read nowhere else.
  endpointUrl: { key: 'services.k8s.aws/endpoint-url', ...ofNamespaces, us: [] },

  region: { key: 'services.k8s.aws/region', ...ofResources, written: ['ACK resource'] },
  deletionPolicy: { key: 'services.k8s.aws/deletion-policy', ...ofResources, written: ['ACK resource'] },
  adoptionPolicy: { key: 'services.k8s.aws/adoption-policy', ...ofResources },
  adoptionFields: { key: 'services.k8s.aws/adoption-fields', ...ofResources },
  adopted: { key: 'services.k8s.aws/adopted', ...ofResources, controllersOnly: true },
  readOnly: { key: 'services.k8s.aws/read-only', ...ofResources },

  // SERVICE is the alias of any: `isServiceDeletionPolicy`.
  serviceDeletionPolicy: { key: 'SERVICE.services.k8s.aws/deletion-policy', ...ofNamespaces },

  // https://github.com/aws-controllers-k8s/rds-controller/blob/main/apis/v1alpha1/annotation.go and its like
  autoPublish: { key: 'cloudfront.services.k8s.aws/auto-publish', ...ofService },
  forceDelete: { key: 'ecr.services.k8s.aws/force-delete', ...ofService },
  desiredSizeManagedBy: { key: 'eks.services.k8s.aws/desired-size-managed-by', ...ofService },
  forceUpdateVersion: { key: 'eks.services.k8s.aws/force-update-version', ...ofService },
  forceUpgrade: { key: 'eks.services.k8s.aws/force-upgrade', ...ofService },
  scramSecretsManagedBy: { key: 'kafka.services.k8s.aws/scram-secrets-managed-by', ...ofService },
  pendingWindow: { key: 'kms.services.k8s.aws/pending-window-in-days', ...ofService },
  deleteBackups: { key: 'rds.services.k8s.aws/delete-automated-backups', ...ofService },
  finalSnapshot: { key: 'rds.services.k8s.aws/final-db-snapshot-identifier', ...ofService },
  skipFinalSnapshot: { key: 'rds.services.k8s.aws/skip-final-snapshot', ...ofService },

  // https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-config-mirror
  mirror: { key: 'kubernetes.io/config.mirror', as: 'annotation', us: ['pod'] },
} as const satisfies Readonly<Record<string, KeyRow>>;

export const injectLabel = table.inject.key;
export const modeLabel = table.mode.key;
export const skipLabel = table.skip.key;
export const roleAnnotation = table.role.key;
/** On a pod: the role that was injected. Written for people; never read as evidence, for anyone may write it. */
export const roleArnAnnotation = table.roleArn.key;
/** The credentials mode. */
export const credentialsAnnotation = table.credentials.key;
export const hubRoleArnAnnotation = table.hubRoleArn.key;
export const externalIdAnnotation = table.externalId.key;
/** On a pod in chain mode: the text of its AWS config file. What stands there is ours only where our volume delivers it. */
export const awsConfigAnnotation = table.awsConfig.key;
/** On a namespace: the accounts that its ACK resources may be left behind for. */
export const allowRebindAnnotation = table.allowRebind.key;
export const eksRoleArnAnnotation = table.eksRoleArn.key;
export const audienceAnnotation = table.audience.key;
export const tokenExpirationAnnotation = table.tokenExpiration.key;
export const stsRegionalAnnotation = table.stsRegional.key;
/** Names of containers that are to get nothing, separated by commas. */
export const skipContainersAnnotation = table.skipContainers.key;
export const ownerAccountIdAnnotation = table.ownerAccountId.key;
export const teamIdAnnotation = table.teamId.key;
export const defaultRegionAnnotation = table.defaultRegion.key;
export const endpointUrlAnnotation = table.endpointUrl.key;
export const regionAnnotation = table.region.key;
export const deletionPolicyAnnotation = table.deletionPolicy.key;
export const adoptionPolicyAnnotation = table.adoptionPolicy.key;
export const adoptionFieldsAnnotation = table.adoptionFields.key;
export const readOnlyAnnotation = table.readOnly.key;
export const adoptedAnnotation = table.adopted.key;
export const mirrorAnnotation = table.mirror.key;

/** What a namespace says for all resources of a service, by its alias. */
export const serviceDeletionPolicyAnnotation = table.serviceDeletionPolicy.key;
export const serviceDeletionPolicySuffix = '.services.k8s.aws/deletion-policy';
type ServiceDeletionPolicyKey = `${string}${typeof serviceDeletionPolicySuffix}`;

export function serviceDeletionPolicyKey(alias: string): ServiceDeletionPolicyKey {
  return `${alias}${serviceDeletionPolicySuffix}`;
}

/** The first label of an API group is at most 63 characters. */
export function isServiceDeletionPolicy(key: string): boolean {
  return key.endsWith(serviceDeletionPolicySuffix) && key.length <= 63 + serviceDeletionPolicySuffix.length;
}

/** Notes that controllers keep on their resources: `last-applied-…`, `last-requested-…`, `last-endpoint-config-…`. */
const controllerNote = /^[a-z0-9]+\.services\.k8s\.aws\/last-/;

export const keyRows: readonly KeyRow[] = Object.values(table);

const controllersOnly: ReadonlySet<string> = new Set(keyRows.filter(row => row.controllersOnly).map(({ key }) => key));

/** Whether only a controller of ACK writes an annotation. */
export function isControllersAnnotation(key: string): boolean {
  return controllersOnly.has(key) || controllerNote.test(key);
}

type Row = (typeof table)[keyof typeof table];

/** The labels, or annotations, that we read on a kind of object. */
export type ReadKey<As extends KeyRow['as'], On extends KeyedKind> = Row extends infer R
  ? R extends { readonly key: infer Key extends string; readonly as: As; readonly us: readonly (infer Kind)[] }
    ? On extends Kind
      ? Key
      : never
    : never
  : never;

export type NamespaceLabel = ReadKey<'label', 'namespace'>;
export type NamespaceAnnotation = ReadKey<'annotation', 'namespace'> | ServiceDeletionPolicyKey;
export type PodLabel = ReadKey<'label', 'pod'>;
export type PodAnnotation = ReadKey<'annotation', 'pod'>;
export type ServiceAccountAnnotation = ReadKey<'annotation', 'ServiceAccount'>;

/** The keys of a `ReadKey`. */
export function readKeys<As extends KeyRow['as'], On extends KeyedKind>(as: As, on: On): readonly ReadKey<As, On>[] {
  return keyRows.filter(row => row.as === as && row.us.includes(on)).map(({ key }) => key as ReadKey<As, On>);
}

/**
 * Labels or annotations of which some are all there is: no others can be asked for, for who asks would find them in whole
 * objects and miss them in the cache. A Map of all that an object has is one, and none is such a Map.
 */
export interface KeyedStrings<Key extends string> {
  // Not methods: of those the compiler would take one for other keys.
  readonly get: (key: Key) => string | undefined;
  readonly has: (key: Key) => boolean;
  keys(): Iterable<string>;
  [Symbol.iterator](): Iterator<[string, string]>;
}
