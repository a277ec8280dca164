import { isAccountId } from '../../accounts/account-id.ts';
import { serviceKeys } from '../../accounts/ack-service.ts';
import { ackSystemOf } from '../../accounts/ack-system.ts';
import type { Binding } from '../../accounts/binding.ts';
import { isIgnoredByAck } from '../../accounts/managed-namespace.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import { toPaste } from '../../admission/catalogue/paste.ts';
import type { Config } from '../../admission/config.ts';
import { resourceProblems } from '../../admission/resources/resource-problems.ts';
import { ResourceReview } from '../../admission/resources/resource-review.ts';
import type { AckObject, Snapshot } from '../../cluster/state/snapshot.ts';
import { keyHints } from '../../objects/key-hints.ts';
import { defaultRegionAnnotation, ownerAccountIdAnnotation, regionAnnotation } from '../../objects/keys.ts';
import { quote, quoteNames } from '../../objects/quote.ts';
import { readResource } from '../../objects/resource.ts';
import { resourceOf, reviewOf } from '../inject/synthetic-review.ts';
import { type Finding, type FoundObject, finding } from './finding.ts';
import { ignoredKeyFinding } from './key-findings.ts';
import { problemFinding, sentence } from './namespace-findings.ts';

/** A resource as if it were created now, with the status that ACK gave it. */
function resourceReviewOf(found: AckObject, state: Snapshot, config: Config): ResourceReview | undefined {
  const namespace = state.namespace(found.namespace);
  if (namespace === undefined) return undefined;
  const { kind, name, object } = found;
  const resource = resourceOf(found.group, found.version, kind);
  const request = reviewOf({ resource, kind, name, namespace: namespace.name, object });
  const named = { subject: () => `${kind} ${quote(name)}`, resource: readResource(object), old: undefined };
  return new ResourceReview(named, request, namespace, state, config);
}

/** What is told of each resource; what its namespace has wrong is told of that, once. */
const ofResource: ReadonlySet<string> = new Set([
  'SelectorNotMatched',
  'SelectorConflict',
  'InvalidRegion',
  'RoleGrantNotAllowed',
]);

/** As kubectl takes it: `bucket.s3.services.k8s.aws`. */
const kubectlName = ({ kind, group }: AckObject): string => `${kind.toLowerCase()}.${group}`;

/** Where a region comes from that is not the one in the status, and what it is. */
function otherRegion(
  { resource, namespace, alias = '', config }: ResourceReview,
  regions: ReadonlyMap<string, string | undefined>,
): string | undefined {
  const { region: recorded } = resource.ack;
  const differs = (region: string | undefined) => region !== undefined && region !== recorded;
  // An empty annotation is one too. https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (regionDrifted)
  const own = resource.annotations.get(regionAnnotation);
  if (own !== undefined) return differs(own) ? `${regionAnnotation} is ${quote(own)}` : undefined;
  const isRead = config.featureGates.IAMRoleSelector || !isIgnoredByAck(namespace.name);
  const ofNamespace = isRead ? namespace.annotations.get(defaultRegionAnnotation) || undefined : undefined;
  if (ofNamespace !== undefined) {
    const said = `it names no region, and ${defaultRegionAnnotation} of its namespace is ${quote(ofNamespace)}`;
    return differs(ofNamespace) ? said : undefined;
  }
  const ofController = regions.get(alias);
  if (ofController === undefined || !differs(ofController)) return undefined;
  return `neither it nor its namespace names a region, and --aws-region of ACK's ${alias} controller is ${quote(ofController)}`;
}

function regionFinding(
  found: AckObject,
  object: FoundObject,
  resourceReview: ResourceReview,
  regions: ReadonlyMap<string, string | undefined>,
): readonly Finding[] {
  const { region } = resourceReview.resource.ack;
  const other = region === undefined ? undefined : otherRegion(resourceReview, regions);
  if (region === undefined || other === undefined) return [];
  const message = `${other}, but ACK has recorded region ${quote(region)} for it: ACK stops reconciling it`;
  const command = toPaste`kubectl annotate --overwrite ${kubectlName(found)} ${found.name} --namespace ${found.namespace} ${regionAnnotation}=${region}`;
  return [
    finding('RegionChange', object, message, sentence('Set its annotation to the region in its status', command)),
  ];
}

/** Accounts by namespace that resources are in by their status, where those are the ones that the namespace leads to. */
type SettledAccounts = ReadonlySet<string>;
const settledKey = (namespace: string, account: string): string => `${namespace}/${account}`;

/** How a resource in one account, whose namespace leads to another, comes back to ACK without another one being lost to it. */
function accountRemedy(
  { namespace }: AckObject,
  { binding, config }: ResourceReview,
  owner: string,
  current: string,
  settled: SettledAccounts,
): string {
  if (config.featureGates.IAMRoleSelector) {
    return `Have the one selector that matches it name a role in account ${quote(owner)} again.`;
  }
  if (settled.has(settledKey(namespace, current))) {
    return `Adopt it in a namespace that is bound to account ${quote(owner)}: if its own were bound back, ACK would stop reconciling what it has in account ${current}.`;
  }
  const byAccount = binding?.ok && binding.value.kind === 'account';
  const command = byAccount
    ? toPaste`kubectl annotate --overwrite namespace ${namespace} ${ownerAccountIdAnnotation}=${owner}`
    : undefined;
  return sentence(`bind its namespace to account ${quote(owner)} again`, command);
}

