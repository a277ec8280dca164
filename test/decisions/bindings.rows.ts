import { type Json, namespaceObject } from './manifests.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { account } from './state.ts';

/** Who may bind, with --authorize-bindings. What needs which grant: test/admission/guards/binding-authorization.test.ts. */

const other = '555555555555';
const owner = (id: string) => ({ 'services.k8s.aws/owner-account-id': id });
const team = (id: string) => ({ 'services.k8s.aws/team-id': id });
const enabled = { 'carm-webhook.dev/inject': 'enabled' };
const disabled = { 'carm-webhook.dev/inject': 'disabled' };
const mode = (value: string) => ({ ...enabled, 'carm-webhook.dev/mode': value });
const dying = { deletionTimestamp: '2026-01-01T00:00:00Z' };

interface State {
  readonly annotations?: Json;
  readonly labels?: Json;
  readonly metadata?: Json;
}
const bound: State = { annotations: owner(account), labels: enabled };
const boundElsewhere: State = { annotations: owner(other), labels: enabled };
const unbound: State = { labels: enabled };

/** Being deleted, and not yet gone. */
const held = (state: State): State => ({ ...state, metadata: { ...dying, finalizers: ['example.com/a'] } });

const object = ({ annotations = {}, labels = {}, metadata }: State, name: string): Json =>
  namespaceObject(name, annotations, labels, metadata);

function create(username: string, after: State, more: Partial<ReviewOptions> = {}): ReviewOptions {
  return { resource: '/v1/namespaces', kind: 'Namespace', object: object(after, 'new'), username, ...more };
}

function change(username: string, before: State, after: State, more: Partial<ReviewOptions> = {}): ReviewOptions {
  const { name = 'shop' } = more;
  return create(username, after, {
    operation: 'UPDATE',
    oldObject: object(before, name),
    object: object(after, name),
    ...more,
  });
}

const server = 'authorizing';
const denied = { endpoint: 'validate', server, reason: 'BindingForbidden', outcome: 'denied' } as const;
const checked = { endpoint: 'validate', server, reason: 'Checked', outcome: 'allowed' } as const;
const bindOf = (id: string): string => `bind on accounts.carm-webhook.dev/${id}`;

