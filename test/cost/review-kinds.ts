import type { Endpoint } from '../../src/admission/record.ts';
import { configMap, created, mapReview, roleSelector, selectorReview, updated } from '../decisions/resources.ts';
import { type ReviewOptions, reviewBody } from '../decisions/review.ts';
import {
  type Grow,
  mapFields,
  metadataFields,
  podFields,
  resourceFields,
  selectorFields,
  statusFields,
} from './hostile-objects.ts';

/** A kind of review, and the fields of its object that can be grown. */
export interface ReviewKind {
  readonly endpoint: Endpoint;
  readonly fields: Readonly<Record<string, Grow>>;
  readonly review: (object: Record<string, unknown>) => ReviewOptions;
  readonly object: () => Record<string, unknown>;
}

const podObject = () => ({
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { containers: [{ name: 'app' }] },
});
const pod: Pick<ReviewKind, 'fields' | 'object' | 'review'> = {
  fields: { ...metadataFields, ...podFields },
  object: podObject,
  review: object => ({ object }),
};
const ofTemplate =
  (grow: Grow): Grow =>
  (object, bytes) =>
    grow((object['spec'] as { template: Record<string, unknown> }).template, bytes);
const inTemplate = Object.fromEntries(
  Object.entries({ ...metadataFields, ...podFields }).map(([name, grow]) => [`template: ${name}`, ofTemplate(grow)]),
);
const deployment = () => ({
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { template: { metadata: {}, spec: { containers: [{ name: 'app' }] } } },
});
const inDeployment = { resource: 'apps/v1/deployments', kind: 'Deployment' };
const bucket = () => created('Bucket').object as Record<string, unknown>;
const resource: Pick<ReviewKind, 'fields' | 'object'> = {
  fields: { ...metadataFields, ...resourceFields },
  object: () => structuredClone(bucket()),
};
const namespace = () => ({
  kind: 'Namespace',
  metadata: { name: 'new', annotations: { 'services.k8s.aws/owner-account-id': '111111111111' } },
});
const map = () => configMap('ack-role-account-map', {}) as Record<string, unknown>;
const selector = () =>
  structuredClone(roleSelector('new', 'arn:aws:iam::252525252525:role/new', { names: ['new'] })) as Record<
    string,
    unknown
  >;

/** Every kind of object that is judged, by what is asked of it. */
export const reviewKinds: Readonly<Record<string, ReviewKind>> = {
  pod: { ...pod, endpoint: 'mutate' },
  'pod, validated': { ...pod, endpoint: 'validate' },
  'pod, debugged': {
    ...pod,
    endpoint: 'mutate',
    review: object => ({ operation: 'UPDATE', subResource: 'ephemeralcontainers', object, oldObject: podObject() }),
  },
  'pod, denied': {
    ...pod,
    endpoint: 'mutate',
    object: () => ({ ...podObject(), metadata: { name: 'web', namespace: 'nowhere' } }),
  },
  workload: {
    endpoint: 'validate',
    fields: { ...metadataFields, ...inTemplate },
    object: deployment,
    review: object => ({ ...inDeployment, object }),
  },
  'workload, updated': {
    endpoint: 'validate',
    fields: { ...metadataFields, ...inTemplate },
    object: deployment,
    review: object => ({ ...inDeployment, operation: 'UPDATE', object, oldObject: structuredClone(object) }),
  },
  namespace: {
    endpoint: 'mutate',
    fields: metadataFields,
    object: namespace,
    review: object => ({ resource: '/v1/namespaces', object }),
  },
  'namespace, updated': {
    endpoint: 'validate',
    fields: metadataFields,
    object: namespace,
    review: object => ({ resource: '/v1/namespaces', operation: 'UPDATE', object, oldObject: structuredClone(object) }),
  },
  'namespace, its keys': {
    endpoint: 'keys',
    fields: metadataFields,
    object: namespace,
    review: object => ({ resource: '/v1/namespaces', object }),
  },
  'namespace, its keys, updated': {
    endpoint: 'keys',
    fields: metadataFields,
    object: namespace,
    review: object => ({ resource: '/v1/namespaces', operation: 'UPDATE', object, oldObject: structuredClone(object) }),
  },
  resource: { ...resource, endpoint: 'mutate', review: object => ({ ...created('Bucket'), object }) },
  'resource, validated': { ...resource, endpoint: 'validate', review: object => ({ ...created('Bucket'), object }) },
  'resource, updated': {
    ...resource,
    endpoint: 'validate',
    review: object => {
      const oldObject = structuredClone(object);
      (object['spec'] as Record<string, unknown>)['more'] = true;
      return { ...updated('Bucket', {}, {}), object, oldObject };
    },
  },
  'resource, its status': {
    endpoint: 'validate',
    fields: statusFields,
    object: () => structuredClone(bucket()),
    review: object => ({
      ...updated('Bucket', {}, {}),
      subResource: 'status',
      object,
      oldObject: structuredClone(object),
    }),
  },
  map: {
    endpoint: 'validate',
    fields: { ...mapFields, ...metadataFields },
    object: map,
    review: object => mapReview(undefined, object),
  },
  'map, updated': {
    endpoint: 'validate',
    fields: { ...mapFields, ...metadataFields },
    object: map,
    review: object => mapReview(configMap('ack-role-account-map', {}), object),
  },
  selector: {
    endpoint: 'validate',
    fields: { ...selectorFields, ...metadataFields },
    object: selector,
    review: object => selectorReview(undefined, object),
  },
  'selector, updated': {
    endpoint: 'validate',
    fields: { ...selectorFields, ...metadataFields },
    object: selector,
    review: object => selectorReview(selector(), object),
  },
};

/** The bytes of a review whose object has these fields grown. */
export function reviewBytes(kind: ReviewKind, grown: readonly (readonly [field: string, bytes: number])[]): Buffer {
  const object = kind.object();
  for (const [field, bytes] of grown) kind.fields[field]?.(object, bytes);
  return Buffer.from(JSON.stringify(reviewBody(kind.review(object))));
}

/** For each kind the field by which its cost is followed from small to large. */
export const grownFields: Readonly<Record<string, string>> = {
  pod: 'one environment variable',
  workload: 'template: empty lists',
  'workload, updated': 'template: empty lists',
  'namespace, updated': 'labels',
  resource: 'a map',
  'resource, updated': 'references that are allowed',
  map: 'entries without a value',
  selector: 'types',
};
