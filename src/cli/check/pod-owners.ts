import { isPossibleName } from '../../cluster/api/api-object.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import { workloadKinds } from '../../objects/pod-template.ts';
import type { ObjectSource } from '../sources/object-source.ts';

/** What controls a pod: a workload, or the pod itself where nothing does. */
export interface Owner {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
}

/** Kinds that are mostly made by others, by which people know them. */
const between = workloadKinds.filter(({ kind }) => kind === 'ReplicaSet' || kind === 'Job');

/**
 * The owner that controls an object, if one does. Anyone may write it, so nothing but words may rest on it.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/
 */
export function controllerOf(object: JsonObject): Owner | undefined {
  const { metadata } = object;
  const references = isJsonObject(metadata) ? metadata['ownerReferences'] : undefined;
  if (!Array.isArray(references)) return undefined;
  const controller = references.find(each => isJsonObject(each) && each['controller'] === true);
  const { apiVersion, kind, name } = isJsonObject(controller) ? controller : {};
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string') return undefined;
  // The API server takes any text for both, and they are printed.
  if (!/^[A-Za-z][A-Za-z0-9]{0,62}$/.test(kind) || !isPossibleName(name)) return undefined;
  return { group: apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '', kind, name };
}

/** A ReplicaSet's Deployment, a Job's CronJob; any other owner itself. @throws {ClusterUnreachableError} */
export async function outermostOwner(owner: Owner, namespace: string, source: ObjectSource): Promise<Owner> {
  const kind = between.find(each => each.group === owner.group && each.kind === owner.kind);
  if (kind === undefined) return owner;
  const object = await source.workload(kind, namespace, owner.name);
  return (object && controllerOf(object)) ?? owner;
}
