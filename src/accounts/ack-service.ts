import type { Binding } from './binding.ts';
import type { FeatureGates } from './feature-gates.ts';

/** The group of ACK's own kinds: FieldExport, AdoptedResource, IAMRoleSelector. */
export const ackCommonGroup = 'services.k8s.aws';
const ackGroupSuffix = `.${ackCommonGroup}`;

/** Whether an API group is ACK's: the common one, or that of a service. */
export function isAckGroup(group: string): boolean {
  return group === ackCommonGroup || group.endsWith(ackGroupSuffix);
}

/**
 * The service alias: the first label of a service's API group, `s3` of `s3.services.k8s.aws`.
 * https://github.com/aws-controllers-k8s/code-generator/blob/main/pkg/model/model.go (APIGroup)
 * @returns undefined for every other group, the common one too.
 */
export function serviceAliasOf(group: string): string | undefined {
  if (!group.endsWith(ackGroupSuffix)) return undefined;
  const alias = group.slice(0, -ackGroupSuffix.length);
  return /^[a-z0-9]+$/.test(alias) ? alias : undefined;
}

/**
 * The keys that ACK's controller of a service looks a binding up by, in order; an empty value falls back as a missing
 * one does. https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (getRoleARN)
 */
export function serviceKeys({ id }: Binding, alias: string, gates: FeatureGates): readonly string[] {
  return gates.ServiceLevelCARM ? [`${alias}.${id}`, id] : [id];
}
