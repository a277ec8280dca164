import { type Json, namespaceObject } from './manifests.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { hostile } from './state.ts';

/** `services.k8s.aws/endpoint-url` on namespaces: ACK would send its credentials there. */

const evil = 'https://evil.example.com';
const denied = { endpoint: 'validate', reason: 'EndpointNotAllowed', outcome: 'denied' } as const;
const checked = { endpoint: 'validate', reason: 'Checked', outcome: 'allowed' } as const;
const trusting = { server: 'trusting' } as const;

const annotated = (value: string, name = 'new'): Json =>
  namespaceObject(name, { 'services.k8s.aws/endpoint-url': value });
function review(before: Json | undefined, object: Json, more: Partial<ReviewOptions> = {}): ReviewOptions {
  return {
    resource: '/v1/namespaces',
    kind: 'Namespace',
    operation: before === undefined ? 'CREATE' : 'UPDATE',
    object,
    ...(before === undefined ? {} : { oldObject: before }),
    ...more,
  };
}

export const endpointRows: readonly Row[] = [
  {
    ...denied,
    proves: 'an endpoint on a new namespace is denied',
    review: review(undefined, annotated(evil)),
    says: ['Namespace "new"', JSON.stringify(evil), '--allowed-endpoint-urls'],
  },
  { ...denied, proves: 'a hostile endpoint is quoted', review: review(undefined, annotated(hostile)) },
  {
    ...denied,
    proves: 'an endpoint that comes by UPDATE is denied',
    review: review(namespaceObject('new'), annotated(evil)),
  },
  ...['status', 'finalize'].map(
    (subResource): Row => ({
      ...denied,
      proves: `an endpoint that comes by namespaces/${subResource} is denied`,
      review: review(namespaceObject('new'), annotated(evil), { subResource }),
    }),
  ),
  {
    ...denied,
    proves: 'a namespace labelled disabled gets no endpoint either',
    review: review(
      undefined,
      namespaceObject('new', { 'services.k8s.aws/endpoint-url': evil }, { 'carm-webhook.dev/inject': 'disabled' }),
    ),
  },
  {
    ...denied,
    server: 'auditing',
    proves: 'no mode softens an endpoint',
    review: review(undefined, annotated(evil)),
  },
  { ...checked, proves: 'an empty endpoint is none', review: review(undefined, annotated('')) },
  {
    ...checked,
    proves: 'an endpoint from before is left alone',
    review: review(annotated(evil), annotated(evil)),
  },
  {
    ...denied,
    proves: 'an endpoint from before may not be another',
    review: review(annotated(evil), annotated(`${evil}/x`)),
  },
  {
    ...checked,
    proves: 'an endpoint may be taken away',
    review: review(annotated(evil), namespaceObject('new')),
  },
  {
    ...checked,
    ...trusting,
    proves: 'an endpoint of --allowed-endpoint-urls is allowed',
    review: review(undefined, annotated('https://vpce.example.com')),
  },
  ...['https://vpce.example.com/', 'https://vpce.example.com.evil.com', 'http://vpce.example.com'].map(
    (url): Row => ({
      ...denied,
      ...trusting,
      proves: `${url} is not the allowed https://vpce.example.com`,
      review: review(undefined, annotated(url)),
    }),
  ),
  {
    endpoint: 'validate',
    proves: 'the namespace controller is not held up by an endpoint',
    review: review(namespaceObject('new'), annotated(evil), {
      username: 'system:serviceaccount:kube-system:namespace-controller',
    }),
    reason: 'ExemptIdentity',
    outcome: 'allowed',
  },
];
