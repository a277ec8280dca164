import { type Binding, ignoredTeamId, isBound, readBinding } from '../../accounts/binding.ts';
import { isExcludedNamespace } from '../../accounts/managed-namespace.ts';
import { podKeys } from '../../accounts/pod-role.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import { chooseRegion } from '../../injection/region.ts';
import { type JsonObject, optionalArray, optionalObject, optionalString, requiredObject } from '../../objects/json.ts';
import {
  defaultRegionAnnotation,
  endpointUrlAnnotation,
  injectLabel,
  modeLabel,
  teamIdAnnotation,
} from '../../objects/keys.ts';
import { addLabels } from '../../objects/metadata-patch.ts';
import { type Namespace, readNamespace } from '../../objects/namespace.ts';
import { quote } from '../../objects/quote.ts';
import type { Problem } from '../catalogue/denials.ts';
import { describeProblem } from '../catalogue/message.ts';
import type { IgnoredLabel, Warning } from '../catalogue/warnings.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { isNamespaceController } from '../controllers.ts';
import { allow, mutate } from '../decision.ts';
import { denyObject, messageContext } from '../deny-object.ts';
import { type InvalidLabelValue, invalidValue } from '../label-values.ts';
import type { AdmissionRequest } from '../review.ts';
import { type DecisionBy, defineRule } from '../rule.ts';
import { bindingForbidden, neededGrants } from './binding-authorization.ts';
import { deniesPods, invalidSettings, type WrittenSetting } from './namespace-settings.ts';

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

/** What there is to warn of on a namespace whose binding resolves, or does not yet. */
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

/** Values of our labels that mean nothing. */
function invalidValues({ labels }: Namespace): readonly InvalidLabelValue[] {
  return [invalidValue(labels, injectLabel), invalidValue(labels, modeLabel)].filter(invalid => invalid !== undefined);
}

/** What labels come to that mean nothing. They are left as they are, for whoever wrote them meant something. */
export function invalidLabelWarnings(namespace: Namespace, config: Config): readonly IgnoredLabel[] {
  if (isExcludedNamespace(namespace.name, config.ownNamespace)) return [];
  const bound = isBound(namespace.annotations, config.featureGates);
  return invalidValues(namespace).map(invalid => {
    const isMode = invalid.label === modeLabel;
    // The webhook configurations select by the value `enabled`.
    const unseen = bound ? 'hides its pods from the webhook: they get no role' : 'is ignored';
    return {
      reason: 'InvalidLabel',
      ...invalid,
      effect: isMode ? `is ignored: the mode is ${config.defaultMode}` : unseen,
    };
  });
}

/** Whether a value that means nothing was there before: one that is new is denied. */
function isOld({ label, value }: InvalidLabelValue, before: Namespace | undefined): boolean {
  return before?.labels.get(label) === value;
}

/** Whether a namespace had an invalid setting before: one that is new is denied. */
function isOldSetting({ annotation, value }: WrittenSetting, before: Namespace | undefined): boolean {
  return before?.annotations.get(annotation) === value;
}

/** What old settings that are invalid come to: one that was there before the webhook stays possible. */
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

/** As it is stored: what a request says of it is only a claim. */
export function isTerminating({ oldObject }: AdmissionRequest): boolean {
  const stored = optionalObject(requiredObject(oldObject ?? {}, ''), 'metadata', '') ?? {};
  return optionalString(stored, 'deletionTimestamp', '/metadata') !== undefined;
}

/** Whether anything keeps a namespace in deletion; without finalizers it is gone with this very request. */
function isHeld(object: JsonObject): boolean {
  const metadata = optionalObject(object, 'metadata', '') ?? {};
  const spec = optionalObject(object, 'spec', '') ?? {};
  const finalizers = [optionalArray(metadata, 'finalizers', '/metadata'), optionalArray(spec, 'finalizers', '/spec')];
  return finalizers.some(list => list !== undefined && list.length > 0);
}

/**
 * Whether a terminating namespace would lose the label by which its pods are judged. They run for as long as it takes,
 * and `kubectl debug` may add containers to them; on a live namespace that is bound, `/mutate` puts the label back.
 */
