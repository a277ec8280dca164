import type { AccountId } from '../../accounts/account-id.ts';
import { serviceAliasOf, serviceKeys } from '../../accounts/ack-service.ts';
import { ackSystemOf } from '../../accounts/ack-system.ts';
import { type Binding, type BindingProblem, ignoredTeamId, readBinding } from '../../accounts/binding.ts';
import { isIgnoredByAck } from '../../accounts/managed-namespace.ts';
import { type Partition, partitions } from '../../accounts/partition.ts';
import { err, ok, type Result } from '../../accounts/result.ts';
import { parseRoleArn, type RoleArn } from '../../accounts/role-arn.ts';
import { lookUpRole, type MappedRole, type MappingProblem } from '../../accounts/role-map.ts';
import { accountOfArn, matchingSelectors } from '../../accounts/role-selector.ts';
import { isJsonObject } from '../../objects/json.ts';
import { injectLabel } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { Resource } from '../../objects/resource.ts';
import type { RoleSelector } from '../../objects/role-selector.ts';
import type { UnboundProblem } from '../catalogue/binding-denials.ts';
import type { Problem } from '../catalogue/denials.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import type { Denied } from '../decision.ts';
import { denyObject, messageContext } from '../deny-object.ts';
import type { AdmissionRequest } from '../review.ts';

/** Where ACK would work on a resource. */
export interface ResourceAccount {
  /** Undefined in a namespace that is not bound: its controllers' own, which we do not know. */
  readonly accountId: AccountId | undefined;
  readonly partition: Partition | undefined;
  readonly role: RoleArn | undefined;
}

const unknownAccount: ResourceAccount = { accountId: undefined, partition: undefined, role: undefined };

function partitionOf(arn: string): Partition | undefined {
  return partitions.find(partition => arn.split(':', 2)[1] === partition);
}

export interface ResourceChange {
  readonly resource: Resource;
  /** The stored object; undefined on CREATE. */
  readonly old: Resource | undefined;
}

/** An ACK resource of a request, and how messages name it. */
export interface NamedResource extends ResourceChange {
  readonly subject: () => string;
}

/**
 * The alias of the service whose controller works on a resource; AdoptedResource names it in its spec. Undefined for
 * a kind that needs no role, such as FieldExport.
 */
export function aliasOf(request: AdmissionRequest, { spec }: Resource): string | undefined {
  const alias = serviceAliasOf(request.resource.group);
  if (alias !== undefined || request.kind !== 'AdoptedResource') return alias;
  const target = isJsonObject(spec) && isJsonObject(spec['kubernetes']) ? spec['kubernetes']['group'] : undefined;
  return typeof target === 'string' ? serviceAliasOf(target) : undefined;
}

export type ResourceAccountProblem =
  | BindingProblem
  | MappingProblem
  | { readonly reason: 'SelectorNotMatched' }
  | { readonly reason: 'SelectorConflict'; readonly selectors: readonly string[]; readonly of: 'resource' };

/** An ACK resource in a request: what all rules about resources share, each looked up and worked out once. */
export class ResourceReview implements ResourceChange {
  readonly subject: () => string;
  readonly resource: Resource;
  readonly old: Resource | undefined;
  readonly request: AdmissionRequest;
  readonly namespace: Namespace;
  readonly view: View;
  readonly config: Config;
  readonly alias: string | undefined;
  /** The binding by which ACK takes a resource of the namespace; undefined where it takes none, or goes by selectors. */
  readonly binding: Result<Binding, BindingProblem> | undefined;
  #mapped: Result<MappedRole, MappingProblem> | undefined;
  #selected: Result<ResourceAccount, ResourceAccountProblem> | undefined;

  constructor(named: NamedResource, request: AdmissionRequest, namespace: Namespace, view: View, config: Config) {
    this.subject = named.subject;
    this.resource = named.resource;
    this.old = named.old;
    this.request = request;
    this.namespace = namespace;
    this.view = view;
    this.config = config;
    this.alias = aliasOf(request, named.resource);
    const bySelectors = config.featureGates.IAMRoleSelector;
    this.binding =
      bySelectors || isIgnoredByAck(namespace.name)
        ? undefined
        : readBinding(namespace.annotations, config.featureGates);
  }