export const bindingRows: readonly Row[] = [
  {
    ...denied,
    proves: 'who may not bind an account cannot create a namespace with it, and is told what shows that',
    review: create('nobody', bound),
    says: [
      'Namespace "new": user "nobody" lacks the verb ',
      `${bindOf(account)} (for the new binding)`,
      'Ask your platform team to',
      'kubectl auth can-i --list | grep carm-webhook.dev',
    ],
    neverSays: ['could not tell'],
  },
  { ...checked, proves: 'who may bind it can', review: create('owner', bound) },
  { ...checked, proves: 'who may bind every one can too', review: create('platform', bound) },
  { ...checked, proves: 'a namespace without a binding is for everybody', review: create('nobody', unbound) },
  {
    ...denied,
    proves: 'where an authorizer failed, the denial says so',
    review: create('nobody-unsure', bound),
    says: ['could not tell'],
  },
  {
    ...denied,
    proves: 'a change of the binding needs the account that is left',
    review: change('neighbour', bound, boundElsewhere),
    says: [`${bindOf(account)} (for the old binding)`],
    neverSays: [bindOf(other)],
  },
  {
    ...denied,
    proves: 'and the one that is taken',
    review: change('owner', bound, boundElsewhere),
    says: [`${bindOf(other)} (for the new binding)`],
    neverSays: [bindOf(account)],
  },
  {
    ...denied,
    proves: 'who has neither is told of both',
    review: change('nobody', bound, boundElsewhere),
    says: [bindOf(other), bindOf(account)],
  },
  { ...checked, proves: 'who has both may move a namespace', review: change('mover', bound, boundElsewhere) },
  {
    ...denied,
    proves: 'a binding is not removed by who may not bind it',
    review: change('neighbour', bound, unbound),
    says: ['for the old binding'],
  },
  { ...checked, proves: 'it is by who may', review: change('owner', bound, unbound) },
  {
    ...denied,
    proves: 'pods of a bound namespace are not opted out by who may not bind it',
    review: change('neighbour', bound, { ...bound, labels: disabled }),
    says: [`${bindOf(account)} (for opting its pods out)`],
  },
  {
    ...checked,
    proves: 'opting in again needs nothing',
    review: change('nobody', { ...bound, labels: disabled }, bound),
  },
  {
    ...denied,
    proves: 'a mode is not weakened by who may not bind, whatever the mode is',
    review: change('nobody', { ...bound, labels: mode('warn') }, { ...bound, labels: mode('audit') }),
    says: ['for its weaker mode'],
  },
  {
    ...denied,
    server: 'authorizing-warning',
    proves: 'nor by taking off a label that was stricter than the default',
    review: change('nobody', { ...bound, labels: mode('enforce') }, bound),
    says: ['for its weaker mode'],
  },
  {
    ...checked,
    proves: 'a stricter mode needs nothing',
    review: change('nobody', { ...bound, labels: mode('audit') }, bound),
  },
  {
    ...denied,
    proves: 'a namespace that must be bound and is not is let out by those alone who may bind every account',
    review: change('mover', unbound, {}),
    says: ['bind on all accounts.carm-webhook.dev ('],
  },
  { ...checked, proves: 'by them it is', review: change('platform', unbound, {}) },
  {
    ...denied,
    proves: 'an id that is none is bound by those alone too: ACK may find a role by it',
    review: create('mover', { ...bound, annotations: owner(`s3.${other}`) }),
    says: ['bind on all accounts.carm-webhook.dev ('],
  },
  {
    ...denied,
    proves: 'a team id that binds nothing while its gate is off needs the team all the same',
    review: change('owner', bound, { ...bound, annotations: { ...owner(account), ...team('platform') } }),
    says: ['bind on teams.carm-webhook.dev/platform (for the new binding)'],
  },
  {
    ...checked,
    proves: 'and does not need the account',
    review: change('team-lead', bound, { ...bound, annotations: { ...owner(account), ...team('platform') } }),
  },
  {
    ...denied,
    server: 'authorizing-teams',
    proves: 'a team id takes the place of an account, which must allow it too',
    review: change('team-lead', bound, { ...bound, annotations: { ...owner(account), ...team('platform') } }),
    says: [`${bindOf(account)} (for the old binding)`],
    neverSays: ['teams.carm-webhook.dev'],
  },
  ...(['status', 'finalize'] as const).map(
    (subResource): Row => ({
      ...denied,
      proves: `a binding that comes by ${subResource} is judged`,
      review: change('nobody', {}, bound, { subResource }),
    }),
  ),
  {
    ...denied,
    proves: 'a namespace that is being deleted keeps its binding: ACK deletes by it what is in the account',
    review: change('nobody', held(bound), held(boundElsewhere)),
  },
  {
    ...checked,
    proves: 'a request that ends it is allowed, whatever goes with it',
    review: change(
      'nobody',
      held({ annotations: owner(account) }),
      {},
      {
        object: { ...object({ metadata: dying }, 'shop'), spec: {} },
      },
    ),
  },
  {
    ...denied,
    proves: 'the namespace of the webhook is judged as well: ACK does not ignore it',
    review: change('nobody', {}, bound, { name: 'carm-webhook' }),
  },
  {
    ...checked,
    proves: 'one whose binding ACK ignores is not',
    review: change('nobody', {}, bound, { name: 'kube-public' }),
  },
  {
    ...denied,
    proves: "ACK's controllers bind nothing, and are judged like everybody else",
    review: change('system:serviceaccount:ack-system:ack-s3-controller', {}, bound),
  },
  {
    endpoint: 'validate',
    server,
    proves: 'the namespace controller is not held up',
    review: change('system:serviceaccount:kube-system:namespace-controller', bound, {}),
    reason: 'ExemptIdentity',
    outcome: 'allowed',
  },
  {
    ...checked,
    proves: 'what changes neither binding nor label nor mode needs nothing',
    review: change('nobody', bound, { ...bound, annotations: { ...owner(account), note: 'x' } }),
  },
  {
    endpoint: 'validate',
    server: 'trusting',
    proves: 'where nobody can tell who may bind, nobody binds: no mode softens that',
    review: change(
      'jane@example.com',
      { ...bound, labels: mode('audit') },
      { ...boundElsewhere, labels: mode('audit') },
      {
        name: 'shop-audit',
      },
    ),
    reason: 'Unverified',
    outcome: 'error',
    code: 503,
    says: ['the answer on who may bind account "555555555555" is not in a folder of manifests'],
  },
  {
    endpoint: 'validate',
    proves: 'without the flag, who may edit a namespace may bind it',
    review: change('nobody', bound, boundElsewhere),
    reason: 'Checked',
    outcome: 'allowed',
  },
];
