import type { Method } from '../testbed/api-client.ts';
import {
  ackPath,
  ackResource,
  ackStatus,
  adoptedResourceKind,
  bucket,
  bucketKind,
  databaseKind,
  fieldExport,
  fieldExportKind,
  queueKind,
  securityGroupKind,
} from './ack-crds.ts';

export const account = '111122223333';
export const foreign = '999999999999';
export const region = 'eu-central-1';
export const shop = 'shop';
const evil = { annotations: { 'services.k8s.aws/endpoint-url': 'https://sts.evil.example' } };
const applied = 'application/apply-patch+yaml';
const olderQueue = { ...queueKind, versions: ['v1alpha1'] };

/** One thing that a tenant tries. */
export interface Attack {
  readonly what: string;
  /** Why it is denied. */
  readonly reason: string;
  readonly method: Method;
  readonly path: string;
  readonly body?: object;
  readonly contentType?: string;
  /** With the token of their own ServiceAccount `ack-s3-controller`. */
  readonly asLookalike?: boolean;
}

export const forged = ackStatus(foreign, 'us-east-1');
export const assets = ackPath(bucketKind, shop, 'assets');
export const leaving = ackPath(bucketKind, shop, 'leaving');
const statusOf = (path: string): string => `${path}/status`;
const create = (path: string, body: object): Pick<Attack, 'method' | 'path' | 'body'> => ({
  method: 'POST',
  path,
  body,
});
const patch = (path: string, body: object): Pick<Attack, 'method' | 'path' | 'body'> => ({
  method: 'PATCH',
  path,
  body,
});
const newBucket = (metadata: object): Pick<Attack, 'method' | 'path' | 'body'> =>
  create(ackPath(bucketKind, shop), bucket(shop, 'stolen', metadata));
const applyBucket = (metadata: object, fields: object, subresource = ''): Omit<Attack, 'what' | 'reason'> => ({
  method: 'PATCH',
  path: `${assets}${subresource}?fieldManager=tenant&force=true`,
  body: { ...bucket(shop, 'assets', metadata), ...fields },
  contentType: applied,
});
const adopted = { annotations: { 'services.k8s.aws/adopted': 'true' } };
const finalized = { finalizers: ['finalizers.s3.services.k8s.aws/Bucket'] };
const intoTheMap = { kind: 'configmap', name: 'ack-role-account-map', namespace: 'ack-system', key: account };

const statuses: readonly Attack[] = [
  { what: 'status by PATCH', reason: 'ForgedStatus', ...patch(statusOf(assets), { status: forged }) },
  {
    what: 'status by PUT',
    reason: 'ForgedStatus',
    method: 'PUT',
    path: statusOf(assets),
    body: { ...bucket(shop, 'assets'), status: forged },
  },
  {
    what: 'status by server-side apply as another field manager',
    reason: 'ForgedStatus',
    ...applyBucket({}, { status: forged }, '/status'),
  },
  {
    what: 'status by an older API version',
    reason: 'ForgedStatus',
    ...patch(statusOf(ackPath(olderQueue, shop, 'orders')), { status: forged }),
  },
  { what: 'status taken away', reason: 'ForgedStatus', ...patch(statusOf(assets), { status: null }) },
  {
    what: 'the ARN in the status alone',
    reason: 'ForgedStatus',
    ...patch(statusOf(assets), { status: ackStatus(account, region, 'payroll') }),
  },
  {
    what: 'what AWS calls the resource, in the status alone',
    reason: 'ForgedStatus',
    ...patch(statusOf(assets), { status: { location: '/payroll' } }),
  },
  {
    what: "status, as a ServiceAccount named like ACK's",
    reason: 'ForgedStatus',
    ...patch(statusOf(assets), { status: forged }),
    asLookalike: true,
  },
  {
    what: 'status of a terminating resource that their own finalizer keeps',
    reason: 'ForgedStatus',
    ...patch(statusOf(leaving), { status: forged }),
  },
];

