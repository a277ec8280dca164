import { type Json, namespaceObject, pod } from './manifests.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { account } from './state.ts';

/** Values of our labels: what means nothing is never rewritten, denied where it is new, and warned of where it is old. */

const inject = 'carm-webhook.dev/inject';
const mode = 'carm-webhook.dev/mode';
const owner = { 'services.k8s.aws/owner-account-id': account };
const enabled = { [inject]: 'enabled' };
const controller = 'system:serviceaccount:kube-system:namespace-controller';
const denied = { endpoint: 'validate', reason: 'InvalidLabel', outcome: 'denied' } as const;
const checked = { endpoint: 'validate', reason: 'Checked', outcome: 'allowed' } as const;

function created(labels: Json, annotations: Json = owner, name = 'new'): ReviewOptions {
  return { resource: '/v1/namespaces', kind: 'Namespace', object: namespaceObject(name, annotations, labels) };
}

function updated(before: Json, after: Json, more: Partial<ReviewOptions> = {}): ReviewOptions {
  return { ...created(after), operation: 'UPDATE', oldObject: namespaceObject('new', owner, before), ...more };
}

const onNamespaces: readonly Row[] = [
  ...['false', 'Enabled', 'true', 'no', 'ENABLED', '', 'enabled.'].map(
    (value): Row => ({
      ...denied,
      proves: `a namespace that is created with inject ${JSON.stringify(value)} is denied`,
      review: created({ [inject]: value }),
      says: [`${inject}=${JSON.stringify(value)}`, 'use enabled or disabled', 'To fix this'],
    }),
  ),
  ...['Warn', 'strict', '', 'dry-run', 'enabled'].map(
    (value): Row => ({
      ...denied,
      proves: `a namespace that is created with mode ${JSON.stringify(value)} is denied`,
      review: created({ ...enabled, [mode]: value }),
      says: [`${mode}=${JSON.stringify(value)}`, 'use enforce, warn or audit'],
    }),
  ),
  {
    ...denied,
    proves: 'bound or not, a new label with a value that means nothing is denied',
    review: created({ [inject]: 'true' }, {}),
  },
  {
    ...denied,
    proves: 'the mode of a namespace does not soften the denial of its labels',
    review: created({ [inject]: 'false', [mode]: 'warn' }),
  },
  {
    ...denied,
    proves: 'a label changed to what means nothing is denied',
    review: updated(enabled, { [inject]: 'no' }),
  },
  {
    ...denied,
    proves: 'from one value that means nothing to another is denied',
    review: updated({ [inject]: 'no' }, { [inject]: 'false' }),
  },
  {
    ...denied,
    proves: 'an old one does not let another label pass',
    review: updated({ [inject]: 'no' }, { [inject]: 'no', [mode]: 'Warn' }),
    says: [mode],
  },
  ...['status', 'finalize'].map(
    (subResource): Row => ({
      ...denied,
      proves: `a label changed by namespaces/${subResource} is denied too`,
      review: updated(enabled, { [inject]: 'no' }, { subResource }),
    }),
  ),
  {
    ...checked,
    proves: 'a namespace that was labelled so before is not denied',
    review: updated({ [inject]: 'false', [mode]: 'Warn' }, { [inject]: 'false', [mode]: 'Warn', team: 'a' }),
  },
  {
    ...checked,
    proves: 'an old value may be corrected',
    review: updated({ [inject]: 'false' }, { [inject]: 'disabled' }),
  },
  { ...checked, proves: 'an old value may go', review: updated({ [mode]: 'Warn' }, {}) },
  {
    ...checked,
    proves: 'the namespace controller may leave any value',
    review: updated(enabled, { [inject]: 'no' }, { username: controller }),
    reason: 'ExemptIdentity',
  },
  {
    ...checked,
    proves: 'labels of a namespace that is never managed mean nothing anyway',
    review: created({ [inject]: 'no' }, owner, 'kube-system'),
  },
  {
    ...checked,
    proves: 'a namespace that is being deleted is not held up by the mode',
    review: {
      ...created({ [mode]: 'x' }),
      operation: 'UPDATE',
      oldObject: namespaceObject('new', owner, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
  },
  ...['false', 'Disabled'].map(
    (value): Row => ({
      proves: `a bound namespace that was labelled inject ${value} before keeps it, and is told what follows`,
      review: updated({ [inject]: value }, { [inject]: value, team: 'a' }),
      reason: 'Checked',
      outcome: 'allowed',
      warnings: ['InvalidLabel'],
      says: [`${inject}="${value}" hides its pods from the webhook: they get no role. Use enabled or disabled`],
      after: { '/metadata/labels': { [inject]: value, team: 'a' } },
    }),
  ),
  {
    proves: 'a namespace that gets a binding keeps an old value as well',
    review: { ...updated({}, { [inject]: 'no' }), oldObject: namespaceObject('new', {}, { [inject]: 'no' }) },
    reason: 'Checked',
    outcome: 'allowed',
    warnings: ['InvalidLabel'],
    after: { '/metadata/labels': { [inject]: 'no' } },
  },
  {
    proves: 'a new value that means nothing is left alone by /mutate: /validate denies it',
    review: created({ [inject]: 'false' }),
    reason: 'Checked',
    outcome: 'allowed',
    after: { '/metadata/labels': { [inject]: 'false' } },
  },
  {
    proves: 'an old value in a namespace that is not bound is ignored',
    review: {
      ...created({ [inject]: 'yes' }, { 'services.k8s.aws/team-id': 'a' }),
      operation: 'UPDATE',
      oldObject: namespaceObject('new', {}, { [inject]: 'yes' }),
    },
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
    warnings: ['BindingIgnored', 'InvalidLabel'],
    says: [`${inject}="yes" is ignored`],
  },
  {
    server: 'warning',
    proves: 'an old mode that is none counts as the default mode, and says so',
    review: updated({ ...enabled, [mode]: 'Audit' }, { ...enabled, [mode]: 'Audit', team: 'a' }),
    reason: 'Checked',
    outcome: 'allowed',
    warnings: ['InvalidLabel'],
    says: [`${mode}="Audit" is ignored: the mode is warn. Use enforce, warn or audit`],
  },
];

const onPods: readonly Row[] = [
  ...['false', 'Disabled', 'true', ''].map(
    (value): Row => ({
      proves: `a pod labelled inject ${JSON.stringify(value)} is injected with a warning, as if it were not labelled`,
      review: { object: pod({ labels: { [inject]: value } }) },
      reason: 'Injected',
      outcome: 'mutated',
      warnings: ['InvalidLabel'],
      says: [`${inject}=${JSON.stringify(value)} is ignored. Use enabled or disabled`],
      after: { '/metadata/labels': { [inject]: value } },
    }),
  ),
  {
    proves: 'a pod that opted out by another label is warned of the value of this one',
    review: { object: pod({ labels: { [inject]: 'no', 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } }) },
    reason: 'OptedOut',
    outcome: 'allowed',
    warnings: ['InvalidLabel'],
  },
  {
    proves: 'a pod labelled enabled is not warned of',
    review: { object: pod({ labels: enabled }) },
    reason: 'Injected',
    outcome: 'mutated',
  },
];

export const labelRows: readonly Row[] = [...onNamespaces, ...onPods];