function accountFinding(
  found: AckObject,
  object: FoundObject,
  resourceReview: ResourceReview,
  settled: SettledAccounts,
): readonly Finding[] {
  const { resource, accountOfNamespace: current, config } = resourceReview;
  const { ownerAccountId: owner } = resource.ack;
  if (owner === undefined || current === undefined || owner === current) return [];
  const leads = config.featureGates.IAMRoleSelector ? 'an IAMRoleSelector gives it' : 'its namespace is bound to';
  const message = `ACK has recorded account ${quote(owner)} for it, but ${leads} account ${current}: ACK stops reconciling it, and cannot delete it`;
  return [finding('AccountMismatch', object, message, accountRemedy(found, resourceReview, owner, current, settled))];
}

function findingsOf(
  found: AckObject,
  resourceReview: ResourceReview,
  config: Config,
  settled: SettledAccounts,
  regions: ReadonlyMap<string, string | undefined>,
): readonly Finding[] {
  const { kind, namespace, name } = found;
  const object: FoundObject = { kind, namespace, name };
  const { resource } = resourceReview;
  const findings = [
    ...accountFinding(found, object, resourceReview, settled),
    ...regionFinding(found, object, resourceReview, regions),
  ];
  const named = { ...object, kind: `${kind}.${found.group}` };
  findings.push(...keyHints(resource, 'ACK resource').map(ignored => ignoredKeyFinding(ignored, object, named)));
  for (const problem of isIgnoredByAck(namespace) ? [] : resourceProblems(resourceReview)) {
    if (ofResource.has(problem.reason)) findings.push(...problemFinding(problem, object, undefined, config));
  }
  return findings;
}

/**
 * The account in which ACK goes on with a resource of a namespace that is not bound: the one in its status, by the key that the
 * account map has for that. Undefined where there is none: it may be the controllers' own.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (getOwnerAccountID)
 */
function accountByStatus({ resource, alias = '', namespace }: ResourceReview, state: Snapshot, config: Config) {
  const { ownerAccountId: id } = resource.ack;
  if (id === undefined || !isAccountId(id) || isIgnoredByAck(namespace.name)) return undefined;
  const binding: Binding = { kind: 'account', id };
  const map = state.roleMap('account', ackSystemOf(config.ackSystems, alias).namespace);
  const mapped = lookUpRole(binding, map, serviceKeys(binding, alias, config.featureGates));
  return mapped.ok ? id : undefined;
}

function unboundFinding(name: string, accountId: string, resources: readonly string[], isOnly: boolean): Finding {
  const object: FoundObject = { kind: 'Namespace', namespace: '', name };
  if (accountId === '') {
    const message = `it is not bound, so ACK uses its controllers' own account for ${quoteNames(resources)}, and stops at those whose status has another one`;
    return finding('ResourcesUnbound', object, message);
  }
  const message = `it is not bound: ACK goes on in account ${accountId} with ${quoteNames(resources)} by their status, and would create new resources in its controllers' own account`;
  // Bound to one account, those in the others would be lost to ACK.
  if (!isOnly) return finding('ResourcesUnbound', object, message);
  const command = toPaste`kubectl annotate --overwrite namespace ${name} ${ownerAccountIdAnnotation}=${accountId}`;
  return finding('ResourcesUnbound', object, message, sentence('Bind it to that account again', command));
}

/**
 * ACK resources whose account, region or selector is in doubt.
 * @param regions the regions of ACK's controllers, by the alias of the service.
 */
export function findInResources(
  state: Snapshot,
  config: Config,
  regions: ReadonlyMap<string, string | undefined>,
): readonly Finding[] {
  const reviewed = [...state.resources()].flatMap(found => {
    const resourceReview = resourceReviewOf(found, state, config);
    return resourceReview === undefined ? [] : [{ found, resourceReview }];
  });
  const settled = new Set(
    reviewed.flatMap(({ found, resourceReview: { resource, accountOfNamespace } }) => {
      const { ownerAccountId } = resource.ack;
      const isSettled = ownerAccountId !== undefined && ownerAccountId === accountOfNamespace;
      return isSettled ? [settledKey(found.namespace, ownerAccountId)] : [];
    }),
  );
  const findings: Finding[] = [];
  /** By namespace, then by account: empty for the controllers' own. */
  const unbound = new Map<string, Map<string, string[]>>();
  for (const { found, resourceReview } of reviewed) {
    findings.push(...findingsOf(found, resourceReview, config, settled, regions));
    const isMeant = config.unboundResources === 'allow' || config.featureGates.IAMRoleSelector;
    if (isMeant || resourceReview.binding !== undefined) continue;
    const accountId = accountByStatus(resourceReview, state, config) ?? '';
    const byAccount = unbound.get(found.namespace) ?? new Map<string, string[]>();
    unbound.set(found.namespace, byAccount);
    const resources = byAccount.get(accountId) ?? [];
    byAccount.set(accountId, resources);
    resources.push(`${found.kind}/${found.name}`);
  }
  for (const [name, byAccount] of unbound) {
    for (const [accountId, resources] of byAccount) {
      findings.push(unboundFinding(name, accountId, resources, byAccount.size === 1));
    }
  }
  return findings;
}