const forgeries: readonly Attack[] = [
  { what: 'annotation adopted on a new resource', reason: 'ForgedAnnotation', ...newBucket(adopted) },
  {
    what: 'annotation adopted by generateName',
    reason: 'ForgedAnnotation',
    ...newBucket({ ...adopted, generateName: 'stolen-' }),
  },
  { what: 'annotation adopted added later', reason: 'ForgedAnnotation', ...patch(assets, { metadata: adopted }) },
  {
    what: 'annotation adopted by server-side apply as another field manager',
    reason: 'ForgedAnnotation',
    ...applyBucket(adopted, {}),
  },
  {
    what: 'annotation adopted by an older API version',
    reason: 'ForgedAnnotation',
    ...patch(ackPath(olderQueue, shop, 'orders'), { metadata: adopted }),
  },
  {
    what: "a controller's note of a Secret",
    reason: 'ForgedAnnotation',
    ...patch(ackPath(databaseKind, shop, 'ledger'), {
      metadata: { annotations: { 'rds.services.k8s.aws/last-applied-secret-reference': '{"namespace":"payroll"}' } },
    }),
  },
  { what: 'an ACK finalizer on a new resource', reason: 'ForgedFinalizer', ...newBucket(finalized) },
  { what: 'an ACK finalizer added later', reason: 'ForgedFinalizer', ...patch(assets, { metadata: finalized }) },
  {
    what: "an ACK finalizer, as a ServiceAccount named like ACK's",
    reason: 'ForgedFinalizer',
    ...patch(assets, { metadata: finalized }),
    asLookalike: true,
  },
];

const adoption = (annotations: object): object => ({
  aws: { nameOrID: 'payroll' },
  kubernetes: { group: bucketKind.group, kind: 'Bucket', metadata: { name: 'stolen', annotations } },
});
const newAdoption = (annotations: object): Pick<Attack, 'method' | 'path' | 'body'> =>
  create(
    ackPath(adoptedResourceKind, shop),
    ackResource(adoptedResourceKind, shop, 'copied', {}, adoption(annotations)),
  );
/** What ACK would copy onto the resource that it creates. */
const copies: readonly Attack[] = [
  {
    what: "a controller's note for ACK to copy, in an AdoptedResource",
    reason: 'ForgedAnnotation',
    ...newAdoption(adopted.annotations),
  },
  {
    what: "a controller's note for ACK to copy, in an AdoptedResource that is there",
    reason: 'ForgedAnnotation',
    ...patch(ackPath(adoptedResourceKind, shop, 'books'), { spec: adoption(adopted.annotations) }),
  },
  {
    what: 'a region of another partition for ACK to copy, in an AdoptedResource',
    reason: 'InvalidRegion',
    ...newAdoption({ 'services.k8s.aws/region': 'cn-north-1' }),
  },
  {
    what: 'another account for ACK to copy, in an AdoptedResource',
    reason: 'AccountMismatch',
    ...newAdoption({ 'services.k8s.aws/owner-account-id': foreign }),
  },
];

const references: readonly Attack[] = [
  {
    what: 'a FieldExport into the account map',
    reason: 'CrossNamespaceReference',
    ...create(ackPath(fieldExportKind, shop), fieldExport(shop, 'steal', intoTheMap)),
  },
  {
    what: 'a FieldExport that is pointed at the account map later',
    reason: 'CrossNamespaceReference',
    ...patch(ackPath(fieldExportKind, shop, 'harmless'), { spec: { to: intoTheMap } }),
  },
  {
    what: "another namespace's Secret",
    reason: 'CrossNamespaceReference',
    ...create(
      ackPath(databaseKind, shop),
      ackResource(
        databaseKind,
        shop,
        'stolen',
        {},
        {
          masterUserPassword: { namespace: 'payroll', name: 'database', key: 'password' },
        },
      ),
    ),
  },
  {
    what: "another namespace's resource",
    reason: 'CrossNamespaceReference',
    ...create(
      ackPath(securityGroupKind, shop),
      ackResource(securityGroupKind, shop, 'stolen', {}, { vpcRef: { from: { name: 'main', namespace: 'payroll' } } }),
    ),
  },
  {
    what: 'an AdoptedResource for another namespace',
    reason: 'CrossNamespaceReference',
    ...create(
      ackPath(adoptedResourceKind, shop),
      ackResource(
        adoptedResourceKind,
        shop,
        'stolen',
        {},
        {
          aws: { nameOrID: 'payroll' },
          kubernetes: { group: bucketKind.group, kind: 'Bucket', metadata: { name: 'payroll', namespace: 'payroll' } },
        },
      ),
    ),
  },
  {
    what: 'a reference from a terminating resource that their own finalizer keeps',
    reason: 'CrossNamespaceReference',
    ...patch(leaving, { spec: { replication: { roleRef: { from: { name: 'logs', namespace: 'payroll' } } } } }),
  },
];

