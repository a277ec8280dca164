import { type Binding, isBound, readBinding } from '../../accounts/binding.ts';
import { isExcludedNamespace } from '../../accounts/managed-namespace.ts';
import { podKeys } from '../../accounts/pod-role.ts';
import { lookUpRole, type MappedRole, type MappingProblem } from '../../accounts/role-map.ts';
import type { Denial } from '../../admission/catalogue/denial.ts';
import { denials, type Problem } from '../../admission/catalogue/denials.ts';
import { toPaste } from '../../admission/catalogue/paste.ts';
import type { Warning, WarningEntry } from '../../admission/catalogue/warnings.ts';
import { warnings } from '../../admission/catalogue/warnings.ts';
import type { Config } from '../../admission/config.ts';
import { messageContext } from '../../admission/deny-object.ts';
import { labelNamespace } from '../../admission/guards/labelling.ts';
import { invalidLabelWarnings } from '../../admission/guards/namespace-labels.ts';
import { allowedAccounts } from '../../admission/guards/rebind-override.ts';
import { unboundProblem } from '../../admission/pods/pod-review.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { chooseRegion } from '../../injection/region.ts';
import { keyHints } from '../../objects/key-hints.ts';
import { allowRebindAnnotation, defaultRegionAnnotation, injectLabel } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import { quoteNames } from '../../objects/quote.ts';
import { namespaceReviewOf } from '../predict/synthetic-review.ts';
import { type Finding, type FindingReason, type FoundObject, finding, findingKinds } from './finding.ts';
import { ignoredKeyFinding, ignoredLabelFinding } from './key-findings.ts';

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

/** A warning of the rules in their own words; undefined for one that is no finding. */
export function warningFinding(warning: Warning, object: FoundObject): Finding | undefined {
  const entry = warnings[warning.reason] as WarningEntry<Warning>;
  return isFindingReason(warning.reason) ? finding(warning.reason, object, entry.say(warning)) : undefined;
}

/** A remedy as a sentence, with the command to paste where all values in it are plain words. */
export function sentence(remedy: string, command: string | undefined): string {
  const sentence = `${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}`;
  return command === undefined || command === '' ? `${sentence}.` : `${sentence}: ${command}`;
}

/**
 * A problem in the words of its denial.
 * @param binding of the namespace, where it is known.
 */
export function problemFinding(
  problem: Problem,
  object: FoundObject,
  binding: Binding | undefined,
  config: Config,
): readonly Finding[] {
  if (!isFindingReason(problem.reason)) return [];
  const entry = denials[problem.reason] as Denial<Problem>;
  const namespace = object.kind === 'Namespace' ? object.name : object.namespace;
  const serviceAccountName = object.kind === 'ServiceAccount' ? object.name : '';
  const ofMap = object.kind === 'ConfigMap' ? { ackSystemNamespace: namespace } : {};
  const context = messageContext(namespace, config, { serviceAccountName, binding, ...ofMap });
  const { wrong, remedy, command } = entry.say(problem, context);
  return [finding(problem.reason, object, wrong, sentence(remedy, command))];
}

function mappingOf(
  { annotations }: Namespace,
  state: Snapshot,
  config: Config,
): { binding?: Binding; mapped?: MappedRole; problem?: Problem } {
  const read = readBinding(annotations, config.featureGates);
  if (read === undefined) return {};
  if (!read.ok) return { problem: read.problem };
  const binding = read.value;
  const map = state.roleMap(binding.kind, config.ackSystems[0].namespace);
  const mapped = lookUpRole(binding, map, podKeys(binding, config.requirePodsKey));
  return mapped.ok ? { binding, mapped: mapped.value } : { binding, problem: mapped.problem };
}

function isMapMissing(problem: Problem | MappingProblem | undefined): boolean {
  return problem?.reason === 'AccountMapMissing' || problem?.reason === 'TeamMapMissing';
}

/** What is wrong with one namespace. */
export function findInNamespace(namespace: Namespace, state: Snapshot, config: Config): NamespaceFindings {
  const { name, annotations, labels } = namespace;
  const object: FoundObject = { kind: 'Namespace', namespace: '', name };
  const { reason, warnings = [] } = labelNamespace(namespaceReviewOf(namespace), state, config);
  const findings = warnings
    .filter(warning => warning.reason !== 'InvalidRegion')
    .flatMap(warning => warningFinding(warning, object) ?? []);
  if (isExcludedNamespace(name, config.ownNamespace)) {
    return { namespace, binding: undefined, mapped: undefined, mapMissing: false, findings };
  }
  const { binding, mapped, problem } = mappingOf(namespace, state, config);
  if (problem !== undefined && !isMapMissing(problem)) {
    findings.push(...problemFinding(problem, object, binding, config));
  }
  findings.push(
    ...invalidLabelWarnings(namespace, config).map(ignored =>
      ignoredLabelFinding(ignored, object, isBound(annotations, config.featureGates), config),
    ),
    ...keyHints(namespace, 'namespace').map(ignored => ignoredKeyFinding(ignored, object)),
  );
  if (reason === 'Labelled') {
    const message = `it is bound, but not labelled ${injectLabel}: the webhook does not see its pods, and they get no role`;
    const command = toPaste`kubectl label --overwrite namespace ${name} ${injectLabel}=enabled`;
    const remedy = sentence('Label it', command);
    findings.push(finding('NamespaceNotLabelled', object, message, remedy));
  }
  const allowed = allowedAccounts(annotations);
  if (allowed.size > 0) {
    const message = `its annotation ${allowRebindAnnotation} still allows a change that leaves ACK resources behind: ${quoteNames([...allowed])}`;
    const command = toPaste`kubectl annotate namespace ${name} ${allowRebindAnnotation}-`;
    findings.push(
      finding('RebindStillAllowed', object, message, sentence('Remove it once that change was made', command)),
    );
  }
  if (labels.get(injectLabel) === 'enabled' && binding === undefined && problem === undefined) {
    findings.push(...problemFinding(unboundProblem(namespace, config), object, binding, config));
  }
  if (mapped !== undefined) {
    const region = chooseRegion(annotations.get(defaultRegionAnnotation), config.defaultRegion, mapped.role.partition);
    const warned = region.warning === undefined ? undefined : warningFinding(region.warning, object);
    if (warned !== undefined) findings.push(warned);
    else if (region.region === undefined && labels.get(injectLabel) === 'enabled') {
      findings.push(finding('RegionUnknown', object, 'no region is known for its pods, so none is injected'));
    }
  }
  return { namespace, binding, mapped, mapMissing: isMapMissing(problem), findings };
}
