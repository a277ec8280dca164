import { eksRoleArnAnnotation, roleAnnotation } from '../objects/keys.ts';
import type { RoleMap, RoleMapKind } from '../objects/role-map.ts';
import type { ServiceAccount } from '../objects/service-account.ts';
import type { AccountId } from './account-id.ts';
import type { Binding } from './binding.ts';
import type { Partition } from './partition.ts';
import { err, ok, type Result } from './result.ts';
import { isRoleName, parseRoleArn, type RoleArn, roleArnOf, roleResource } from './role-arn.ts';
import { lookUpRole, type MappedRole, type MappingProblem } from './role-map.ts';

/** What a pod's ServiceAccount asks for, in place of the mapped role. */
export interface RequestedRole {
  readonly annotation: typeof roleAnnotation | typeof eksRoleArnAnnotation;
  readonly value: string;
}

/** Where a role came from: a key of a map, or the ServiceAccount's annotation. */
export type RoleSource =
  | { readonly kind: 'map'; readonly map: RoleMapKind; readonly key: string }
  | { readonly kind: 'requested'; readonly annotation: string };

export interface PodRole {
  readonly role: RoleArn;
  /** The namespace's account; the role may lie in a source account instead. */
  readonly accountId: AccountId;
  /** That of the mapped role. */
  readonly partition: Partition;
  readonly source: RoleSource;
}

export type RequestedRoleProblem =
  | { readonly reason: 'InvalidRoleArn'; readonly value: string; readonly at: { readonly annotation: string } }
  | {
      readonly reason: 'RoleOutsideAccount';
      readonly value: string;
      readonly accountId: AccountId;
      readonly partition: Partition;
      readonly at: { readonly annotation: string };
    };

/** In front of an id: the key of the role for workloads. */
export const podsPrefix = 'pods';

/**
 * The keys that a pod's binding is looked up by: `pods.<id>`, under which a platform team maps the role for workloads, then
 * `<id>`, the role that ACK provisions with.
 */
export function podKeys({ id }: Binding, requirePodsKey: boolean): readonly string[] {
  const ofPods = `${podsPrefix}.${id}`;
  return requirePodsKey ? [ofPods] : [ofPods, id];
}

/** Reads the role that a ServiceAccount requests; ours wins over EKS's. An empty annotation is no annotation. */
export function readRequestedRole(annotations: ServiceAccount['annotations']): RequestedRole | undefined {
  for (const annotation of [roleAnnotation, eksRoleArnAnnotation] as const) {
    const value = annotations.get(annotation);
    if (value) return { annotation, value };
  }
  return undefined;
}

/**
 * The role of a pod: the mapped one, or the requested in its place. A bare name becomes a role in the namespace's account
 * and the mapped role's partition; a full ARN must lie there too, or in a source account.
 */
export function podRoleOf(
  { role, accountId, map, key }: MappedRole,
  requested: RequestedRole | undefined,
  { sourceAccounts }: { readonly sourceAccounts: ReadonlySet<string> },
): Result<PodRole, RequestedRoleProblem> {
  const { partition } = role;
  if (requested === undefined) return ok({ role, accountId, partition, source: { kind: 'map', map, key } });
  const { annotation, value } = requested;
  const isBare = isRoleName(value) && !value.startsWith(roleResource);
  const requestedRole = isBare ? roleArnOf(partition, accountId, value) : parseRoleArn(value);
  if (requestedRole === undefined) return err({ reason: 'InvalidRoleArn', value, at: { annotation } });
  const isAtHome = requestedRole.accountId === accountId && requestedRole.partition === partition;
  if (!isAtHome && !sourceAccounts.has(requestedRole.accountId)) {
    return err({ reason: 'RoleOutsideAccount', value, accountId, partition, at: { annotation } });
  }
  return ok({ role: requestedRole, accountId, partition, source: { kind: 'requested', annotation } });
}

/** Resolves the role of a pod. The map must resolve first; a request only replaces its result. */
export function resolvePodRole(
  binding: Binding,
  map: RoleMap | undefined,
  requested: RequestedRole | undefined,
  options: { readonly requirePodsKey: boolean; readonly sourceAccounts: ReadonlySet<string> },
): Result<PodRole, MappingProblem | RequestedRoleProblem> {
  const mapped = lookUpRole(binding, map, podKeys(binding, options.requirePodsKey));
  return mapped.ok ? podRoleOf(mapped.value, requested, options) : mapped;
}
