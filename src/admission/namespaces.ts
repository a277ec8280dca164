import { type Binding, defaultRegionAnnotation, isBound, readBinding, teamIdAnnotation } from '../accounts/binding.ts';
import { podsPrefix } from '../accounts/pod-role.ts';
import { lookUpRole } from '../accounts/role-map.ts';
import { injectLabel, isExcludedNamespace, type Namespace } from '../accounts/served-namespace.ts';
import {
  type Fields,
  isFields,
  optionalFields,
  optionalString,
  pointerSegment,
  requiredFields,
  stringMap,
} from '../injection/fields.ts';
import type { Addition } from '../injection/json-patch.ts';
import { nearMisses } from '../injection/near-miss.ts';
import { chooseRegion } from '../injection/region.ts';
import { mapsFor } from './binding-maps.ts';
import type { View } from './cluster.ts';
import type { Decision } from './decision.ts';
import { whatIsWrong } from './message.ts';
import { isMode, modeLabel } from './mode.ts';
import type { Circumstances, Problem } from './refusals.ts';
import type { AdmissionRequest } from './review.ts';
import type { Rules } from './rules.ts';
import type { Remark } from './warnings.ts';

/** Empties and finalizes namespaces that are being deleted; nothing of ours may hold it up. */
const namespaceController = 'system:serviceaccount:kube-system:namespace-controller';

/** Reads a Namespace object. @throws {MalformedObjectError} */
export function readNamespace(object: unknown, name: string): Namespace {
  const metadata = optionalFields(requiredFields(object, ''), 'metadata', '') ?? {};
  return {
    name: optionalString(metadata, 'name', '/metadata') || name,
    labels: stringMap(metadata, 'labels', '/metadata'),
    annotations: stringMap(metadata, 'annotations', '/metadata'),
  };
}

function labelPatch(object: Fields): readonly Addition[] {
  const metadata = optionalFields(object, 'metadata', '');
  if (metadata === undefined)
    return [{ op: 'add', path: '/metadata', value: { labels: { [injectLabel]: 'enabled' } } }];
  if (!isFields(metadata['labels'])) {
    return [{ op: 'add', path: '/metadata/labels', value: { [injectLabel]: 'enabled' } }];
  }
  return [{ op: 'add', path: `/metadata/labels/${pointerSegment(injectLabel)}`, value: 'enabled' }];
}

/** What there is to remark on a namespace whose binding resolves, or does not yet. */
function remarksOnBinding(namespace: Namespace, view: View, rules: Rules): readonly Remark[] {
  const binding = readBinding(namespace.annotations, rules.featureGates);
  if (binding === undefined) return [];
  const at = (bound: Binding | undefined): Circumstances => ({
    namespace: namespace.name,
    serviceAccountName: '',
    binding: bound,
    ackSystemNamespace: rules.ackSystemNamespace,
    roleArnAnnotation: undefined,
  });
  const unresolved = (problem: Problem, bound: Binding | undefined): readonly Remark[] => [
    { reason: 'BindingUnresolved', wrong: whatIsWrong(problem, at(bound)) },
  ];
  if (!binding.ok) return unresolved(binding.problem, undefined);
  const mapped = lookUpRole(binding.value, mapsFor(binding.value, view), podsPrefix, rules.requirePodsKey);
  if (!mapped.ok) return unresolved(mapped.problem, binding.value);
  const region = chooseRegion(
    namespace.annotations.get(defaultRegionAnnotation),
    undefined,
    mapped.value.role.partition,
  );
  return region.warning === undefined ? [] : [region.warning];
}

function remarksOnSpelling(namespace: Namespace, rules: Rules): readonly Remark[] {
  const remarks: Remark[] = [];
  const mode = namespace.labels.get(modeLabel);
  if (mode !== undefined && !isMode(mode))
    remarks.push({ reason: 'InvalidMode', value: mode, used: rules.defaultMode });
  const misses = nearMisses(namespace.annotations, 'namespace');
  if (misses.length > 0) remarks.push({ reason: 'NearMissAnnotation', on: 'namespace', misses });
  return remarks;
}

/** A binding that has no effect says so. */
function remarksOnIgnoredBinding(namespace: Namespace, excluded: boolean, rules: Rules): readonly Remark[] {
  const gates = rules.featureGates;
  if (excluded) {
    if (!isBound(namespace.annotations, { ...gates, TeamLevelCARM: true })) return [];
    return [{ reason: 'BindingIgnored', because: `namespace ${JSON.stringify(namespace.name)} is never served` }];
  }
  if (gates.TeamLevelCARM || !namespace.annotations.get(teamIdAnnotation)) return [];
  return [{ reason: 'BindingIgnored', because: `${teamIdAnnotation} needs the feature gate TeamLevelCARM` }];
}

/**
 * `/mutate` for CREATE and UPDATE of namespaces, their status and finalize: a namespace with a binding gets the label
 * that the webhook configurations select by, in place of anything but `disabled`. Nothing is refused here.
 * @param view undefined when the maps could not be read: what needs them is left unsaid.
 */
export function labelNamespace(request: AdmissionRequest, view: View | undefined, rules: Rules): Decision {
  if (request.userInfo.username === namespaceController) {
    return { verdict: 'allow', reason: 'ExemptIdentity', restsOnState: false };
  }
  const object = requiredFields(request.object, '');
  const metadata = optionalFields(object, 'metadata', '') ?? {};
  if (optionalString(metadata, 'deletionTimestamp', '/metadata') !== undefined) {
    return { verdict: 'allow', reason: 'Terminating', restsOnState: false };
  }
  const namespace = readNamespace(object, request.name);
  const excluded = isExcludedNamespace(namespace.name, rules.ownNamespace);
  const ignored = remarksOnIgnoredBinding(namespace, excluded, rules);
  const spelling = remarksOnSpelling(namespace, rules);
  if (excluded)
    return { verdict: 'allow', reason: 'NotServed', remarks: [...ignored, ...spelling], restsOnState: false };

  const label = namespace.labels.get(injectLabel);
  if (!isBound(namespace.annotations, rules.featureGates)) {
    const old = request.operation === 'UPDATE' ? readNamespace(request.oldObject ?? {}, request.name) : undefined;
    const served = label !== 'disabled' && old?.labels.get(injectLabel) !== 'disabled';
    const unbound = served && old !== undefined && isBound(old.annotations, rules.featureGates);
    return {
      verdict: 'allow',
      reason: label === 'enabled' ? 'Checked' : 'NotServed',
      remarks: [
        ...(unbound ? [{ reason: 'BindingRemoved', labelled: label === 'enabled' } as const] : []),
        ...ignored,
        ...spelling,
      ],
      restsOnState: false,
    };
  }
  if (label === 'disabled') {
    return { verdict: 'allow', reason: 'OptedOut', remarks: [...ignored, ...spelling], restsOnState: false };
  }
  const onBinding = view === undefined ? [] : remarksOnBinding(namespace, view, rules);
  const patch = label === 'enabled' ? [] : labelPatch(object);
  return {
    verdict: patch.length > 0 ? 'mutate' : 'allow',
    reason: patch.length > 0 ? 'Labelled' : 'Checked',
    patch,
    remarks: [...onBinding, ...ignored, ...spelling],
    restsOnState: onBinding.some(({ reason }) => reason === 'BindingUnresolved'),
  };
}
