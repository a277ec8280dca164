import { type Json, namespaceObject } from './manifests.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { account } from './state.ts';

/** Changes of namespaces that would take ACK resources from ACK: the resources are those of the state, by their status. */

interface NamespaceParts {
  readonly annotations?: Json;
  readonly labels?: Json;
  readonly metadata?: Json;
}

const owner = (id: string) => ({ 'services.k8s.aws/owner-account-id': id });
const team = (id: string) => ({ 'services.k8s.aws/team-id': id });
const region = (name: string) => ({ 'services.k8s.aws/default-region': name });
const allow = (accounts: string) => ({ 'carm-webhook.dev/allow-rebind': accounts });
const other = '555555555555';
const unmapped = '999999999999';

function change(
  name: string,
  before: NamespaceParts | Json,
  after: NamespaceParts | Json,
  more: Partial<ReviewOptions> = {},
): ReviewOptions {
  const partsOf = (given: NamespaceParts | Json): NamespaceParts =>
    ['annotations', 'labels', 'metadata'].some(part => part in given) ? given : { annotations: given as Json };
  const [old, now] = [before, after].map(given => {
    const { annotations, labels, metadata } = partsOf(given);
    return namespaceObject(name, annotations, labels, metadata);
  });
  return { resource: '/v1/namespaces', kind: 'Namespace', operation: 'UPDATE', object: now, oldObject: old, ...more };
}

const denied = { endpoint: 'validate', reason: 'RebindWithResources', outcome: 'denied' } as const;
const checked = { endpoint: 'validate', reason: 'Checked', outcome: 'allowed' } as const;
const disabled = { 'carm-webhook.dev/inject': 'disabled' };
const mode = (value: string) => ({ 'carm-webhook.dev/mode': value });
const prod = { env: 'prod' };
const leftBehind = ['ResourcesLeftBehind'] as const;
const elsewhere = ['ResourcesInOtherRegion'] as const;

