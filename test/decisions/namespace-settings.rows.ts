import { type Json, namespaceObject } from './manifests.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { account, hostile } from './state.ts';

/** How the pods of a namespace get their role, as it says by annotations: judged where it changes. */

const credentials = 'carm-webhook.dev/credentials';
const hub = 'carm-webhook.dev/hub-role-arn';
const externalId = 'carm-webhook.dev/external-id';
const owner = { 'services.k8s.aws/owner-account-id': account };
const enabled = { 'carm-webhook.dev/inject': 'enabled' };
const source = '123456789012';
const tenantHub = 'arn:aws:iam::999999999999:role/hub';

const annotated = (annotations: Json, labels: Json = {}, metadata: Json = {}, name = 'new'): Json =>
  namespaceObject(name, annotations, labels, metadata);

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

const denied = { endpoint: 'validate', outcome: 'denied' } as const;
const checked = { endpoint: 'validate', reason: 'Checked', outcome: 'allowed' } as const;

/** Texts by which someone might add lines to the config file, or end a value early. */
const escapes = [
  'id\nrole_arn = arn:aws:iam::999999999999:role/admin',
  'id\r\n[profile carm-hub]',
  '[profile carm-hub]',
  'id # note',
  'id;',
  'id\u2028next',
  'id\u0000',
  ' id',
  'id\n',
] as const;

