import { type Json, namespaceObject } from './manifests.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { account, hostile } from './state.ts';

/** Namespaces: labelled; denied only where one of our labels is given a value that means nothing. */

const owner = (id = account) => ({ 'services.k8s.aws/owner-account-id': id });
const enabled = { 'carm-webhook.dev/inject': 'enabled' };
const disabled = { 'carm-webhook.dev/inject': 'disabled' };
const controller = 'system:serviceaccount:kube-system:namespace-controller';
const label = '/metadata/labels/carm-webhook.dev~1inject';
const no = { 'carm-webhook.dev/inject': 'false' };

function create(name: string, annotations?: Json, labels?: Json, metadata?: Json): ReviewOptions {
  return {
    resource: '/v1/namespaces',
    kind: 'Namespace',
    object: namespaceObject(name, annotations, labels, metadata),
  };
}

function update(old: Json, now: ReviewOptions): ReviewOptions {
  return { ...now, operation: 'UPDATE', oldObject: old };
}

export const namespaceRows: readonly Row[] = [
  {
    proves: 'a namespace admitted with a binding gets the label',
    review: create('new', owner(), { team: 'a' }),
    reason: 'Labelled',
    outcome: 'mutated',
    after: { '/metadata/labels': { team: 'a', ...enabled } },
  },
  {
    proves: 'a namespace without labels gets the label too',
    review: create('new', owner()),
    reason: 'Labelled',
    outcome: 'mutated',
    after: { '/metadata/labels': enabled },
  },
  {
    proves: 'a namespace labelled disabled stays so',
    review: create('new', owner(), disabled),
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    proves: 'one labelled disabled whose binding does not resolve is told so of its ACK resources',
    review: create('new', owner('999999999990'), disabled),
    reason: 'OptedOut',
    outcome: 'allowed',
    warnings: ['BindingUnresolved'],
    says: ['ACK resources will be denied until the binding resolves', 'has no role for account'],
  },
  {
    server: 'services',
    proves: 'one labelled disabled whose binding resolves for some service is not',
    review: create('new', owner('131313131313'), disabled),
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    server: 'selectors',
    proves: 'where selectors take its place, it is not',
    review: create('new', owner('999999999990'), disabled),
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    proves: 'a labelled namespace is left as it is',
    review: create('new', owner(), enabled),
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    proves: 'a namespace without a binding is not ours',
    review: create('new', { note: 'x' }),
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
  },
  {
    proves: 'an empty binding gets no label',
    review: create('new', owner('')),
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
  },
  {
    proves: 'a binding gained by UPDATE gets the label',
    review: update(namespaceObject('new'), create('new', owner())),
    reason: 'Labelled',
    outcome: 'mutated',
    after: { [label]: 'enabled' },
  },
  {
    proves: 'the label removed by hand comes back',
    review: update(namespaceObject('new', owner(), enabled), create('new', owner())),
    reason: 'Labelled',
    outcome: 'mutated',
    warnings: ['LabelRestored'],
    says: ['was removed, and has been restored'],
    after: { [label]: 'enabled' },
  },
  {
    proves: 'all labels removed by hand: ours comes back, with a warning',
    review: update(namespaceObject('new', owner(), { ...enabled, team: 'a' }), create('new', owner(), {})),
    reason: 'Labelled',
    outcome: 'mutated',
    warnings: ['LabelRestored'],
    after: { '/metadata/labels': enabled },
  },
  ...['status', 'finalize'].map(
    (subResource): Row => ({
      proves: `the label removed by namespaces/${subResource} comes back`,
      review: { ...update(namespaceObject('new', owner(), enabled), create('new', owner())), subResource },
      reason: 'Labelled',
      outcome: 'mutated',
      warnings: ['LabelRestored'],
    }),
  ),
  {
    proves: 'the label changed to disabled opts out, and does not come back',
    review: update(namespaceObject('new', owner(), enabled), create('new', owner(), disabled)),
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    proves: 'disabled removed by hand opts in: nothing came back',
    review: update(namespaceObject('new', owner(), disabled), create('new', owner())),
    reason: 'Labelled',
    outcome: 'mutated',
    after: { [label]: 'enabled' },
  },
  {
    proves: 'a label that was something else is set, not put back',
    review: update(namespaceObject('new', owner(), { 'carm-webhook.dev/inject': 'yes' }), create('new', owner())),
    reason: 'Labelled',
    outcome: 'mutated',
  },
  {
    proves: 'namespaces/status can change annotations unseen: it is labelled too',
    review: { ...update(namespaceObject('new'), create('new', owner())), subResource: 'status' },
    reason: 'Labelled',
    outcome: 'mutated',
  },
  {
    proves: 'namespaces/finalize is labelled too',
    review: { ...update(namespaceObject('new'), create('new', owner())), subResource: 'finalize' },
    reason: 'Labelled',
    outcome: 'mutated',
  },
  {
    proves: 'the namespace controller is exempt',
    review: {
      ...update(namespaceObject('new'), create('new', owner())),
      subResource: 'finalize',
      username: controller,
    },
    reason: 'ExemptIdentity',
    outcome: 'allowed',
  },
  {
    proves: 'a namespace that is being deleted is left alone',
    review: update(
      namespaceObject('new', owner(), undefined, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      create('new', owner(), undefined, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    ),
    reason: 'Terminating',
    outcome: 'allowed',
  },
  {
    proves: 'a namespace that only its request says to be deleted is labelled',
    review: update(
      namespaceObject('new', owner()),
      create('new', owner(), undefined, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    ),
    reason: 'Labelled',
    outcome: 'mutated',
    after: { [label]: 'enabled' },
  },
  ...[
    { how: 'created with the label', review: create('new', undefined, enabled) },
    { how: 'labelled', review: update(namespaceObject('new'), create('new', undefined, enabled)) },
    { how: 'opted in', review: update(namespaceObject('new', undefined, disabled), create('new', undefined, enabled)) },
  ].map(
    ({ how, review }): Row => ({
      proves: `a namespace that is ${how} without a binding is told that its pods will be denied`,
      review,
      reason: 'Checked',
      outcome: 'allowed',
      warnings: ['BindingUnresolved'],
      says: ['pods will be denied until the namespace is bound: it is labelled carm-webhook.dev/inject=enabled'],
    }),
  ),
  {
    proves: 'a namespace that is labelled with a team id without its gate is told both',
    review: create('new', { 'services.k8s.aws/team-id': 'payments' }, enabled),
    reason: 'Checked',
    outcome: 'allowed',
    warnings: ['BindingUnresolved', 'BindingIgnored'],
    says: ['services.k8s.aws/team-id has no effect: it needs the feature gate TeamLevelCARM'],
  },
  {
    proves: 'a namespace that has been labelled without a binding for long is not told so again',
    review: update(namespaceObject('new', undefined, enabled), create('new', { note: 'x' }, enabled)),
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    proves: 'removing the binding keeps the label and warns',
    review: update(namespaceObject('new', owner(), enabled), create('new', undefined, enabled)),
    reason: 'Checked',
    outcome: 'allowed',
    warnings: ['BindingRemoved'],
    after: { [label]: 'enabled' },
  },
  {
    proves: 'a namespace that loses its binding, and whose label hid its pods, is not told that they lose a role',
    review: update(namespaceObject('new', owner(), no), create('new', undefined, no)),
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
    warnings: ['InvalidLabel'],
  },
  {
    proves: 'a namespace that loses binding and label at once is warned of: its pods get no role any more',
    review: update(namespaceObject('new', owner(), enabled), create('new', { note: 'x' })),
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
    warnings: ['BindingRemoved'],
    says: ['no longer get a role'],
  },
  {
    proves: 'an opted-out namespace that loses its binding loses nothing: no warning',
    review: update(namespaceObject('new', owner(), disabled), create('new', { note: 'x' }, disabled)),
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
  },
  {
    proves: 'the label without a binding is kept and not warned of again',
    review: update(namespaceObject('new', undefined, enabled), create('new', { note: 'x' }, enabled)),
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    proves: 'a binding that does not resolve is admitted with a warning',
    review: create('new', owner('999999999990')),
    reason: 'Labelled',
    outcome: 'mutated',
    warnings: ['BindingUnresolved'],
    says: ['has no role for account'],
    neverSays: ['AccountNotMapped'],
  },
  {
    proves: 'a namespace that comes before the account map is admitted with a warning',
    server: 'no-maps',
    review: create('new', owner()),
    reason: 'Labelled',
    outcome: 'mutated',
    warnings: ['BindingUnresolved'],
    says: ['there is no ConfigMap elsewhere/ack-role-account-map'],
  },
  {
    proves: 'a hostile binding is admitted, quoted in one line',
    review: create('new', owner(hostile)),
    reason: 'Labelled',
    outcome: 'mutated',
    warnings: ['BindingUnresolved'],
    says: ['"1\\u000a2\\u001b[31m\\"'],
  },
  {
    proves: 'a region of the wrong form on a namespace is a warning',
    review: create('new', { ...owner(), 'services.k8s.aws/default-region': 'Frankfurt' }, enabled),
    reason: 'Checked',
    outcome: 'allowed',
    warnings: ['InvalidRegion'],
  },
  {
    proves: 'a team id without its gate is warned of: it binds nothing',
    review: create('new', { 'services.k8s.aws/team-id': 'platform' }),
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
    warnings: ['BindingIgnored'],
  },
  {
    proves: 'a team id with its gate gets the label',
    server: 'teams',
    review: create('new', { 'services.k8s.aws/team-id': 'platform' }),
    reason: 'Labelled',
    outcome: 'mutated',
  },
  ...['kube-system', 'kube-public', 'kube-node-lease', 'carm-webhook'].map(
    (name): Row => ({
      proves: `a binding on ${name} is ignored, as ACK ignores it or as our own, with a warning`,
      review: create(name, owner()),
      reason: 'NamespaceNotManaged',
      outcome: 'allowed',
      warnings: ['BindingIgnored'],
      after: { '/metadata/labels': undefined },
    }),
  ),
  {
    proves: 'a dry run of a namespace has the same answer',
    review: { ...create('new', owner()), dryRun: true },
    reason: 'Labelled',
    outcome: 'mutated',
  },
];