const places: readonly Attack[] = [
  {
    what: 'another region for a resource that exists',
    reason: 'RegionChange',
    ...patch(assets, { metadata: { annotations: { 'services.k8s.aws/region': 'us-east-1' } } }),
  },
  {
    what: "a region of another partition than the account's",
    reason: 'InvalidRegion',
    ...newBucket({ annotations: { 'services.k8s.aws/region': 'cn-north-1' } }),
  },
  {
    what: 'another account, on the resource itself',
    reason: 'AccountMismatch',
    ...newBucket({ annotations: { 'services.k8s.aws/owner-account-id': foreign } }),
  },
  {
    what: "a team id with a dot, which would reach another service's key",
    reason: 'InvalidTeamId',
    ...create(ackPath(bucketKind, 'dotted-team'), bucket('dotted-team', 'stolen')),
  },
  {
    what: "an account id with a dot, which would reach another service's key",
    reason: 'InvalidAccountId',
    ...create(ackPath(bucketKind, 'dotted-account'), bucket('dotted-account', 'stolen')),
  },
];

const namespaceFields = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: shop, ...evil } };
const endpoints: readonly Attack[] = [
  { what: 'an endpoint of their own', ...patch(`/api/v1/namespaces/${shop}`, { metadata: evil }) },
  {
    what: "an endpoint of their own, by the namespace's status",
    method: 'PUT' as const,
    path: `/api/v1/namespaces/${shop}/status`,
    body: namespaceFields,
  },
  {
    what: "an endpoint of their own, by the namespace's finalize",
    method: 'PUT' as const,
    path: `/api/v1/namespaces/${shop}/finalize`,
    body: { ...namespaceFields, spec: { finalizers: ['kubernetes'] } },
  },
  {
    what: 'an endpoint of their own, on a terminating namespace',
    ...patch('/api/v1/namespaces/going', { metadata: evil }),
  },
].map(attack => ({ ...attack, reason: 'EndpointNotAllowed' }));

const labelOff = { labels: { 'carm-webhook.dev/inject': null } };
/** So that nobody judges the pods there, or what `kubectl debug` adds to them. */
const labels: readonly Attack[] = [
  { what: 'our label taken off a terminating namespace', ...patch('/api/v1/namespaces/going', { metadata: labelOff }) },
  {
    what: 'our label taken off a terminating namespace, by its status',
    ...patch('/api/v1/namespaces/going/status', { metadata: labelOff }),
  },
  {
    what: 'a terminating namespace opted out',
    ...patch('/api/v1/namespaces/going', { metadata: { labels: { 'carm-webhook.dev/inject': 'disabled' } } }),
  },
  {
    what: 'our label with a value that no entry selects',
    ...patch(`/api/v1/namespaces/${shop}`, { metadata: { labels: { 'carm-webhook.dev/inject': 'x' } } }),
  },
].map(attack => ({ ...attack, reason: 'InvalidLabel' }));

export const mapPath = '/api/v1/namespaces/ack-system/configmaps';
/** Should they have got rights on ConfigMaps of the ACK system namespace. */
const maps: readonly Attack[] = [
  { what: 'deletecollection of the account map', reason: 'MappingInUse', method: 'DELETE', path: mapPath },
  {
    what: 'their own account under their key of the account map',
    reason: 'AccountMismatch',
    ...patch(`${mapPath}/ack-role-account-map`, { data: { [account]: `arn:aws:iam::${foreign}:role/evil` } }),
  },
];

/** All of them. The page docs/security.md lists each. */
export const attacks: readonly Attack[] = [
  ...statuses,
  ...forgeries,
  ...copies,
  ...references,
  ...places,
  ...endpoints,
  ...labels,
  ...maps,
];
