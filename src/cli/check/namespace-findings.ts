import { type Binding, defaultRegionAnnotation, readBinding } from '../../accounts/binding.ts';
import { podKeys } from '../../accounts/pod-role.ts';
import { lookUpRole, type MappedRole, type MappingProblem } from '../../accounts/role-map.ts';
import { injectLabel, isExcludedNamespace } from '../../accounts/served-namespace.ts';
import { toPaste } from '../../admission/catalogue/paste.ts';
import type { Refusal } from '../../admission/catalogue/refusal.ts';
import { type Problem, refusals } from '../../admission/catalogue/refusals.ts';
import type { Remark, WarningEntry } from '../../admission/catalogue/warnings.ts';
import { warnings } from '../../admission/catalogue/warnings.ts';
import { circumstancesOf } from '../../admission/denial.ts';
import { labelNamespace } from '../../admission/guards/namespaces.ts';
import type { Rules } from '../../admission/rules.ts';
import type { Snapshot } from '../../cluster/snapshot.ts';
import { chooseRegion } from '../../injection/region.ts';
import type { Namespace } from '../../objects/namespace.ts';
import { namespaceResource, reviewOf } from '../synthetic-review.ts';
import { type Finding, type FindingReason, type FoundObject, finding, findingKinds } from './finding.ts';

/** The binding of a namespace, and what it comes to. */
export interface BoundNamespace {
  readonly namespace: Namespace;
  readonly binding: Binding | undefined;
  readonly mapped: MappedRole | undefined;
}

export interface NamespaceFindings extends BoundNamespace {
  readonly findings: readonly Finding[];
  /** The map that the namespace is bound by is missing: told once for all of them. */
  readonly mapMissing: boolean;
}

function isFindingReason(reason: string): reason is FindingReason {
  return Object.hasOwn(findingKinds, reason);
}

/** A remark of the rules in their own words; undefined for one that is no finding. */
export function remarkFinding(remark: Remark, object: FoundObject): Finding | undefined {
  const entry = warnings[remark.reason] as WarningEntry<Remark>;
  return isFindingReason(remark.reason) ? finding(remark.reason, object, entry.say(remark)) : undefined;
}

/** A remedy as a sentence, with the command to paste where all values in it are plain words. */
function mendedBy(remedy: string, command: string | undefined): string {
  const sentence = `${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}`;
  return command === undefined || command === '' ? `${sentence}.` : `${sentence}: ${command}`;
}

/** A problem in the words of its refusal. */
export function problemFinding(
  problem: Problem,
  object: FoundObject,
  names: { readonly namespace: string; readonly serviceAccountName: string; readonly binding: Binding | undefined },
  rules: Rules,
): readonly Finding[] {
  if (!isFindingReason(problem.reason)) return [];
  const entry = refusals[problem.reason] as Refusal<Problem>;
  const { wrong, remedy, command } = entry.say(problem, circumstancesOf(names.namespace, rules, names));
  return [finding(problem.reason, object, wrong, mendedBy(remedy, command))];
}

/** What the rules say of the namespace as it would be admitted now. */
function labelDecision(namespace: Namespace, state: Snapshot, rules: Rules) {
  const { name } = namespace;
  const metadata = {
    name,
    labels: Object.fromEntries(namespace.labels),
    annotations: Object.fromEntries(namespace.annotations),
  };
  const review = reviewOf({
    resource: namespaceResource,
    kind: 'Namespace',
    name,
    namespace: name,
    object: { metadata },
  });
  return labelNamespace(review, state, rules);
}

function mappingOf(
  { annotations }: Namespace,
  state: Snapshot,
  rules: Rules,
): { binding: Binding | undefined; mapped: MappedRole | undefined; problem: Problem | undefined } {
  const read = readBinding(annotations, rules.featureGates);
  if (read === undefined) return { binding: undefined, mapped: undefined, problem: undefined };
  if (!read.ok) return { binding: undefined, mapped: undefined, problem: read.problem };
  const map = state.roleMap(read.value.kind, rules.ackSystems[0].namespace);
  const mapped = lookUpRole(read.value, map, podKeys(read.value, rules.requirePodsKey));
  return mapped.ok
    ? { binding: read.value, mapped: mapped.value, problem: undefined }
    : { binding: read.value, mapped: undefined, problem: mapped.problem };
}

function isMapMissing(problem: Problem | MappingProblem | undefined): boolean {
  return problem?.reason === 'AccountMapMissing' || problem?.reason === 'TeamMapMissing';
}

/** What is wrong with one namespace. */
export function findInNamespace(namespace: Namespace, state: Snapshot, rules: Rules): NamespaceFindings {
  const { name, annotations, labels } = namespace;
  const object: FoundObject = { kind: 'Namespace', namespace: '', name };
  const { reason, remarks = [] } = labelDecision(namespace, state, rules);
  const findings = remarks
    .filter(remark => remark.reason !== 'InvalidRegion')
    .flatMap(remark => remarkFinding(remark, object) ?? []);
  if (isExcludedNamespace(name, rules.ownNamespace)) {
    return { namespace, binding: undefined, mapped: undefined, mapMissing: false, findings };
  }
  const { binding, mapped, problem } = mappingOf(namespace, state, rules);
  if (problem !== undefined && !isMapMissing(problem)) {
    findings.push(...problemFinding(problem, object, { namespace: name, serviceAccountName: '', binding }, rules));
  }
  if (reason === 'Labelled') {
    const message = `it is bound, but not labelled ${injectLabel}: its pods get no role, and nothing says so`;
    const command = toPaste`kubectl label --overwrite namespace ${name} ${injectLabel}=enabled`;
    const remedy = mendedBy('Label it', command);
    findings.push(finding('NamespaceNotLabelled', object, message, remedy));
  }
  if (labels.get(injectLabel) === 'enabled' && binding === undefined && problem === undefined) {
    const names = { namespace: name, serviceAccountName: '', binding };
    findings.push(...problemFinding({ reason: 'NamespaceNotBound', of: 'pod' }, object, names, rules));
  }
  if (mapped !== undefined) {
    const region = chooseRegion(annotations.get(defaultRegionAnnotation), rules.defaultRegion, mapped.role.partition);
    const remarked = region.warning === undefined ? undefined : remarkFinding(region.warning, object);
    if (remarked !== undefined) findings.push(remarked);
  }
  return { namespace, binding, mapped, mapMissing: isMapMissing(problem), findings };
}
