import type { AccountId } from '../../accounts/account-id.ts';
import { serviceAliasOf, serviceKeys } from '../../accounts/ack-service.ts';
import { ackSystemOf } from '../../accounts/ack-system.ts';
import { type Binding, readBinding } from '../../accounts/binding.ts';
import { isIgnoredByAck } from '../../accounts/managed-namespace.ts';
import { type Partition, partitions } from '../../accounts/partition.ts';
import { err, ok, type Result } from '../../accounts/result.ts';
import { parseRoleArn, type RoleArn } from '../../accounts/role-arn.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import { accountOfArn, matchingSelectors } from '../../accounts/role-selector.ts';
import { isJsonObject } from '../../objects/json.ts';
import { injectLabel } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { Resource } from '../../objects/resource.ts';
import type { RoleSelector } from '../../objects/role-selector.ts';
import type { MessageContext } from '../catalogue/denial.ts';
import type { Problem } from '../catalogue/denials.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import type { Decision } from '../decision.ts';
import { denyObject, messageContext } from '../deny-object.ts';
import type { AdmissionRequest } from '../review.ts';

/** An ACK resource in a request, with what was before. */
export interface ResourceReview {
  /** How messages name it. */
  readonly subject: string;
  readonly request: AdmissionRequest;
  readonly resource: Resource;
  /** The stored object; undefined on CREATE. */
  readonly old: Resource | undefined;
  readonly namespace: Namespace;
  readonly view: View;
  readonly config: Config;
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
export function resourceBinding({ namespace, config }: ResourceReview): Result<Binding, Problem> | undefined {
  if (isIgnoredByAck(namespace.name) || config.featureGates.IAMRoleSelector) return undefined;
  return readBinding(namespace.annotations, config.featureGates);
}

/**
 * The alias of the service whose controller works on the resource; AdoptedResource names it in its spec. Undefined for
 * a kind that needs no role, such as FieldExport.
 */
export function aliasOf({ request, resource }: ResourceReview): string | undefined {
  const { group } = request.resource;
  const alias = serviceAliasOf(group);
  if (alias !== undefined || request.kind !== 'AdoptedResource') return alias;
  const { spec } = resource;
  const target = isJsonObject(spec) && isJsonObject(spec['kubernetes']) ? spec['kubernetes']['group'] : undefined;
  return typeof target === 'string' ? serviceAliasOf(target) : undefined;
}

/** Whether the namespace must be bound whatever `--unbound-resources` says. */
export function mustBeBound({ namespace }: ResourceReview): boolean {
  return namespace.labels.get(injectLabel) === 'enabled' && !isIgnoredByAck(namespace.name);
}

/** By the maps, as the controller of the resource's service would. @returns undefined in a namespace that is not bound. */
export function accountByMaps(
  resourceReview: ResourceReview,
  alias: string,
): Result<ResourceAccount, Problem> | undefined {
  const { view, config } = resourceReview;
  const binding = resourceBinding(resourceReview);
  if (binding === undefined || !binding.ok) return binding;
  const map = view.roleMap(binding.value.kind, ackSystemOf(config.ackSystems, alias).namespace);
  const mapped = lookUpRole(binding.value, map, serviceKeys(binding.value, alias, config.featureGates));
  if (!mapped.ok) return mapped;
  const { accountId, role } = mapped.value;
  return ok({ accountId, partition: role.partition, role });
}

function partitionOf(arn: string): Partition | undefined {
  return partitions.find(partition => arn.split(':', 2)[1] === partition);
}

/** The selectors that match a resource of the request with these labels. */
export function selectorsFor(
  { request, namespace, view }: ResourceReview,
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
export function accountBySelectors(resourceReview: ResourceReview): Result<ResourceAccount, Problem> {
  const matching = selectorsFor(resourceReview, resourceReview.resource.labels);
  const [selector] = matching;
  if (selector === undefined) return err({ reason: 'SelectorNotMatched' });
  if (matching.length > 1) {
    return err({ reason: 'SelectorConflict', selectors: matching.map(({ name }) => name), of: 'resource' });
  }
  const { arn } = selector;
  return ok({ accountId: accountOfArn(arn), partition: partitionOf(arn), role: parseRoleArn(arn) });
}

/** The account as far as it resolves; for checks that are worth less without it. */
export function accountIfKnown(resourceReview: ResourceReview): ResourceAccount {
  const alias = aliasOf(resourceReview);
  const account = resourceReview.config.featureGates.IAMRoleSelector
    ? accountBySelectors(resourceReview)
    : alias === undefined
      ? undefined
      : accountByMaps(resourceReview, alias);
  return account?.ok ? account.value : unknownAccount;
}

/** The account that the namespace leads to: of the binding itself, which needs no map; a team's is its role's. */
export function accountOfNamespace(resourceReview: ResourceReview): AccountId | undefined {
  const { view, config } = resourceReview;
  if (config.featureGates.IAMRoleSelector) return accountIfKnown(resourceReview).accountId;
  const binding = resourceBinding(resourceReview);
  if (!binding?.ok) return undefined;
  if (binding.value.kind === 'account') return binding.value.id;
  const alias = aliasOf(resourceReview) ?? '';
  const map = view.roleMap('team', ackSystemOf(config.ackSystems, alias).namespace);
  const mapped = lookUpRole(binding.value, map, serviceKeys(binding.value, alias, config.featureGates));
  return mapped.ok ? mapped.value.accountId : undefined;
}

function contextOf(resourceReview: ResourceReview): MessageContext {
  const { namespace, config } = resourceReview;
  const binding = resourceBinding(resourceReview);
  return messageContext(namespace.name, config, {
    binding: binding?.ok ? binding.value : undefined,
    ackSystemNamespace: ackSystemOf(config.ackSystems, aliasOf(resourceReview) ?? '').namespace,
  });
}

/** The denial of a case. */
export function denyResource(resourceReview: ResourceReview, problem: Problem): Decision {
  const { subject, config } = resourceReview;
  return denyObject(subject, problem, contextOf(resourceReview), config);
}
