import { chainVolume, type Json, pod, tokenFile } from './manifests.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { account, role } from './state.ts';

/** The AWS config of running pods: UPDATE of pods and pods/status, CREATE of pods/binding and bindings. */

const key = 'carm-webhook.dev/aws-config';
const text = '[default]\nregion = eu-central-1\n';
const fieldRef = { apiVersion: 'v1', fieldPath: `metadata.annotations['${key}']` };
const item = { path: 'config', fieldRef };

interface Change {
  readonly before?: string;
  readonly after?: string;
  readonly namespace?: string;
  readonly volumes?: readonly Json[];
  readonly metadata?: Json;
  readonly labels?: Json;
}

function updated(change: Change, more: Partial<ReviewOptions> = {}): ReviewOptions {
  const { before, after, namespace = 'shop', volumes = [chainVolume()], metadata = {}, labels = {} } = change;
  const written = (config: string | undefined) =>
    pod({ namespace, volumes, metadata, labels, annotations: config === undefined ? {} : { [key]: config } });
  return { operation: 'UPDATE', object: written(after), oldObject: written(before), ...more };
}

/** By the subresource of a pod, or by the older resource of its own. */
function bound(annotations: Json, by: Partial<ReviewOptions> = { subResource: 'binding' }): ReviewOptions {
  const metadata = { name: 'web', namespace: 'shop', annotations };
  const object = { apiVersion: 'v1', kind: 'Binding', metadata, target: { kind: 'Node', name: 'node-1' } };
  return { object, operation: 'CREATE', ...by };
}

const forged = { endpoint: 'validate', reason: 'ForgedAnnotation', outcome: 'denied' } as const;
const passes = { endpoint: 'validate', outcome: 'allowed' } as const;
const fix = 'leave it as it is, or delete the pod and create it again without the annotation';
const other = `${text}role_arn = arn:aws:iam::999999999999:role/admin\n`;

/** What a pod of ServiceAccount `default` in `shop` gets from the server `chain`. */
const due = `[profile carm-hub]
role_arn = arn:aws:iam::123456789012:role/pods-hub
web_identity_token_file = ${tokenFile}
role_session_name = shop.default

[default]
role_arn = ${role}
source_profile = carm-hub
external_id = ${account}/shop
role_session_name = shop.default
`;

export const podConfigRows: readonly Row[] = [
  {
    proves: 'the AWS config of a running pod stays as it is',
    ...forged,
    review: updated({ before: text, after: other }),
    says: [
      'Pod "web" in namespace "shop": annotation carm-webhook.dev/aws-config would be changed, but the running containers read their AWS config from it.',
      fix,
    ],
    neverSays: ['999999999999', 'role_arn'],
  },
  {
    proves: 'its removal is a change: SDKs take the next role that they find without a config',
    ...forged,
    review: updated({ before: text }),
    says: ['would be removed', fix],
  },
  {
    proves: 'so is emptying it',
    ...forged,
    review: updated({ before: text, after: '' }),
    says: ['would be emptied', fix],
  },
  {
    proves: 'so is one character of white space',
    ...forged,
    review: updated({ before: text, after: `${text} ` }),
    says: ['would be changed'],
  },
  {
    proves: 'a config that comes to a pod whose volume waits for it is denied',
    ...forged,
    review: updated({ after: other }),
    says: ['would be added'],
  },
  {
    proves: "the pod's status is another way to its annotations",
    ...forged,
    review: updated({ before: text, after: other }, { subResource: 'status' }),
    says: ['would be changed'],
  },
  {
    proves: 'no user is exempt, kubelet neither',
    ...forged,
    review: updated(
      { before: text },
      { subResource: 'status', username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] },
    ),
    says: ['would be removed'],
  },
  {
    proves: 'mode warn does not soften a forged config',
    ...forged,
    review: updated({ before: text, after: other, namespace: 'shop-warn' }),
    says: ['would be changed'],
  },
  {
    proves: 'mode audit does not soften a forged config',
    ...forged,
    review: updated({ before: text, after: other, namespace: 'shop-audit' }),
    says: ['would be changed'],
  },
  {
    proves: '--default-mode does not soften a forged config',
    ...forged,
    server: 'warning',
    review: updated({ before: text, after: other }),
    says: ['would be changed'],
  },
  {
    proves: 'a pod that is labelled as opted out while it runs keeps its config',
    ...forged,
    review: updated({ before: text, after: other, labels: { 'carm-webhook.dev/inject': 'disabled' } }),
    says: ['would be changed'],
  },
  ...([undefined, '', other] as const).map(
    (before): Row => ({
      proves: `a config that was changed past the webhook can be put right, from ${JSON.stringify(before)}`,
      ...passes,
      server: 'chain',
      reason: 'Checked',
      review: updated({ ...(before === undefined ? {} : { before }), after: due }),
    }),
  ),
  {
    proves: 'what is due to another ServiceAccount or namespace is not due here',
    ...forged,
    server: 'chain',
    review: updated({ before: due, after: due.replaceAll('shop', 'other') }),
    says: ['would be changed'],
  },
  {
    proves: 'even where another config is due today, one that is due to nobody is denied',
    ...forged,
    server: 'chain',
    review: updated({ before: text, after: due.replace('/pods-hub', '/tenant-hub') }),
    says: ['would be changed'],
  },
  {
    proves: 'in a pod that reads it nowhere the annotation is a note like any other',
    ...passes,
    reason: 'NotApplicable',
    review: updated({ before: text, after: other, volumes: [] }),
  },
  {
    proves: 'so it is in one that reads it by a volume of its own: no container of ours has its config there',
    ...passes,
    reason: 'NotApplicable',
    review: updated({ before: text, after: other, volumes: [{ name: 'mine', downwardAPI: { items: [item] } }] }),
  },
  {
    proves: 'an update that leaves the config as it is passes',
    ...passes,
    reason: 'Checked',
    review: updated({ before: text, after: text }),
  },
  {
    proves: 'a pod that is being deleted is not held up for its config',
    ...passes,
    reason: 'Terminating',
    review: updated({ before: text, after: other, metadata: { deletionTimestamp: '2026-11-26T10:00:00Z' } }),
  },
  {
    proves: 'a namespace that opted out has no config of ours',
    ...passes,
    reason: 'OptedOut',
    review: updated({ before: text, after: other, namespace: 'opted-out' }),
  },
  {
    proves: 'the config of a pod in a namespace that does not exist is denied with its cause',
    ...forged,
    reason: 'NamespaceNotFound',
    review: updated({ before: text, after: other, namespace: 'nowhere' }),
    says: ['namespace "nowhere" does not exist'],
  },
  {
    proves: 'a Binding, whose annotations the pod gets, brings no config',
    ...forged,
    review: bound({ [key]: other }),
    says: [
      'Binding "web" in namespace "shop": it would set annotation carm-webhook.dev/aws-config on the pod',
      'remove it from the Binding',
    ],
    neverSays: ['999999999999'],
  },
  {
    proves: 'an empty config comes by no Binding either',
    ...forged,
    review: bound({ [key]: '' }, { resource: '/v1/bindings' }),
    says: ['remove it from the Binding'],
  },
  {
    proves: "a scheduler's Binding passes",
    ...passes,
    reason: 'NotApplicable',
    review: bound({ 'scheduler.example/score': '7' }),
  },
];