export const namespaceSettingRows: readonly Row[] = [
  {
    ...denied,
    proves: 'a namespace is given no credentials mode that there is not',
    reason: 'InvalidAnnotation',
    review: review(undefined, annotated({ [credentials]: 'Chain' })),
    says: ['namespace "new" has carm-webhook.dev/credentials "Chain"', 'web-identity or chain'],
  },
  {
    ...denied,
    proves: 'a hub role that is no role ARN is denied',
    reason: 'InvalidRoleArn',
    review: review(annotated({}), annotated({ [hub]: `arn:aws:iam::${source}:user/jane` })),
    says: ['namespace "new" has carm-webhook.dev/hub-role-arn', 'is not a role ARN'],
  },
  {
    ...denied,
    proves: "a tenant's own hub role is denied: it is in no source account",
    server: 'strict',
    reason: 'RoleOutsideAccount',
    review: review(annotated(owner, enabled), annotated({ ...owner, [hub]: tenantHub }, enabled)),
    says: [JSON.stringify(tenantHub), 'account 999999999999', '--source-accounts'],
  },
  {
    ...denied,
    proves: "the namespace's own account is no source account for its hub role",
    server: 'strict',
    reason: 'RoleOutsideAccount',
    review: review(undefined, annotated({ ...owner, [hub]: `arn:aws:iam::${account}:role/hub` })),
    says: [`account ${account}`, '--source-accounts'],
  },
  {
    ...denied,
    proves: 'a hub role in another partition than the mapped role is denied',
    server: 'strict',
    reason: 'RoleOutsideAccount',
    review: review(undefined, annotated({ ...owner, [hub]: `arn:aws-cn:iam::${source}:role/hub` })),
    says: ['partition aws-cn', 'partition aws'],
  },
  {
    ...denied,
    proves: 'an external id that STS would not take is denied',
    reason: 'InvalidAnnotation',
    review: review(undefined, annotated({ [externalId]: 'x' })),
    says: ['carm-webhook.dev/external-id "x"', '2 to 1224'],
  },
  {
    ...denied,
    proves: 'an external id with a placeholder that there is not is denied',
    reason: 'InvalidAnnotation',
    review: review(undefined, annotated({ [externalId]: 'id-{pod}' })),
    says: ['"id-{pod}"', '{account}'],
  },
  ...escapes.flatMap((text): readonly Row[] => [
    {
      ...denied,
      proves: `nothing that ends a line or a value gets into an external id: ${JSON.stringify(text)}`,
      reason: 'InvalidAnnotation',
      review: review(undefined, annotated({ [externalId]: text })),
    },
    {
      ...denied,
      proves: `nor into a hub role: ${JSON.stringify(text)}`,
      server: 'strict',
      reason: 'InvalidRoleArn',
      review: review(undefined, annotated({ [hub]: `arn:aws:iam::${source}:role/${text}` })),
    },
  ]),
  {
    ...denied,
    proves: 'a hostile hub role is quoted',
    reason: 'InvalidRoleArn',
    review: review(undefined, annotated({ [hub]: hostile })),
  },
  {
    ...denied,
    proves: "mode warn does not soften a namespace's own setting: it stands on the same object",
    server: 'strict',
    reason: 'RoleOutsideAccount',
    review: review(
      annotated(owner, { ...enabled, 'carm-webhook.dev/mode': 'warn' }, {}, 'shop-warn'),
      annotated({ ...owner, [hub]: tenantHub }, { ...enabled, 'carm-webhook.dev/mode': 'warn' }, {}, 'shop-warn'),
    ),
  },
  ...['status', 'finalize'].map(
    (subResource): Row => ({
      ...denied,
      proves: `a setting that comes by namespaces/${subResource} is judged alike`,
      reason: 'InvalidAnnotation',
      review: review(annotated({}), annotated({ [credentials]: 'none' }), { subResource }),
    }),
  ),
  {
    ...denied,
    proves: 'a setting that is changed from one that is invalid to another is denied',
    reason: 'InvalidAnnotation',
    review: review(annotated({ [credentials]: 'none' }), annotated({ [credentials]: 'off' })),
    says: ['"off"'],
  },
  {
    ...checked,
    proves: 'a hub role in a source account, a mode and an external id by template are taken',
    server: 'strict',
    review: review(
      undefined,
      annotated({
        ...owner,
        [credentials]: 'chain',
        [hub]: `arn:aws:iam::${source}:role/team/hub`,
        [externalId]: '{account}/{namespace}:{serviceAccount}',
      }),
    ),
  },
  {
    ...checked,
    proves: 'an invalid setting that was there before stays possible',
    review: review(annotated({ [credentials]: 'none' }), annotated({ [credentials]: 'none', a: 'b' })),
  },
  {
    ...checked,
    proves: 'an invalid setting can be removed, or emptied',
    review: review(annotated({ [credentials]: 'none', [hub]: 'x' }), annotated({ [credentials]: '' })),
  },
  {
    ...checked,
    proves: 'a namespace that is being deleted is not held up for its settings',
    review: review(
      annotated({}, {}, { deletionTimestamp: '2026-11-26T10:00:00Z' }),
      annotated({ [credentials]: 'none' }, {}, { deletionTimestamp: '2026-11-26T10:00:00Z' }),
    ),
  },
  {
    ...checked,
    proves: 'a namespace that is never managed may say what it likes',
    review: review(undefined, annotated({ [credentials]: 'none' }, {}, {}, 'kube-public')),
  },
  {
    proves: 'an old invalid mode is told of whenever its namespace is seen',
    reason: 'Checked',
    outcome: 'allowed',
    warnings: ['BindingUnresolved'],
    says: ['pods will be denied until that is corrected', 'carm-webhook.dev/credentials "none"'],
    review: review(
      annotated({ ...owner, [credentials]: 'none' }, enabled),
      annotated({ ...owner, [credentials]: 'none' }, { ...enabled, a: 'b' }),
    ),
  },
  {
    proves: 'an old invalid hub role is told of only where pods would use it',
    reason: 'Checked',
    outcome: 'allowed',
    review: review(
      annotated({ ...owner, [hub]: 'none' }, enabled),
      annotated({ ...owner, [hub]: 'none' }, { ...enabled, a: 'b' }),
    ),
  },
  {
    proves: 'in chain mode it is',
    reason: 'Checked',
    outcome: 'allowed',
    warnings: ['BindingUnresolved'],
    says: ['pods will be denied until that is corrected', 'carm-webhook.dev/hub-role-arn "none"'],
    review: review(
      annotated({ ...owner, [credentials]: 'chain', [hub]: 'none' }, enabled),
      annotated({ ...owner, [credentials]: 'chain', [hub]: 'none' }, { ...enabled, a: 'b' }),
    ),
  },
];
