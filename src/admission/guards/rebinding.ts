import { isAccountId } from '../../accounts/account-id.ts';
import { serviceAliasOf } from '../../accounts/ack-service.ts';
import { ackSystemOf } from '../../accounts/ack-system.ts';
import { readBinding } from '../../accounts/binding.ts';
import { isStranded, placeByBinding, placeBySelectors, type ResourcePlace } from '../../accounts/resource-place.ts';
import { selectorIgnoredBecause, selectorMatchesNamespace } from '../../accounts/role-selector.ts';
import { KeySet } from '../../objects/key-set.ts';
import { defaultRegionAnnotation } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import { mostNames, quote } from '../../objects/quote.ts';
import type { RoleMap } from '../../objects/role-map.ts';
import type { ResourceType } from '../../objects/role-selector.ts';
import { sameJson } from '../../objects/same-json.ts';
import type { StrandedResource } from '../catalogue/rebind-denial.ts';
import type { Warning } from '../catalogue/warnings.ts';
import type { ResourceSearch, StoredResource, View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { type Allowed, allow, type Denied } from '../decision.ts';
import { denyObject, messageContext } from '../deny-object.ts';
import { changesBinding, changesLabels, type NamespaceChange } from './namespace-change.ts';
import { accountToName, allowedAccounts } from './rebind-override.ts';

type Judge = (resource: StoredResource) => StrandedResource | undefined;

/** A change of the account in which ACK works on resources. */
interface AccountChange {
  readonly types: readonly ResourceType[];
  /** Labels of resources that the judge asks for. */
  readonly labelKeys: readonly string[];
  readonly judge: Judge;
}

/** Judges by the account that ACK has recorded. A resource without one was never taken up, so ACK cannot lose it. */
function judgeBy(
  placesOf: (
    resource: StoredResource,
    owner: string,
  ) => Iterable<readonly [before: ResourcePlace, after: ResourcePlace]>,
): Judge {
  return resource => {
    const owner = resource.recorded?.accountId;
    if (owner === undefined) return undefined;
    for (const [before, after] of placesOf(resource, owner)) {
      if (isStranded(owner, before, after)) return { resource, owner, place: after };
    }
    return undefined;
  };
}

function bindingChange(
  change: NamespaceChange,
  view: View,
  { featureGates, ackSystems }: Config,
): AccountChange | undefined {
  if (!changesBinding(change, featureGates)) return undefined;
  const [before, after] = [change.before, change.after].map(({ annotations }) =>
    readBinding(annotations, featureGates),
  );
  // The search rests on the maps, so all that a resource may need are looked up before it.
  const kinds = new Set([before, after].map(binding => (binding?.ok ? binding.value.kind : 'account')));
  const maps = new Map<string, RoleMap | undefined>();
  for (const kind of kinds) {
    for (const { namespace } of ackSystems) maps.set(`${kind}/${namespace}`, view.roleMap(kind, namespace));
  }
  const mapOf = (kind: string, alias: string) => maps.get(`${kind}/${ackSystemOf(ackSystems, alias).namespace}`);
  const judge = judgeBy(({ group }, owner) => {
    const alias = serviceAliasOf(group);
    if (alias === undefined) return [];
    const placeBy = (binding: typeof before) => placeByBinding(binding, { alias, owner }, mapOf, featureGates);
    return [[placeBy(before), placeBy(after)]];
  });
  return { types: [], labelKeys: [], judge };
}

function labelChange(change: NamespaceChange, view: View): AccountChange | undefined {
  if (!changesLabels(change)) return undefined;
  const { before, after } = change;
  const selectors = view.roleSelectors() ?? [];
  const matchedIn = ({ name, labels }: Namespace) =>
    new Set(selectors.filter(selector => selectorMatchesNamespace(selector, name, labels)));
  const [was, is] = [matchedIn(before), matchedIn(after)];
  // A selector that matches before and after counts too: another one may come to match the same resources, or no longer.
  const used = selectors.filter(
    selector => (was.has(selector) || is.has(selector)) && selectorIgnoredBecause(selector) === undefined,
  );
  const changed = used.filter(selector => was.has(selector) !== is.has(selector));
  if (changed.length === 0) return undefined;
  const types = changed.some(({ resourceTypes }) => resourceTypes.length === 0)
    ? []
    : changed.flatMap(({ resourceTypes }) => resourceTypes);
  // Which version of the kind ACK's controller uses is not known: one that strands is enough.
  const judge = judgeBy(({ versions, ...resource }) =>
    versions.map(version => {
      const placeIn = ({ labels }: Namespace) =>
        placeBySelectors(used, { ...resource, version, namespaceLabels: labels });
      return [placeIn(before), placeIn(after)] as const;
    }),
  );
  return { types, labelKeys: used.flatMap(({ resourceLabels }) => [...resourceLabels.keys()]), judge };
}

/** Whether the annotation allows all that a change of a binding can strand: then the search can only lead to warnings. */
function allowsEverything({ before, after }: NamespaceChange, { featureGates }: Config): boolean {
  if (featureGates.IAMRoleSelector) return false;
  const allowed = allowedAccounts(after.annotations);
  const to = readBinding(after.annotations, featureGates);
  if (to?.ok && to.value.kind === 'account') return allowed.has(to.value.id);
  // Only resources in the account of the old binding can be stranded.
  const from = readBinding(before.annotations, featureGates);
  return to === undefined && from?.ok === true && from.value.kind === 'account' && allowed.has(from.value.id);
}

/**
 * Whether a change of the default region takes a resource from ACK, which compares it with the region in the status. Without a
 * default, ACK compares its controllers' own region, which is not known here.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (regionDrifted)
 */
function regionChange({ before, after }: NamespaceChange): ((resource: StoredResource) => boolean) | undefined {
  const [was, is] = [before, after].map(({ annotations }) => annotations.get(defaultRegionAnnotation) || undefined);
  if (was === is) return undefined;
  return ({ namespace, recorded, region }) => {
    const stored = recorded?.region;
    const wasThere = was === undefined || stored === was;
    return namespace === after.name && stored !== undefined && region === undefined && wasThere && stored !== is;
  };
}

/** What is looked for among the resources of a namespace, and what is told of them. */
interface Question {
  readonly search: ResourceSearch;
  /** Whether the annotation of the namespace allows that it leaves resources behind. */
  readonly leavesBehind: boolean;
  readonly isElsewhere: ((resource: StoredResource) => boolean) | undefined;
  readonly judge: Judge;
  readonly isAllowed: (stranded: StrandedResource) => boolean;
}

const never = () => false;

/** @returns undefined where a change touches nothing that ACK goes by. */
function questionOf(change: NamespaceChange, view: View, config: Config): Question | undefined {
  const bySelectors = config.featureGates.IAMRoleSelector;
  const accounts = bySelectors ? labelChange(change, view) : bindingChange(change, view, config);
  const isElsewhere = regionChange(change);
  if (accounts === undefined && isElsewhere === undefined) return undefined;
  const allowed = allowedAccounts(change.after.annotations);
  const isHere = ({ namespace }: StoredResource) => namespace === change.after.name;
  const judge: Judge = resource => (isHere(resource) ? accounts?.judge(resource) : undefined);
  const isAllowed = ({ owner, place }: StrandedResource) => allowed.has(accountToName(owner, place));
  const strands = (asAllowed: boolean) => (resource: StoredResource) => {
    const stranded = judge(resource);
    return stranded !== undefined && isAllowed(stranded) === asAllowed;
  };
  const leavesBehind = accounts !== undefined && allowed.size > 0;
  const warnedOf = [...(leavesBehind ? [strands(true)] : []), ...(isElsewhere === undefined ? [] : [isElsewhere])];
  const mayDeny = accounts !== undefined && !allowsEverything(change, config);
  const [only, ...others] = warnedOf;
  const search: ResourceSearch = {
    types: isElsewhere === undefined ? (accounts?.types ?? []) : [],
    namespaces: [change.after.name],
    labels: new Map(),
    labelKeys: new KeySet(accounts?.labelKeys ?? []),
    // One more than are named, to say that there are others.
    atMost: mostNames + 1,
    readsStatus: true,
    // Resources to warn of must not use up the places of those to deny for.
    ...(mayDeny
      ? { wanted: strands(false), besides: warnedOf }
      : only !== undefined && others.length === 0
        ? { wanted: only, advisory: true }
        : { wanted: never, besides: warnedOf, advisory: true }),
  };
  return { search, leavesBehind, isElsewhere, judge, isAllowed };
}

type RebindingDecision = Allowed<'Checked'> | Denied<'RebindWithResources'>;

/**
 * What a change does to the ACK resources in a namespace: denied where it takes one from ACK, unless an annotation allows that. They
 * are searched where the change can do anything to them, once for all of it.
 */
export function judgeRebinding(change: NamespaceChange, view: View, config: Config): RebindingDecision {
  const question = questionOf(change, view, config);
  if (question === undefined) return allow('Checked');
  const { search, leavesBehind, isElsewhere, judge, isAllowed } = question;
  const region = change.after.annotations.get(defaultRegionAnnotation) || undefined;
  const found = view.findResources(search);
  if (found === undefined) {
    const warnings: readonly Warning[] = [
      ...(leavesBehind ? [{ reason: 'ResourcesLeftBehind', stranded: undefined } as const] : []),
      ...(isElsewhere ? [{ reason: 'ResourcesInOtherRegion', resources: undefined, region } as const] : []),
    ];
    // The cache holds no resources, so they are searched live. If that search may fail, all that it could lead to is a warning.
    return allow('Checked', { confirmLive: true, warnings: search.advisory ? warnings : [] });
  }
  const judged = found.flatMap(resource => judge(resource) ?? []);
  const stranded = judged.filter(each => !isAllowed(each));
  const [first] = stranded;
  if (first !== undefined) {
    // Where as many were found as are looked for, others may need an account that the annotation names already.
    const isCut = judged.filter(isAllowed).length >= search.atMost;
    const known = isCut ? [...allowedAccounts(change.after.annotations)].filter(isAccountId) : [];
    const accountsToName = [...new Set([...known, ...judged.map(each => accountToName(each.owner, each.place))])];
    return denyRebinding(change, stranded, first, accountsToName, config);
  }
  const leftBehind = judged.filter(isAllowed);
  const elsewhere = isElsewhere === undefined ? [] : found.filter(isElsewhere);
  const warnings: readonly Warning[] = [
    ...(leftBehind.length === 0 ? [] : [{ reason: 'ResourcesLeftBehind', stranded: leftBehind } as const]),
    ...(elsewhere.length === 0 ? [] : [{ reason: 'ResourcesInOtherRegion', resources: elsewhere, region } as const]),
  ];
  return allow('Checked', { warnings });
}

function denyRebinding(
  { after }: NamespaceChange,
  stranded: readonly StrandedResource[],
  { place }: StrandedResource,
  accountsToName: readonly string[],
  config: Config,
): Denied<'RebindWithResources'> {
  const systemOf = (of: ResourcePlace) =>
    of.kind === 'unmapped' ? ackSystemOf(config.ackSystems, of.alias) : config.ackSystems[0];
  const ackSystemNamespace = systemOf(place).namespace;
  // The message gives the cause of the first, and names only resources that share it, of any service.
  const causeOf = (of: ResourcePlace) => ({ ...of, alias: systemOf(of).namespace });
  const alike = stranded.filter(each => sameJson(causeOf(each.place), causeOf(place)));
  return denyObject(
    () => `Namespace ${quote(after.name)}`,
    {
      reason: 'RebindWithResources',
      of: 'namespace',
      by: config.featureGates.IAMRoleSelector ? 'labels' : 'binding',
      stranded: alike,
      accountsToName,
    },
    messageContext(after.name, config, { ackSystemNamespace }),
    config,
  );
}
