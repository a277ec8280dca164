import { container, type PodOptions, pod, podWithEnv } from './manifests.ts';
import type { Row } from './row.ts';

/** Pods that opted out, in namespaces whose binding gives them no role. */

const inject = { 'carm-webhook.dev/inject': 'disabled' };
const skip = { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' };
const optedOut = (namespace: string, options: PodOptions = {}) => ({
  object: pod({ namespace, labels: inject, ...options }),
});
const allowed = { reason: 'OptedOut', outcome: 'allowed' } as const;
const warned = { ...allowed, warnings: ['RunsWithoutRole'] } as const;

export const optedOutRows: readonly Row[] = [
  ...Object.entries({ ...inject, ...skip }).map(
    ([key, value]): Row => ({
      ...warned,
      proves: `a pod labelled ${key} in a namespace without a mapping is told that it runs without a role, and why`,
      review: optedOut('unmapped', { labels: { [key]: value } }),
      says: ['Pod "web": the pod opted out and runs without a role', 'has no role for account "999999999990"'],
      neverSays: ['AccountNotMapped'],
    }),
  ),
  ...(
    [
      ['unbound', 'is not bound to an account'],
      ['short-id', 'which has 5 digits instead of 12'],
      ['garbage-arn', 'which is not a role ARN'],
      ['mismatch', 'to a role in account'],
      ['empty-values', 'has no role for account'],
    ] as const
  ).map(
    ([namespace, wrong]): Row => ({
      ...warned,
      proves: `an opted-out pod is told why the binding does not resolve: ${namespace}`,
      review: optedOut(namespace),
      says: [wrong],
    }),
  ),
  {
    ...warned,
    server: 'no-maps',
    proves: 'an opted-out pod is told that there is no map',
    review: optedOut('shop'),
    says: ['there is no ConfigMap elsewhere/ack-role-account-map'],
  },
  {
    ...warned,
    server: 'teams',
    proves: 'an opted-out pod of a team without a mapping is told so',
    review: optedOut('team-unmapped'),
    says: ['ack-role-team-map has no role for team'],
  },
  {
    ...warned,
    server: 'strict',
    proves: 'an opted-out pod is told that --require-pods-key leaves it no role',
    review: optedOut('shared'),
    says: ['"pods.555555555555"'],
  },
  {
    ...allowed,
    proves: 'an opted-out pod in a namespace whose binding resolves is told nothing',
    review: optedOut('shop'),
  },
  {
    ...allowed,
    proves: 'the ServiceAccount of an opted-out pod is no matter',
    review: optedOut('shop', { serviceAccountName: 'nobody' }),
  },
  {
    ...allowed,
    endpoint: 'validate',
    proves: '/validate does not say it again',
    review: optedOut('unmapped'),
  },
  {
    ...allowed,
    proves: 'an opted-out pod that brings a role of its own does not run without one',
    review: {
      object: podWithEnv([{ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::999999999990:role/own' }], {
        namespace: 'unmapped',
        labels: inject,
      }),
    },
  },
  {
    ...warned,
    proves: 'an opted-out pod loses a role annotation that it brings, and is told that it runs without a role',
    review: optedOut('unmapped', { annotations: { 'carm-webhook.dev/role-arn': 'arn:aws:iam::1:role/x' } }),
    outcome: 'mutated',
    after: { '/metadata/annotations/carm-webhook.dev~1role-arn': '' },
  },
  {
    ...warned,
    proves: 'an opted-out pod is told so in mode audit too: the mode softens denials',
    review: optedOut('unmapped-audit', { initContainers: [container('setup')] }),
  },
  {
    ...allowed,
    proves: 'an opted-out pod of a namespace that opted out is told nothing',
    review: optedOut('opted-out'),
  },
];