const bindingRows: readonly Row[] = [
  {
    ...denied,
    proves: 'a binding that is set is denied where resources are in another account',
    review: change('taken', {}, owner(other)),
    says: [
      'Namespace "taken": ACK could no longer change or delete "Bucket/assets", "Queue/orders" in account "111111111111": the new binding leads to account 555555555555. To fix this, keep the binding as it is, or delete the resources first (which deletes them in AWS too, unless they are retained).',
      'first set the annotation carm-webhook.dev/allow-rebind to "555555555555": kubectl annotate --overwrite namespace taken carm-webhook.dev/allow-rebind=555555555555 (RebindWithResources)',
    ],
    neverSays: ['new"'],
  },
  {
    ...denied,
    proves: 'one that is changed is denied too, whether or not the map has the new account',
    review: change('taken', owner(account), owner(unmapped)),
    says: ['the new binding leads to account 999999999999'],
  },
  ...['status', 'finalize'].map(
    (subResource): Row => ({
      ...denied,
      proves: `so it is by namespaces/${subResource}`,
      review: change('taken', owner(account), owner(other), { subResource }),
    }),
  ),
  ...['warn', 'audit'].map(
    (value): Row => ({
      ...denied,
      proves: `mode ${value} does not soften it`,
      review: change('taken', { annotations: owner(account), labels: mode(value) }, { annotations: owner(other) }),
    }),
  ),
  {
    ...denied,
    server: 'warning',
    proves: 'nor does --default-mode',
    review: change('taken', owner(account), owner(other)),
  },
  {
    ...denied,
    proves: 'a namespace whose pods are opted out keeps its resources all the same',
    review: change(
      'taken',
      { annotations: owner(account), labels: disabled },
      { annotations: owner(other), labels: disabled },
    ),
  },
  {
    ...checked,
    proves: 'a binding to the account that its resources are in is allowed',
    review: change('taken', {}, owner(account)),
  },
  {
    ...checked,
    proves: 'a binding is removed where the map has the account of the status: ACK goes on by that',
    review: change('taken', owner(account), {}),
  },
  {
    ...checked,
    proves: 'an emptied binding is one that is removed',
    review: change('taken', owner(account), owner('')),
  },
  {
    ...denied,
    proves: 'it is not removed where the map has no key of that account',
    review: change('taken-unmapped', owner(unmapped), {}),
    says: [
      '"Bucket/archive", "Queue/events" in account "999999999999": without a binding ACK goes by their status, and ConfigMap ack-system/ack-role-account-map has no valid role for account "999999999999". Ask your platform team to add one first. Otherwise, keep the binding as it is. To leave them behind',
      'kubectl annotate --overwrite namespace taken-unmapped carm-webhook.dev/allow-rebind=999999999999',
    ],
  },
  {
    ...checked,
    proves: 'nothing is lost by a change of what ACK had lost to another account before',
    review: change('taken', owner('444444444444'), owner(other)),
  },
  {
    ...checked,
    proves: 'nor by the removal of the binding that had lost it, which may bring it back',
    review: change('taken-unmapped', owner(account), {}),
  },
  {
    ...denied,
    proves: 'a binding to the account of the status is denied before the map has it: ACK would find no role',
    review: change('taken-unmapped', {}, owner(unmapped)),
    says: ['has no valid role for account "999999999999". Ask your platform team to add one first.'],
    neverSays: ['go by their status'],
  },
  {
    ...denied,
    proves: 'a binding that is no account id leads nowhere',
    review: change('taken', owner(account), owner('payments')),
    says: ['the new binding leads to no account', 'carm-webhook.dev/allow-rebind=111111111111'],
  },
  {
    ...checked,
    proves: 'a binding that is no account id is corrected to the account of the status',
    review: change('taken', owner('11111111111'), owner(account)),
  },
  {
    ...checked,
    proves: 'resources that ACK has not taken up are stranded by nothing, nor are kinds of no service',
    review: change('taken-new', owner(account), owner(other)),
  },
  {
    ...checked,
    proves: 'a namespace without resources is bound to what one likes',
    review: change('empty', owner(account), owner('999999999990')),
  },
  {
    ...checked,
    proves: 'a CREATE is not searched for: there is nothing in it yet',
    review: { resource: '/v1/namespaces', kind: 'Namespace', object: namespaceObject('taken', owner(other)) },
  },
  {
    ...checked,
    proves: 'annotations that ACK takes no account from may change',
    review: change('taken', { ...owner(other), note: 'a' }, { ...owner(other), note: 'b' }),
  },
  {
    ...checked,
    proves: 'a namespace that is being deleted may change its binding',
    review: change(
      'taken',
      { annotations: owner(account), metadata: { deletionTimestamp: '2026-01-02T00:00:00Z' } },
      owner(other),
    ),
  },
  {
    ...checked,
    proves: 'one that ACK ignores may be bound to what one likes',
    review: change('kube-public', owner(account), owner(other)),
  },
  {
    ...denied,
    proves: 'of many resources a few are named',
    review: change('taken-many', owner(account), owner('444444444444')),
    says: ['"Queue/q-1", "Queue/q-2", "Queue/q-3" and others in account "111111111111"'],
    neverSays: ['q-4', 'last'],
  },
  {
    ...denied,
    proves: 'of several accounts the annotation names the one that they are to belong to, once',
    review: change('taken-many', {}, { ...owner('444444444444'), ...allow(other) }),
    says: ['carm-webhook.dev/allow-rebind=444444444444 '],
  },
  {
    ...denied,
    proves: 'an account in a status that is none is quoted, and no command holds it',
    review: change('taken-odd', {}, { ...owner('payments') }),
    neverSays: ['kubectl'],
    says: ['Bucket/forged'],
  },
];

