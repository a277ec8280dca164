import { type Binding, ignoredTeamId, isBound, readBinding } from '../../accounts/binding.ts';
import { isExcludedNamespace } from '../../accounts/managed-namespace.ts';
import { podKeys } from '../../accounts/pod-role.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import { chooseRegion } from '../../injection/region.ts';
import { requiredObject } from '../../objects/json.ts';
import { defaultRegionAnnotation, injectLabel, teamIdAnnotation } from '../../objects/keys.ts';
import { addLabels } from '../../objects/metadata-patch.ts';
import { type Namespace, readNamespace } from '../../objects/namespace.ts';
import { quote } from '../../objects/quote.ts';
import type { Problem } from '../catalogue/denials.ts';
import { describeProblem } from '../catalogue/message.ts';
import type { Warning } from '../catalogue/warnings.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { isNamespaceController } from '../controllers.ts';
import { allow, mutate } from '../decision.ts';
import { messageContext } from '../deny-object.ts';
import type { AdmissionRequest } from '../review.ts';
import { type DecisionBy, defineRule } from '../rule.ts';
import { invalidLabelWarnings, isOld } from './namespace-labels.ts';
import { isTerminating, ofNamespaces } from './namespace-request.ts';
import { deniesPods, invalidSettings, isOldSetting } from './namespace-settings.ts';

/**
 * Whether ACK's resources of any service can do with a binding: they are all that goes by one in a namespace that opted out,
 * unless selectors take its place.
 */
function resolvesForResources(binding: Binding, view: View, config: Config): boolean {
  const { featureGates, ackSystems } = config;
  return ackSystems.some(({ namespace }) => {
    const map = view.roleMap(binding.kind, namespace);
    const ofServices = featureGates.ServiceLevelCARM ? [...(map?.keys() ?? [])] : [];
    const keys = [
      binding.id,
      ...ofServices.filter(key => key.endsWith(`.${binding.id}`) && !podKeys(binding, true).includes(key)),
    ];
    return keys.some(key => lookUpRole(binding, map, [key]).ok);
  });
}

/** Warnings about the binding of a namespace, whether or not it resolves. */
function bindingWarnings(namespace: Namespace, view: View, config: Config): readonly Warning[] {
  const binding = readBinding(namespace.annotations, config.featureGates);
  if (binding === undefined) return [];
  const optedOut = namespace.labels.get(injectLabel) === 'disabled';
  const { IAMRoleSelector } = config.featureGates;
  if (optedOut && (IAMRoleSelector || (binding.ok && resolvesForResources(binding.value, view, config)))) return [];
  const unresolved = (problem: Problem, bound: Binding | undefined): readonly Warning[] => [
    {
      reason: 'BindingUnresolved',
      denied: optedOut ? 'ACK resources' : 'pods',
      until: 'the binding resolves',
      wrong: describeProblem(problem, messageContext(namespace.name, config, { binding: bound })),
    },
  ];
  if (!binding.ok) return unresolved(binding.problem, undefined);
  const map = view.roleMap(binding.value.kind, config.ackSystems[0].namespace);
  const keys = optedOut ? [binding.value.id] : podKeys(binding.value, config.requirePodsKey);
  const mapped = lookUpRole(binding.value, map, keys);
  if (!mapped.ok) return unresolved(mapped.problem, binding.value);
  const region = chooseRegion(
    namespace.annotations.get(defaultRegionAnnotation),
    undefined,
    mapped.value.role.partition,
  );
  return region.warning === undefined ? [] : [region.warning];
}

/** For a namespace that is labelled before it is bound: nothing else tells of it until its first pod is denied. */
const missingBinding: Warning = {
  reason: 'BindingUnresolved',
  denied: 'pods',
  until: 'the namespace is bound',
  wrong: `it is labelled ${injectLabel}=enabled`,
};

/** What invalid settings that were there before lead to: they are not denied. */
function oldSettingWarnings(
  namespace: Namespace,
  old: Namespace | undefined,
  view: View,
  config: Config,
): readonly Warning[] {
  return invalidSettings(namespace, view, config)
    .filter(setting => isOldSetting(setting, old) && deniesPods(setting, namespace, config))
    .map(({ problem }) => ({
      reason: 'BindingUnresolved',
      denied: 'pods',
      until: 'that is corrected',
      wrong: describeProblem(problem, messageContext(namespace.name, config)),
    }));
}

