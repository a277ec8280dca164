import type { Reason } from '../../src/admission/catalogue/reasons.ts';
import type { Outcome } from '../../src/admission/record.ts';
import type { FlagSet } from './flag-sets.ts';
import { type EnvEntry, pod, podWithEnv, tokenFile, workload } from './manifests.ts';
import { created, statusUpdated } from './resources.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { role } from './state.ts';

/** What one endpoint says of a namespace, or of a role that a pod names, the others say too. */

interface Trouble {
  readonly what: string;
  readonly namespace: string;
  readonly reason: Reason;
  readonly server?: FlagSet;
  readonly env?: readonly EnvEntry[];
}

const named: readonly EnvEntry[] = [{ name: 'AWS_ROLE_ARN', value: role }];

/** What stands in the way of the account that a role is held against. */
const ofAccount: readonly Trouble[] = [
  { what: 'whose account id is none', namespace: 'short-id', reason: 'InvalidAccountId' },
  { what: 'whose team id is none', namespace: 'team-dot', reason: 'InvalidTeamId', server: 'teams' },
  { what: 'that is not bound', namespace: 'unbound', reason: 'NamespaceNotBound' },
  { what: 'without a team map', namespace: 'team-only', reason: 'TeamMapMissing', server: 'no-maps' },
  { what: 'whose team has no role', namespace: 'team-unmapped', reason: 'TeamNotMapped', server: 'teams' },
  { what: 'whose team has no valid role', namespace: 'team-broken', reason: 'InvalidRoleArn', server: 'teams' },
  { what: 'that is not there', namespace: 'nowhere', reason: 'NamespaceNotFound' },
];
const byReference: Trouble = {
  what: 'whose account the role must be in, by a reference',
  namespace: 'shop',
  reason: 'RoleNotVerifiable',
  env: [{ name: 'AWS_ROLE_ARN', value: '$(ROLE)' }],
};
const ofMaps: readonly Trouble[] = [
  { what: 'without an account map', namespace: 'shop', reason: 'AccountMapMissing', server: 'no-maps' },
  { what: 'whose account has a role of another', namespace: 'mismatch', reason: 'AccountMismatch' },
];
const notManaged: readonly Trouble[] = [
  { what: 'that is not managed', namespace: 'free', reason: 'NamespaceNotManaged' },
  { what: 'that opted out', namespace: 'opted-out', reason: 'OptedOut' },
];

function row(what: string, trouble: Trouble, outcome: Outcome, review: ReviewOptions, endpoint: Row['endpoint']): Row {
  const { reason, server = 'plain' } = trouble;
  const proves = `${what}, in a namespace ${trouble.what}: /${endpoint}`;
  return { proves, server, reason, outcome, review, ...(endpoint && { endpoint }) };
}

function podRow(trouble: Trouble, outcome: Outcome): Row {
  const object = podWithEnv(trouble.env ?? named, { namespace: trouble.namespace });
  return row('a pod that names a role', trouble, outcome, { object }, 'validate');
}

function debugRow(endpoint: 'mutate' | 'validate', trouble: Trouble, outcome: Outcome): Row {
  const { namespace, env = named } = trouble;
  const review: ReviewOptions = {
    operation: 'UPDATE',
    subResource: 'ephemeralcontainers',
    object: pod({ namespace, ephemeralContainers: [{ name: 'debugger', image: 'busybox', env }] }),
    oldObject: pod({ namespace }),
  };
  return row('a debug container that names a role', trouble, outcome, review, endpoint);
}

function workloadRow(trouble: Trouble): Row {
  const { namespace, env = [] } = trouble;
  const review = { ...workload('Deployment', podWithEnv(env, { namespace }), { namespace }), kind: 'Deployment' };
  return row('a Deployment', trouble, 'warned', review, 'validate');
}

const resourceRows: readonly Row[] = [
  {
    proves: 'a resource in a namespace that ACK ignores is not completed',
    review: created('Bucket', { namespace: 'kube-system' }),
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
  },
  {
    proves: 'nothing is completed in a namespace that is not there',
    review: created('Bucket', { namespace: 'nowhere' }),
    reason: 'NamespaceNotFound',
    outcome: 'denied',
  },
  {
    endpoint: 'validate',
    proves: 'a status in a namespace that ACK ignores may change',
    review: statusUpdated('Bucket', { namespace: 'kube-system' }, { ack: { region: 'eu-west-1' } }),
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
  },
  {
    endpoint: 'validate',
    proves: 'a status in a namespace that is not there is not judged by what it says',
    review: statusUpdated('Bucket', { namespace: 'nowhere' }, { ack: { region: 'eu-west-1' } }),
    reason: 'NamespaceNotFound',
    outcome: 'denied',
  },
];

export const eachEndpointRows: readonly Row[] = [
  ...ofAccount.map(trouble => podRow(trouble, 'denied')),
  podRow({ what: 'that is not managed', namespace: 'free', reason: 'NamespaceNotManaged' }, 'allowed'),
  {
    endpoint: 'validate',
    proves: 'a pod that uses the token of a ServiceAccount that is not there is refused by /validate',
    review: {
      object: podWithEnv([{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: tokenFile }], { serviceAccountName: 'nobody' }),
    },
    reason: 'ServiceAccountNotFound',
    outcome: 'denied',
  },
  ...ofAccount.map(trouble => debugRow('mutate', trouble, 'denied')),
  ...[...ofAccount, byReference].map(trouble => debugRow('validate', trouble, 'denied')),
  ...notManaged.map(trouble => debugRow('validate', trouble, 'allowed')),
  ...[...ofAccount.slice(0, -1), byReference, ...ofMaps].map(workloadRow),
  ...resourceRows,
];