const overrideRows: readonly Row[] = [
  {
    ...checked,
    proves: 'the annotation with the new account lets the binding change, and the warning names what is left behind',
    review: change('taken', owner(account), { ...owner(other), ...allow(other) }),
    warnings: leftBehind,
    says: [
      'carm-webhook.dev/allow-rebind: ACK can no longer change or delete "Bucket/assets", "Queue/orders" in account "111111111111"',
    ],
  },
  {
    ...checked,
    proves: 'so it does where it was there before',
    review: change(
      'taken',
      { ...owner(account), ...allow(` ${other} , 1`) },
      { ...owner(other), ...allow(` ${other} , 1`) },
    ),
    warnings: leftBehind,
  },
  {
    ...denied,
    proves: 'with another account it lets nothing pass',
    review: change('taken', owner(account), { ...owner(other), ...allow(account) }),
    says: ['carm-webhook.dev/allow-rebind=555555555555'],
  },
  {
    ...denied,
    proves: 'it counts only while it is there',
    review: change('taken', { ...owner(account), ...allow(other) }, owner(other)),
  },
  {
    ...denied,
    proves: 'a value that means nothing is no annotation',
    review: change('taken', owner(account), { ...owner(other), ...allow('true') }),
  },
  {
    ...checked,
    proves: 'where the binding goes, it names the account that the resources are in',
    review: change('taken-unmapped', owner(unmapped), allow(unmapped)),
    warnings: leftBehind,
    says: ['"Bucket/archive", "Queue/events" in account "999999999999"'],
  },
  {
    ...checked,
    proves: 'where it leaves nothing behind, nothing is warned of',
    review: change('taken', {}, { ...owner(account), ...allow(account) }),
  },
  {
    ...checked,
    proves: 'a change of the annotation alone is no change that it allows',
    review: change('taken', owner(other), { ...owner(other), ...allow(account) }),
  },
];

const teamRows: readonly Row[] = [
  {
    ...checked,
    proves: 'with TeamLevelCARM off a team id changes nothing for ACK',
    review: change('taken', owner(account), { ...owner(account), ...team('platform') }),
  },
  {
    ...denied,
    server: 'teams',
    proves: 'a team leads to the account of its role',
    review: change('taken', owner(account), { ...owner(account), ...team('platform') }),
    says: ['leads to account 444444444444', 'allow-rebind=444444444444'],
  },
  {
    ...checked,
    server: 'teams',
    proves: 'a team whose account is the one of the status is allowed',
    review: change('taken', team('nobody'), owner(account)),
  },
  {
    ...denied,
    server: 'teams',
    proves: 'a team that the map does not have leads nowhere',
    review: change('taken', owner(account), team('nobody')),
    says: [
      'ConfigMap ack-system/ack-role-team-map has no valid role for team "nobody". Ask your platform team to add one first.',
      'allow-rebind=111111111111',
    ],
  },
  {
    ...checked,
    server: 'teams',
    proves: 'the annotation names the account that is left where a team leads nowhere',
    review: change('taken', owner(account), { ...team('nobody'), ...allow(account) }),
    warnings: leftBehind,
  },
  {
    ...checked,
    server: 'teams',
    proves: 'the account id below a team may change: ACK does not read it',
    review: change('taken', { ...team('platform'), ...owner(account) }, { ...team('platform'), ...owner(other) }),
  },
  {
    ...denied,
    server: 'services-and-teams',
    proves: 'each resource is looked up by the key of its service',
    review: change('taken-by-service', team('storage'), owner('454545454545')),
    says: ['"Bucket/files" in account "464646464646": the new binding leads to account 454545454545'],
    neverSays: ['Queue/jobs'],
  },
  {
    ...denied,
    server: 'services',
    proves: 'a removed binding too: a key of another service is none for it',
    review: change('taken-by-service', owner('454545454545'), {}),
    says: ['"Queue/jobs" in account "454545454545": without a binding ACK goes by their status'],
  },
  {
    ...denied,
    server: 'services-and-teams',
    proves: 'where several accounts are left, the message names each for the annotation',
    review: change('taken-by-service', team('storage'), allow('464646464646')),
    says: ['"Queue/jobs"', 'carm-webhook.dev/allow-rebind=464646464646,454545454545'],
    neverSays: ['files'],
  },
  {
    ...checked,
    server: 'services-and-teams',
    proves: 'and the annotation lets it pass with each of them',
    review: change('taken-by-service', team('storage'), allow('464646464646,454545454545')),
    warnings: leftBehind,
    says: ['"Bucket/files", "Queue/jobs" in account "464646464646" and others'],
  },
];