/** A binding that has no effect says so. */
function ignoredBindingWarnings(namespace: Namespace, excluded: boolean, config: Config): readonly Warning[] {
  const gates = config.featureGates;
  if (excluded) {
    if (!isBound(namespace.annotations, { ...gates, TeamLevelCARM: true })) return [];
    const because = `namespace ${quote(namespace.name)} is never managed`;
    return [{ reason: 'BindingIgnored', what: 'the binding', because }];
  }
  if (ignoredTeamId(namespace.annotations, gates) === undefined) return [];
  return [{ reason: 'BindingIgnored', what: teamIdAnnotation, because: 'it needs the feature gate TeamLevelCARM' }];
}

const labelReasons = {
  allow: ['Checked', 'ExemptIdentity', 'NamespaceNotManaged', 'OptedOut', 'Terminating'],
  mutate: ['Labelled'],
  deny: [],
} as const;

/**
 * A namespace with a binding gets the label that the webhook configurations select by, unless it has one: whatever that says,
 * it was meant. Nothing is denied here.
 * @param view undefined when the maps could not be read: what needs them is left unsaid.
 */
export function labelNamespace(
  request: AdmissionRequest,
  view: View | undefined,
  config: Config,
): DecisionBy<typeof labelReasons> {
  if (isNamespaceController(request.userInfo)) return allow('ExemptIdentity');
  const object = requiredObject(request.object, '');
  if (isTerminating(request)) return allow('Terminating');
  const namespace = readNamespace(object, request.name);
  const excluded = isExcludedNamespace(namespace.name, config.ownNamespace);
  const ignored = ignoredBindingWarnings(namespace, excluded, config);
  if (excluded) return allow('NamespaceNotManaged', { warnings: ignored });

  const label = namespace.labels.get(injectLabel);
  const old = request.operation === 'UPDATE' ? readNamespace(request.oldObject ?? {}, request.name) : undefined;
  const labels = invalidLabelWarnings(namespace, config).filter(warning => isOld(warning, old));
  if (!isBound(namespace.annotations, config.featureGates)) {
    const before = old?.labels.get(injectLabel);
    const wasBound = old !== undefined && isBound(old.annotations, config.featureGates);
    // Without `enabled`, then or now, the webhook sees no pod of it, and none loses anything.
    const isSeen = [before, label].includes('enabled') && ![before, label].includes('disabled');
    const unbound = wasBound && isSeen;
    const warnings = [
      ...(unbound ? [{ reason: 'BindingRemoved', labelled: label === 'enabled' } as const] : []),
      ...(label === 'enabled' && old?.labels.get(injectLabel) !== 'enabled' ? [missingBinding] : []),
      ...ignored,
      ...labels,
    ];
    return allow(label === 'enabled' ? 'Checked' : 'NamespaceNotManaged', { warnings });
  }
  const onBinding = view === undefined ? [] : bindingWarnings(namespace, view, config);
  const onSettings = view === undefined || label === 'disabled' ? [] : oldSettingWarnings(namespace, old, view, config);
  const patch = label === undefined ? addLabels(namespace, [[injectLabel, 'enabled']]) : [];
  const restored = patch.length > 0 && old?.labels.get(injectLabel) === 'enabled';
  const details = {
    warnings: [
      ...(restored ? [{ reason: 'LabelRestored' } as const] : []),
      ...onBinding,
      ...onSettings,
      ...ignored,
      ...labels,
    ],
    confirmLive: onBinding.some(({ reason }) => reason === 'BindingUnresolved'),
  };
  if (patch.length > 0) return mutate('Labelled', patch, details);
  return allow(label === 'disabled' ? 'OptedOut' : 'Checked', details);
}

export const labellingRules = [
  defineRule({
    ...ofNamespaces,
    endpoint: 'mutate',
    reasons: labelReasons,
    decide: labelNamespace,
    unverified: (request, config) => labelNamespace(request, undefined, config),
  }),
];