function losesLabel(
  request: AdmissionRequest,
  before: Namespace | undefined,
  after: Namespace,
  config: Config,
): boolean {
  return (
    before?.labels.get(injectLabel) === 'enabled' &&
    after.labels.get(injectLabel) !== 'enabled' &&
    isTerminating(request) &&
    !isExcludedNamespace(after.name, config.ownNamespace) &&
    isHeld(requiredObject(request.object, ''))
  );
}

/** A value that means nothing, given to one of our labels by this very request. What was there before stays possible. */
function newInvalidValue(
  request: AdmissionRequest,
  before: Namespace | undefined,
  after: Namespace,
  config: Config,
): InvalidLabelValue | undefined {
  if (isTerminating(request) || isExcludedNamespace(after.name, config.ownNamespace)) return undefined;
  return invalidValues(after).find(invalid => !isOld(invalid, before));
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

const ofNamespaces = {
  webhook: 'namespaces.carm-webhook.dev',
  // The subresources can change annotations and labels as well.
  matches: [
    { group: '', kind: 'Namespace', resource: 'namespaces', operations: ['CREATE', 'UPDATE'] },
    { group: '', resource: 'namespaces', subResource: 'status', operations: ['CREATE', 'UPDATE'] },
    { group: '', resource: 'namespaces', subResource: 'finalize', operations: ['CREATE', 'UPDATE'] },
  ],
} as const;

export const namespaceRules = [
  defineRule({
    ...ofNamespaces,
    endpoint: 'mutate',
    reasons: labelReasons,
    decide: labelNamespace,
    unverified: (request, config) => labelNamespace(request, undefined, config),
  }),
  defineRule({
    ...ofNamespaces,
    endpoint: 'validate',
    reasons: {
      allow: ['Checked', 'ExemptIdentity'],
      mutate: [],
      deny: [
        'EndpointNotAllowed',
        'InvalidLabel',
        'BindingForbidden',
        'InvalidAnnotation',
        'InvalidRoleArn',
        'RoleOutsideAccount',
      ],
    },
    /**
     * An endpoint of a tenant's own would have ACK send its credentials and calls there, for every namespace that shares the
     * role. https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/config.go (BaseEndpoint, for STS too)
     */
    decide(request, view, config) {
      if (isNamespaceController(request.userInfo)) return allow('ExemptIdentity');
      const namespace = readNamespace(request.object, request.name);
      const old = request.operation === 'UPDATE' ? readNamespace(request.oldObject, request.name) : undefined;
      const subject = () => `Namespace ${quote(namespace.name)}`;
      const at = messageContext(namespace.name, config);
      const value = namespace.annotations.get(endpointUrlAnnotation);
      const changed = value && value !== old?.annotations.get(endpointUrlAnnotation);
      if (changed && !config.allowedEndpointUrls.has(value))
        return denyObject(subject, { reason: 'EndpointNotAllowed', value }, at, config);
      if (losesLabel(request, old, namespace, config))
        return denyObject(
          subject,
          { reason: 'InvalidLabel', replacedBy: namespace.labels.get(injectLabel) },
          at,
          config,
        );
      const invalid = newInvalidValue(request, old, namespace, config);
      if (invalid !== undefined) return denyObject(subject, { reason: 'InvalidLabel', ...invalid }, at, config);
      // ACK works in a namespace until it is gone.
      const ends = isTerminating(request) && !isHeld(requiredObject(request.object, ''));
      const needed = config.authorizeBindings && !ends ? neededGrants(old, namespace, config) : [];
      const forbidden = bindingForbidden(request.userInfo, needed, view);
      if (typeof forbidden === 'object') return denyObject(subject, forbidden, at, config);
      const checked = allow('Checked', { confirmLive: forbidden === 'unasked' });
      if (isTerminating(request) || isExcludedNamespace(namespace.name, config.ownNamespace)) return checked;
      const setting = invalidSettings(namespace, view, config).find(each => !isOldSetting(each, old));
      if (setting === undefined) return checked;
      // As with labels, the mode has no say: it stands on the same object.
      return { ...denyObject(() => '', setting.problem, at, config), ignoresMode: true };
    },
  }),
];