const regionRows: readonly Row[] = [
  {
    ...checked,
    proves: 'a new default region is warned of where resources without one of their own are in another',
    review: change('taken-in-regions', region('eu-west-1'), region('eu-central-1')),
    warnings: elsewhere,
    says: [
      'ACK stops reconciling "Bucket/unpinned" in "eu-west-1" with default-region "eu-central-1"; annotate them with services.k8s.aws/region',
    ],
    neverSays: ['"Bucket/pinned"', 'american'],
  },
  {
    ...checked,
    proves: 'a first default region may take any of them',
    review: change('taken-in-regions', owner(account), { ...owner(account), ...region('eu-west-1') }),
    warnings: elsewhere,
    says: ['"Queue/american" in "us-east-1"'],
    neverSays: ['pinned'],
  },
  {
    ...checked,
    proves: "without a default region that of ACK's controllers counts, which nobody knows here",
    review: change('taken-in-regions', region('eu-west-1'), region('')),
    warnings: elsewhere,
    says: ['ACK may stop reconciling "Bucket/unpinned" in "eu-west-1" without services.k8s.aws/default-region'],
  },
  {
    ...checked,
    proves: 'a new default region that all of them are in is not warned of',
    review: change('taken-many', region('eu-west-1'), region('us-east-1')),
  },
  {
    ...denied,
    proves: 'resources in another region never stand in the way of those that would be left behind',
    review: change(
      'taken-many',
      { ...owner(other), ...region('us-east-1') },
      { ...owner(account), ...region('eu-west-1') },
    ),
    says: ['"Bucket/last" in account "555555555555"'],
  },
  {
    ...checked,
    proves: 'one search tells both what is left behind and what is in another region',
    review: change(
      'taken-many',
      { ...owner(other), ...region('us-east-1') },
      { ...owner(account), ...region('eu-west-1'), ...allow(account) },
    ),
    warnings: ['ResourcesLeftBehind', 'ResourcesInOtherRegion'],
    says: ['"Bucket/last" in account "555555555555"', '"Queue/q-3" and others in "us-east-1"'],
  },
];

const selected = { endpoint: 'validate', server: 'selectors' } as const;

const selectorRows: readonly Row[] = [
  {
    ...selected,
    ...denied,
    proves: 'a label of a namespace by which a selector matches its resources stays',
    review: change('taken-by-label', { labels: prod }, { labels: { env: 'test' } }),
    says: [
      '"DBInstance/ledger" in account "181818181818": with the new labels no IAMRoleSelector matches them, and ACK would create them again in its controllers\' own account. To fix this, keep the labels as they are, or delete the resources first (which',
      'allow-rebind=181818181818',
    ],
    neverSays: ['of-nobody'],
  },
  {
    ...selected,
    ...denied,
    proves: "a label by which a selector of another account matches takes a resource from ACK's own",
    review: change('taken-by-label', { labels: {} }, { labels: prod }),
    says: ['"Bucket/of-nobody" in account "123456789012": the new labels lead to account 181818181818'],
    neverSays: ['ledger'],
  },
  {
    ...selected,
    ...denied,
    proves: 'a label by which a second selector matches stops ACK',
    review: change('sel-china', { labels: {} }, { labels: prod }),
    says: ['with the new labels more than one IAMRoleSelector matches them: "by-label", "china"'],
  },
  {
    ...selected,
    ...checked,
    proves: 'the annotation lets the labels change',
    review: change('taken-by-label', { labels: prod }, { annotations: allow('181818181818'), labels: {} }),
    warnings: leftBehind,
  },
  {
    ...selected,
    ...checked,
    proves: 'labels that no selector asks for may change',
    review: change('taken-by-label', { labels: prod }, { labels: { ...prod, team: 'a' } }),
  },
  {
    ...selected,
    ...checked,
    proves: 'bindings may change where selectors take their place',
    review: change('taken', owner(account), owner(other)),
  },
  {
    ...checked,
    proves: 'labels may change where there are no selectors',
    review: change('taken-by-label', { labels: prod }, { labels: {} }),
  },
];

export const rebindingRows: readonly Row[] = [
  ...bindingRows,
  ...overrideRows,
  ...teamRows,
  ...regionRows,
  ...selectorRows,
];
