import type { AccountId } from '../../accounts/account-id.ts';
import { serviceAliasOf, serviceKeys } from '../../accounts/ack-service.ts';
import { ackSystemOf } from '../../accounts/ack-system.ts';
import { type Binding, readBinding } from '../../accounts/binding.ts';
import { type Partition, partitions } from '../../accounts/partition.ts';
import { found, type Result, refused } from '../../accounts/result.ts';
import { parseRoleArn, type RoleArn } from '../../accounts/role-arn.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import { accountOfArn, matchingSelectors } from '../../accounts/role-selector.ts';
import { injectLabel, isIgnoredByAck } from '../../accounts/served-namespace.ts';
import { isJsonObject } from '../../objects/json.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { Resource } from '../../objects/resource.ts';
import type { RoleSelector } from '../../objects/role-selector.ts';
import type { Circumstances } from '../catalogue/refusal.ts';
import type { Problem } from '../catalogue/refusals.ts';
import type { View } from '../cluster.ts';
import type { Decision } from '../decision.ts';
import { circumstancesOf, denial } from '../denial.ts';
import type { AdmissionRequest } from '../review.ts';
import type { Rules } from '../rules.ts';

/** An ACK resource in a request, with what was before. */
export interface ResourceCase {
  /** How messages name it. */
  readonly subject: string;
  readonly request: AdmissionRequest;
  readonly resource: Resource;
  /** The stored object; undefined on CREATE. */
  readonly old: Resource | undefined;
  readonly namespace: Namespace;
  readonly view: View;
  readonly rules: Rules;
}

/** Where ACK would work on a resource. */
export interface ResourceAccount {
  /** Undefined in a namespace that is not bound: its controllers' own, which we do not know. */
  readonly accountId: AccountId | undefined;
  readonly partition: Partition | undefined;
  readonly role: RoleArn | undefined;
}

const unknownAccount: ResourceAccount = { accountId: undefined, partition: undefined, role: undefined };

/** The binding by which ACK takes a resource of the namespace; undefined where it takes none, or goes by selectors. */
export function resourceBinding({ namespace, rules }: ResourceCase): Result<Binding, Problem> | undefined {
  if (isIgnoredByAck(namespace.name) || rules.featureGates.IAMRoleSelector) return undefined;
  return readBinding(namespace.annotations, rules.featureGates);
}

/**
 * The alias of the service whose controller works on the resource; AdoptedResource names it in its spec. Undefined for
 * a kind that needs no role, such as FieldExport.
 */
export function aliasOf({ request, resource }: ResourceCase): string | undefined {
  const { group } = request.resource;
  const alias = serviceAliasOf(group);
  if (alias !== undefined || request.kind !== 'AdoptedResource') return alias;
  const { spec } = resource;
  const target = isJsonObject(spec) && isJsonObject(spec['kubernetes']) ? spec['kubernetes']['group'] : undefined;
  return typeof target === 'string' ? serviceAliasOf(target) : undefined;
}

/** Whether the namespace must be bound whatever `--unbound-resources` says. */
export function mustBeBound({ namespace }: ResourceCase): boolean {
  return namespace.labels.get(injectLabel) === 'enabled' && !isIgnoredByAck(namespace.name);
}

/** By the maps, as the controller of the resource's service would. @returns undefined in a namespace that is not bound. */
export function accountByMaps(resourceCase: ResourceCase, alias: string): Result<ResourceAccount, Problem> | undefined {
  const { view, rules } = resourceCase;
  const binding = resourceBinding(resourceCase);
  if (binding === undefined || !binding.ok) return binding;
  const map = view.roleMap(binding.value.kind, ackSystemOf(rules.ackSystems, alias).namespace);
  const mapped = lookUpRole(binding.value, map, serviceKeys(binding.value, alias, rules.featureGates));
  if (!mapped.ok) return mapped;
  const { accountId, role } = mapped.value;
  return found({ accountId, partition: role.partition, role });
}

function partitionOf(arn: string): Partition | undefined {
  return partitions.find(partition => arn.split(':', 2)[1] === partition);
}

/** The selectors that match a resource of the request with these labels. */
export function selectorsFor(
  { request, namespace, view }: ResourceCase,
  labels: ReadonlyMap<string, string>,
): readonly RoleSelector[] {
  return matchingSelectors(view.roleSelectors() ?? [], {
    group: request.resource.group,
    version: request.resource.version,
    kind: request.kind,
    namespace: namespace.name,
    namespaceLabels: namespace.labels,
    labels,
  });
}

/** By the one IAMRoleSelector that matches. */
export function accountBySelectors(resourceCase: ResourceCase): Result<ResourceAccount, Problem> {
  const matching = selectorsFor(resourceCase, resourceCase.resource.labels);
  const [selector] = matching;
  if (selector === undefined) return refused({ reason: 'SelectorNotMatched' });
  if (matching.length > 1) {
    return refused({ reason: 'SelectorConflict', selectors: matching.map(({ name }) => name), of: 'resource' });
  }
  const { arn } = selector;
  return found({ accountId: accountOfArn(arn), partition: partitionOf(arn), role: parseRoleArn(arn) });
}

/** The account as far as it resolves; for checks that are worth less without it. */
export function accountIfKnown(resourceCase: ResourceCase): ResourceAccount {
  const alias = aliasOf(resourceCase);
  const account = resourceCase.rules.featureGates.IAMRoleSelector
    ? accountBySelectors(resourceCase)
    : alias === undefined
      ? undefined
      : accountByMaps(resourceCase, alias);
  return account?.ok ? account.value : unknownAccount;
}

/** The account that the namespace leads to: of the binding itself, which needs no map; a team's is its role's. */
export function accountOfNamespace(resourceCase: ResourceCase): AccountId | undefined {
  const { view, rules } = resourceCase;
  if (rules.featureGates.IAMRoleSelector) return accountIfKnown(resourceCase).accountId;
  const binding = resourceBinding(resourceCase);
  if (!binding?.ok) return undefined;
  if (binding.value.kind === 'account') return binding.value.id;
  const alias = aliasOf(resourceCase) ?? '';
  const map = view.roleMap('team', ackSystemOf(rules.ackSystems, alias).namespace);
  const mapped = lookUpRole(binding.value, map, serviceKeys(binding.value, alias, rules.featureGates));
  return mapped.ok ? mapped.value.accountId : undefined;
}

function circumstances(resourceCase: ResourceCase): Circumstances {
  const { namespace, rules } = resourceCase;
  const binding = resourceBinding(resourceCase);
  return circumstancesOf(namespace.name, rules, {
    binding: binding?.ok ? binding.value : undefined,
    ackSystemNamespace: ackSystemOf(rules.ackSystems, aliasOf(resourceCase) ?? '').namespace,
  });
}

/** The refusal of a case. */
export function denyResource(resourceCase: ResourceCase, problem: Problem): Decision {
  const { subject, rules } = resourceCase;
  return denial(subject, problem, circumstances(resourceCase), rules);
}
