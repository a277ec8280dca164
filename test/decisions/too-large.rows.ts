import { type Json, pod, podWithEnv } from './manifests.ts';
import { configMap, created, mapReview, roleSelector, selectorReview, statusUpdated, updated } from './resources.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';

/** What holds more than any object that Kubernetes stores or runs. */

const list = <T>(count: number, item: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => item(i));
const map = (count: number, value = ''): Json => Object.fromEntries(list(count, index => [`k${index}`, value]));
const bare = (count: number, prefix = 'c') => list(count, index => ({ name: `${prefix}${index}` }));
const inMetadata = (metadata: Json) => pod({ metadata });
const inSpec = (spec: Json) => pod({ spec });
const annotationBytes = (bytes: number): Json => ({ a: 'x'.repeat(bytes - 1) });

const denied = { reason: 'ObjectTooLarge', outcome: 'denied' } as const;

interface Pod {
  readonly what: string;
  readonly object: unknown;
  readonly says: string;
}

const pods: readonly Pod[] = [
  {
    what: '1,001 containers',
    object: inSpec({ containers: bare(1_001) }),
    says: '1,001 containers, and the limit is 1,000',
  },
  {
    what: '1,001 containers of two kinds',
    object: inSpec({ initContainers: bare(500, 'i'), containers: bare(501) }),
    says: '1,001 containers',
  },
  {
    what: '20,001 environment variables of two containers',
    object: inSpec({
      containers: list(2, index => ({ name: `c${index}`, env: list(10_001, i => ({ name: `E${i}` })) })),
    }),
    says: '20,002 environment variables, and the limit is 20,000',
  },
  {
    what: 'annotations of 256 KiB and a byte',
    object: inMetadata({ annotations: annotationBytes(262_145) }),
    says: '262,145 bytes of annotations, and the limit is 262,144',
  },
  { what: '200,001 labels', object: inMetadata({ labels: map(200_001) }), says: 'fields, and the limit is 100,000' },
  {
    what: '30,001 volume mounts',
    object: inSpec({
      containers: [{ name: 'app', volumeMounts: list(30_001, i => ({ name: 'v', mountPath: `/${i}` })) }],
    }),
    says: '30,001 volume mounts',
  },
  {
    what: '30,001 volumes',
    object: inSpec({ containers: bare(1), volumes: bare(30_001, 'v') }),
    says: '30,001 volumes',
  },
  {
    what: '30,001 sources of volumes',
    object: inSpec({ containers: bare(1), volumes: [{ name: 'v', projected: { sources: list(30_001, () => ({})) } }] }),
    says: '30,001 volume sources',
  },
  {
    what: '30,001 tolerations',
    object: inSpec({ containers: bare(1), tolerations: list(30_001, () => ({})) }),
    says: '30,001 node selector entries',
  },
  {
    what: '2,001 names in skip-containers',
    object: inMetadata({ annotations: { 'eks.amazonaws.com/skip-containers': 'a,'.repeat(2_000) } }),
    says: '2,001 names in skip-containers',
  },
  {
    what: '3 MiB of JSON and more',
    object: inSpec({ containers: [{ name: 'app', args: ['x'.repeat(3 * 1024 * 1024)] }] }),
    says: 'bytes of JSON, and the limit is 3,145,728',
  },
  {
    what: '100,001 objects and arrays',
    object: inSpec({ containers: [{ name: 'app', args: list(100_001, () => []) }] }),
    says: 'objects and arrays, and the limit is 100,000',
  },
  {
    what: '100,001 fields',
    object: inSpec({ containers: [{ name: 'app', x: map(100_001) }] }),
    says: 'fields, and the limit is 100,000',
  },
];