  /** Whether nothing says an account: ACK works in its controllers' own. */
  get isUnbound(): boolean {
    return this.binding === undefined && !this.config.featureGates.IAMRoleSelector;
  }

  /** Whether the namespace must be bound whatever `--unbound-resources` says. */
  get mustBeBound(): boolean {
    return this.namespace.labels.get(injectLabel) === 'enabled' && !isIgnoredByAck(this.namespace.name);
  }

  /** The problem of a resource in a namespace that is not bound. */
  get unbound(): UnboundProblem {
    const { namespace, config, mustBeBound } = this;
    const teamId = ignoredTeamId(namespace.annotations, config.featureGates);
    return { reason: 'NamespaceNotBound', of: 'resource', teamId, byFlag: !mustBeBound };
  }

  /** What the map has for a binding, as the controller of the resource's service looks it up. */
  #roleOf(binding: Binding): Result<MappedRole, MappingProblem> {
    if (this.#mapped === undefined) {
      const { alias = '', config, view } = this;
      const map = view.roleMap(binding.kind, ackSystemOf(config.ackSystems, alias).namespace);
      this.#mapped = lookUpRole(binding, map, serviceKeys(binding, alias, config.featureGates));
    }
    return this.#mapped;
  }

  selectorsFor(labels: ReadonlyMap<string, string>): readonly RoleSelector[] {
    const { request, namespace, view } = this;
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
  #bySelectors(): Result<ResourceAccount, ResourceAccountProblem> {
    const matching = this.selectorsFor(this.resource.labels);
    const [selector] = matching;
    if (selector === undefined) return err({ reason: 'SelectorNotMatched' });
    if (matching.length > 1) {
      return err({ reason: 'SelectorConflict', selectors: matching.map(({ name }) => name), of: 'resource' });
    }
    const { arn } = selector;
    return ok({ accountId: accountOfArn(arn), partition: partitionOf(arn), role: parseRoleArn(arn) });
  }

  /** As ACK's controller would find it. @returns undefined in a namespace that is not bound, and where no role is needed. */
  get account(): Result<ResourceAccount, ResourceAccountProblem> | undefined {
    const { alias, binding, config } = this;
    if (config.featureGates.IAMRoleSelector) {
      this.#selected ??= this.#bySelectors();
      return this.#selected;
    }
    if (alias === undefined || binding === undefined) return undefined;
    if (!binding.ok) return binding;
    const mapped = this.#roleOf(binding.value);
    if (!mapped.ok) return mapped;
    const { accountId, role } = mapped.value;
    return ok({ accountId, partition: role.partition, role });
  }

  /** The account as far as it resolves; for checks that are worth less without it. */
  get accountIfKnown(): ResourceAccount {
    const { account } = this;
    return account?.ok ? account.value : unknownAccount;
  }

  /** The account that the namespace leads to: of the binding itself, which needs no map; a team's is its role's. */
  get accountOfNamespace(): AccountId | undefined {
    const { binding } = this;
    if (this.config.featureGates.IAMRoleSelector) return this.accountIfKnown.accountId;
    if (!binding?.ok) return undefined;
    if (binding.value.kind === 'account') return binding.value.id;
    const mapped = this.#roleOf(binding.value);
    return mapped.ok ? mapped.value.accountId : undefined;
  }

  deny<P extends Problem>(problem: P): Denied<P['reason']> {
    const { alias = '', binding, config, namespace } = this;
    const at = messageContext(namespace.name, config, {
      binding: binding?.ok ? binding.value : undefined,
      ackSystemNamespace: ackSystemOf(config.ackSystems, alias).namespace,
    });
    return denyObject(this.subject, problem, at, config);
  }
}
