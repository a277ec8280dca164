import type { Json } from './manifests.ts';
import type { ReviewOptions } from './review.ts';

/** ACK resources, maps and selectors as kube-apiserver hands them to webhooks. */

export interface ResourceOptions {
  readonly namespace?: string;
  readonly name?: string;
  readonly annotations?: Json;
  readonly labels?: Json;
  readonly finalizers?: readonly string[];
  readonly metadata?: Json;
  readonly spec?: Json;
  /** `status.ackResourceMetadata`. */
  readonly ack?: Json;
  /** What else is in its status. */
  readonly status?: Json;
  /** Marked for deletion, held by its finalizers. */
  readonly terminating?: boolean;
}

interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly resource: string;
}

const service = (alias: string, kind: string, resource: string, version = 'v1alpha1'): Kind => ({
  group: `${alias}.services.k8s.aws`,
  version,
  kind,
  resource,
});
const common = (kind: string, resource: string): Kind => ({
  group: 'services.k8s.aws',
  version: 'v1alpha1',
  kind,
  resource,
});

/** https://aws-controllers-k8s.github.io/community/reference/ */
export const kinds = {
  Bucket: service('s3', 'Bucket', 'buckets'),
  OldBucket: service('s3', 'Bucket', 'buckets', 'v1alpha0'),
  Queue: service('sqs', 'Queue', 'queues'),
  Role: service('iam', 'Role', 'roles'),
  PodIdentityAssociation: service('eks', 'PodIdentityAssociation', 'podidentityassociations'),
  DBInstance: service('rds', 'DBInstance', 'dbinstances'),
  FieldExport: common('FieldExport', 'fieldexports'),
  AdoptedResource: common('AdoptedResource', 'adoptedresources'),
} as const satisfies Readonly<Record<string, Kind>>;
export type KindName = keyof typeof kinds;

/** An ACK resource. */
export function resource(of: KindName, options: ResourceOptions = {}): Json {
  const { group, version, kind } = kinds[of];
  const { namespace = 'shop', name = 'things', annotations, labels, finalizers, ack, terminating } = options;
  return {
    apiVersion: `${group}/${version}`,
    kind,
    metadata: {
      name,
      namespace,
      generation: 1,
      ...(annotations === undefined ? {} : { annotations }),
      ...(labels === undefined ? {} : { labels }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(terminating ? { deletionTimestamp: '2026-01-02T00:00:00Z', deletionGracePeriodSeconds: 0 } : {}),
      ...options.metadata,
    },
    spec: options.spec ?? { name: 'things' },
    ...(ack === undefined ? {} : { status: { ackResourceMetadata: ack, conditions: [], ...options.status } }),
  };
}

type Sender = Partial<ReviewOptions>;

function review(of: KindName, more: Sender): Omit<ReviewOptions, 'object'> {
  const { group, version, resource: plural, kind } = kinds[of];
  return { resource: `${group}/${version}/${plural}`, kind, ...more };
}

/** Its CREATE. */
export function created(of: KindName, options: ResourceOptions = {}, more: Sender = {}): ReviewOptions {
  return { object: resource(of, options), ...review(of, more) };
}

/** Its UPDATE from one to another. */
export function updated(
  of: KindName,
  before: ResourceOptions,
  after: ResourceOptions,
  more: Sender = {},
): ReviewOptions {
  const placed = { ...(before.namespace === undefined ? {} : { namespace: before.namespace }), ...after };
  return { operation: 'UPDATE', object: resource(of, placed), oldObject: resource(of, before), ...review(of, more) };
}

/** The UPDATE of its status. */
export function statusUpdated(
  of: KindName,
  before: ResourceOptions,
  after: ResourceOptions,
  more: Sender = {},
): ReviewOptions {
  return updated(of, before, after, { subResource: 'status', ...more });
}

export type Strings = Readonly<Record<string, string>>;

export function configMap(name: string, data: Strings, namespace = 'ack-system', more: Json = {}): Json {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, resourceVersion: '7' }, data, ...more };
}

/** The operation by which one object became the other, with both. */
function change(before: Json | undefined, after: Json | undefined) {
  const operation = before === undefined ? 'CREATE' : after === undefined ? 'DELETE' : 'UPDATE';
  return { operation, object: after ?? null, ...(before === undefined ? {} : { oldObject: before }) } as const;
}

/** A review of a ConfigMap: CREATE, UPDATE or DELETE by which of the two objects there are. */
export function mapReview(before: Json | undefined, after: Json | undefined, more: Sender = {}): ReviewOptions {
  return { resource: '/v1/configmaps', kind: 'ConfigMap', ...change(before, after), ...more };
}

export interface SelectorOptions {
  readonly names?: readonly string[];
  readonly namespaceLabels?: Strings;
  readonly types?: readonly Readonly<Record<'group' | 'version' | 'kind', string>>[];
  readonly labels?: Strings;
  readonly metadata?: Json;
}

/** https://github.com/aws-controllers-k8s/runtime/blob/main/apis/core/v1alpha1/iam_role_selector.go */
export function roleSelector(name: string, arn: string, options: SelectorOptions = {}): Json {
  const { names, namespaceLabels, types, labels } = options;
  const namespaceSelector = {
    ...(names === undefined ? {} : { names }),
    ...(namespaceLabels === undefined ? {} : { labelSelector: { matchLabels: namespaceLabels } }),
  };
  return {
    apiVersion: 'services.k8s.aws/v1alpha1',
    kind: 'IAMRoleSelector',
    metadata: { name, generation: 1, ...options.metadata },
    spec: {
      arn,
      ...(names === undefined && namespaceLabels === undefined ? {} : { namespaceSelector }),
      ...(types === undefined ? {} : { resourceTypeSelector: types }),
      ...(labels === undefined ? {} : { resourceLabelSelector: { matchLabels: labels } }),
    },
  };
}

/** A review of a selector: CREATE, UPDATE or DELETE by which of the two objects there are. */
export function selectorReview(before: Json | undefined, after: Json | undefined, more: Sender = {}): ReviewOptions {
  return {
    resource: 'services.k8s.aws/v1alpha1/iamroleselectors',
    kind: 'IAMRoleSelector',
    ...change(before, after),
    ...more,
  };
}