const ephemeral = (count: number): ReviewOptions => ({
  operation: 'UPDATE',
  subResource: 'ephemeralcontainers',
  oldObject: pod(),
  object: inSpec({ containers: bare(1), ephemeralContainers: bare(count, 'e') }),
});
const deployment = (template: unknown): ReviewOptions => ({
  resource: 'apps/v1/deployments',
  kind: 'Deployment',
  object: { kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' }, spec: { template } },
});
const namespace = (metadata: Json): ReviewOptions => ({
  resource: '/v1/namespaces',
  object: { kind: 'Namespace', metadata: { name: 'new', ...metadata } },
});
const finalizers = (count: number) => list(count, () => 'a/b');
const tooManyAnnotations = { annotations: annotationBytes(262_145) };

export const tooLargeRows: readonly Row[] = [
  ...pods.map(
    ({ what, object, says }): Row => ({
      ...denied,
      proves: `a pod with ${what} is denied before anything walks it`,
      review: { object },
      says: [says, 'Pod "web" in namespace "shop"'],
    }),
  ),
  {
    ...denied,
    proves: 'what is too large is denied by /validate too',
    endpoint: 'validate',
    review: { object: inSpec({ containers: bare(1_001) }) },
  },
  {
    ...denied,
    proves: 'no mode softens it',
    server: 'warning',
    review: { object: inSpec({ containers: bare(1_001) }) },
  },
  {
    proves: 'a pod with 1,000 containers and 20,000 environment variables is injected',
    review: {
      object: inSpec({
        containers: bare(1_000).map(one => ({ ...one, env: list(20, i => ({ name: `E${i}`, value: 'x' })) })),
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/spec/containers/999/env/21/name': 'AWS_ROLE_ARN' },
  },
  {
    proves: 'a pod with annotations of 256 KiB, all that the API server takes, is injected',
    review: { object: inMetadata({ annotations: annotationBytes(262_144) }) },
    reason: 'Injected',
    outcome: 'mutated',
  },
  {
    proves: 'a review of more than a megabyte is read like any other',
    review: { object: podWithEnv([{ name: 'X', value: 'x'.repeat(1_500_000) }]) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/spec/containers/0/env/2/name': 'AWS_ROLE_ARN' },
  },
  {
    proves: 'managedFields count for nothing: they are not read',
    review: { object: inMetadata({ managedFields: [{ manager: 'x', fieldsV1: map(210_000) }] }) },
    reason: 'Injected',
    outcome: 'mutated',
  },
  {
    ...denied,
    proves: 'ephemeral containers count like the others',
    review: ephemeral(1_000),
    says: ['1,001 containers'],
  },
  {
    proves: 'a workload that is too large gets a warning, for its pods are judged themselves',
    endpoint: 'validate',
    review: deployment({ spec: { containers: bare(1_001) } }),
    reason: 'ObjectTooLarge',
    outcome: 'warned',
    says: ['1,001 containers'],
  },
  {
    proves: 'a workload of more bytes than are parsed gets a warning, with --workloads=deny too',
    endpoint: 'validate',
    server: 'workloads-denied',
    review: deployment({ spec: { containers: [{ name: 'app', args: ['x'.repeat(3 * 1024 * 1024)] }] } }),
    reason: 'ObjectTooLarge',
    outcome: 'warned',
  },
  { ...denied, proves: 'a namespace with too many annotations is denied', review: namespace(tooManyAnnotations) },
  {
    ...denied,
    proves: 'a resource with too many finalizers is denied',
    endpoint: 'validate',
    review: created('Bucket', { finalizers: finalizers(300_001) }),
    says: ['300,001 finalizers'],
  },
  {
    ...denied,
    proves: 'a resource with too many labels is denied',
    endpoint: 'validate',
    review: created('Bucket', { labels: map(200_001) }),
  },
  {
    proves: 'a resource that is being deleted is never too large',
    endpoint: 'validate',
    review: updated('Bucket', { terminating: true, finalizers: finalizers(300_001) }, { terminating: true }),
    reason: 'Terminating',
    outcome: 'allowed',
  },
  {
    proves: 'a resource that is being deleted is never too large, where its bytes are not parsed either',
    endpoint: 'validate',
    review: updated('Bucket', { terminating: true, spec: { x: 'x'.repeat(3 * 1024 * 1024) } }, { terminating: true }),
    reason: 'Terminating',
    outcome: 'allowed',
  },
  {
    ...denied,
    proves: 'a deletionTimestamp that only the request brings makes nothing terminating',
    endpoint: 'validate',
    review: updated('Bucket', {}, { terminating: true, spec: { x: 'x'.repeat(3 * 1024 * 1024) } }),
  },
  {
    ...denied,
    proves: 'the status of a resource is bounded too',
    endpoint: 'validate',
    review: statusUpdated('Bucket', {}, { metadata: tooManyAnnotations }),
  },
  {
    ...denied,
    proves: 'a map with too many entries is denied',
    endpoint: 'validate',
    review: mapReview(undefined, configMap('ack-role-account-map', map(120_001) as Readonly<Record<string, string>>)),
    says: ['fields, and the limit is 100,000'],
  },
  {
    ...denied,
    proves: 'a selector with too many names is denied',
    endpoint: 'validate',
    server: 'selectors',
    review: selectorReview(
      undefined,
      roleSelector('new', 'arn:aws:iam::252525252525:role/new', { names: list(250_001, i => `${i}`) }),
    ),
    says: ['250,001 entries of a selector'],
  },
  {
    proves: 'what nobody judges is allowed, however large it is',
    endpoint: 'validate',
    review: {
      resource: 'example.com/v1/things',
      kind: 'Thing',
      object: { metadata: { name: 'x' }, x: 'x'.repeat(3 * 1024 * 1024) },
    },
    reason: 'NotApplicable',
    outcome: 'allowed',
  },
];
