import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ControlPlane } from '../testbed/control-plane.ts';
import { eventually } from './eventually.ts';
import { asList } from './manifests.ts';

/** A kind of ACK's. */
export interface AckKind {
  readonly group: string;
  readonly kind: string;
  readonly plural: string;
  readonly scope: 'Namespaced' | 'Cluster';
  /** The first is stored. */
  readonly versions: readonly string[];
}

function kindOf(group: string, kind: string, plural: string, fields: Partial<AckKind> = {}): AckKind {
  return { group, kind, plural, scope: 'Namespaced', versions: ['v1alpha1'], ...fields };
}

export const bucketKind = kindOf('s3.services.k8s.aws', 'Bucket', 'buckets');
export const databaseKind = kindOf('rds.services.k8s.aws', 'DBInstance', 'dbinstances');
export const podIdentityAssociationKind = kindOf(
  'eks.services.k8s.aws',
  'PodIdentityAssociation',
  'podidentityassociations',
);
export const securityGroupKind = kindOf('ec2.services.k8s.aws', 'SecurityGroup', 'securitygroups');
/** A kind that has moved on to another version; ACK's all have `v1alpha1` only, as yet. */
export const queueKind = kindOf('sqs.services.k8s.aws', 'Queue', 'queues', { versions: ['v1', 'v1alpha1'] });
export const topicKind = kindOf('sns.services.k8s.aws', 'Topic', 'topics');
export const fieldExportKind = kindOf('services.k8s.aws', 'FieldExport', 'fieldexports');
export const adoptedResourceKind = kindOf('services.k8s.aws', 'AdoptedResource', 'adoptedresources');
export const roleSelectorKind = kindOf('services.k8s.aws', 'IAMRoleSelector', 'iamroleselectors', { scope: 'Cluster' });

/** The kinds that tests work with. https://aws-controllers-k8s.github.io/community/reference/ */
export const ackKinds: readonly AckKind[] = [
  bucketKind,
  databaseKind,
  securityGroupKind,
  podIdentityAssociationKind,
  queueKind,
  kindOf('dynamodb.services.k8s.aws', 'Table', 'tables'),
  kindOf('iam.services.k8s.aws', 'Role', 'roles'),
  fieldExportKind,
  adoptedResourceKind,
  roleSelectorKind,
];

/** A definition that keeps what it does not know. https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/ */
function madeDefinition({ group, kind, plural, scope, versions }: AckKind): object {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: versions.map((name, index) => ({
        name,
        served: true,
        storage: index === 0,
        schema: { openAPIV3Schema: { type: 'object', properties: { spec: anything, status: anything } } },
        subresources: { status: {} },
      })),
    },
  };
}

/** The definition of a kind: the real one where the folder `ACK_CRDS` has it, as ACK's controllers name its file. */
function definitionOf(kind: AckKind): object {
  const folder = process.env['ACK_CRDS'] ?? '';
  const file = join(folder, `${kind.group}_${kind.plural}.yaml`);
  return folder !== '' && existsSync(file) ? (parse(readFileSync(file, 'utf8')) as object) : madeDefinition(kind);
}

/** The path of the objects of a kind, or of one of them. */
export function ackPath({ group, plural, scope, versions }: AckKind, namespace: string, name = ''): string {
  const where = scope === 'Cluster' ? '' : `/namespaces/${namespace}`;
  return `/apis/${group}/${versions[0]}${where}/${plural}${name === '' ? '' : `/${name}`}`;
}

/** Installs definitions and waits until their objects can be created. */
export async function installAckKinds(plane: ControlPlane, kinds: readonly AckKind[] = ackKinds): Promise<void> {
  await plane.kubectl(['apply', '--server-side', '-f', '-'], { input: asList(kinds.map(definitionOf)) });
  for (const kind of kinds) {
    await eventually(`${kind.plural}.${kind.group} is served`, async () =>
      (await plane.request('GET', ackPath(kind, 'default'))).status === 200 ? true : undefined,
    );
  }
  const { group } = kinds[0] ?? assert.fail('no kinds');
  await eventually(`discovery knows ${group}`, async () =>
    (await plane.request('GET', `/apis/${group}`)).status === 200 ? true : undefined,
  );
}

/** What a test says of a resource's metadata. */
export interface AckMetadata {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly generateName?: string;
}

/** A resource as the API server gives it. */
export interface StoredResource {
  readonly metadata: AckMetadata & {
    readonly name: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly deletionTimestamp?: string;
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** A resource of a kind, by its stored version. */
export function ackResource(
  kind: AckKind,
  namespace: string,
  name: string,
  metadata: AckMetadata = {},
  spec: object = { name },
): object {
  return {
    apiVersion: `${kind.group}/${kind.versions[0]}`,
    kind: kind.kind,
    metadata: {
      ...(metadata.generateName === undefined && { name }),
      ...(kind.scope === 'Namespaced' && { namespace }),
      ...metadata,
    },
    spec,
  };
}

export function bucket(namespace: string, name: string, metadata: AckMetadata = {}): object {
  return ackResource(bucketKind, namespace, name, metadata);
}

/** https://aws-controllers-k8s.github.io/community/docs/user-docs/field-export/ */
export function fieldExport(namespace: string, name: string, to: object, metadata: AckMetadata = {}): object {
  const from = { path: '.spec.name', resource: { group: bucketKind.group, kind: 'Bucket', name: 'assets' } };
  return ackResource(fieldExportKind, namespace, name, metadata, { from, to });
}

/** An IAMRoleSelector; cluster-scoped. */
export function roleSelector(name: string, spec: object): object {
  return ackResource(roleSelectorKind, '', name, {}, spec);
}

/** What ACK writes down about a resource that it took up. */
export function ackStatus(ownerAccountID: string, region: string, name = 'assets'): object {
  return { ackResourceMetadata: { ownerAccountID, region, arn: `arn:aws:s3:::${name}` } };
}

/** Past every webhook of ours, to prepare what they would refuse. */
export const pastTheWebhook = { user: 'break-glass', groups: ['system:masters', 'carm-webhook:break-glass'] } as const;
