import { readBinding } from '../../accounts/binding.ts';
import { isCredentialsModeName } from '../../accounts/credentials-mode.ts';
import { podKeys } from '../../accounts/pod-role.ts';
import { type InvalidSetting, roleAccessAnnotations, settingProblem } from '../../accounts/role-access.ts';
import type { RoleArn } from '../../accounts/role-arn.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import { credentialsAnnotation } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';

/** An annotation of a namespace on how its pods get their role, and what is wrong with it. */
export interface WrittenSetting {
  readonly annotation: (typeof roleAccessAnnotations)[number];
  readonly value: string;
  readonly problem: InvalidSetting;
}

/** The role that the map has for the pods of a namespace, as far as it has one. */
function mappedRole({ annotations }: Namespace, view: View, config: Config): RoleArn | undefined {
  const binding = readBinding(annotations, config.featureGates);
  if (!binding?.ok) return undefined;
  const map = view.roleMap(binding.value.kind, config.ackSystems[0].namespace);
  const mapped = lookUpRole(binding.value, map, podKeys(binding.value, config.requirePodsKey));
  return mapped.ok ? mapped.value.role : undefined;
}

/** Every setting that no pod of the namespace could do with. An empty annotation is no annotation. */
export function invalidSettings(namespace: Namespace, view: View, config: Config): readonly WrittenSetting[] {
  const invalid: WrittenSetting[] = [];
  for (const annotation of roleAccessAnnotations) {
    const value = namespace.annotations.get(annotation);
    if (!value) continue;
    const at = { on: 'namespace', annotation } as const;
    const problem = settingProblem({ value, at }, mappedRole(namespace, view, config), config);
    if (problem !== undefined) invalid.push({ annotation, value, problem });
  }
  return invalid;
}

/** Whether pods of a namespace are denied for a setting, unless their ServiceAccount says otherwise. */
export function deniesPods({ annotation }: WrittenSetting, { annotations }: Namespace, config: Config): boolean {
  if (annotation === credentialsAnnotation) return true;
  const mode = annotations.get(credentialsAnnotation) || config.credentials;
  return !isCredentialsModeName(mode) || mode === 'chain';
}

/** Whether a namespace had an invalid setting before: one that is new is denied. */
export function isOldSetting({ annotation, value }: WrittenSetting, before: Namespace | undefined): boolean {
  return before?.annotations.get(annotation) === value;
}
