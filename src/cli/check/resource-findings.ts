import { isIgnoredByAck } from '../../accounts/managed-namespace.ts';
import type { Config } from '../../admission/config.ts';
import { resourceProblems } from '../../admission/resources/resource-problems.ts';
import { ResourceReview } from '../../admission/resources/resource-review.ts';
import type { AckObject, Snapshot } from '../../cluster/state/snapshot.ts';
import { keyHints } from '../../objects/key-hints.ts';
import { regionAnnotation } from '../../objects/keys.ts';
import { quote, quoteNames } from '../../objects/quote.ts';
import { readResource } from '../../objects/resource.ts';
import { resourceOf, reviewOf } from '../inject/synthetic-review.ts';
import { type Finding, type FoundObject, finding } from './finding.ts';
import { ignoredKeyFinding } from './key-findings.ts';
import { problemFinding } from './namespace-findings.ts';

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

function findingsOf(found: AckObject, resourceReview: ResourceReview, config: Config): readonly Finding[] {
  const { kind, namespace, name } = found;
  const object: FoundObject = { kind, namespace, name };
  const { resource } = resourceReview;
  const findings: Finding[] = [];
  const { accountId } = resourceReview.accountIfKnown;
  const owner = resource.ack.ownerAccountId;
  if (owner !== undefined && accountId !== undefined && owner !== accountId) {
    const message = `it is in account ${quote(owner)}, but its namespace is bound to account ${accountId}: ACK stops reconciling it`;
    findings.push(finding('AccountMismatch', object, message, `Bind its namespace to account ${quote(owner)} again.`));
  }
  const region = resource.annotations.get(regionAnnotation);
  if (region && resource.ack.region !== undefined && region !== resource.ack.region) {
    const message = `${regionAnnotation} is ${quote(region)}, but it is in ${quote(resource.ack.region)}: ACK stops reconciling it`;
    findings.push(finding('RegionChange', object, message, 'Set the annotation to the region in the status.'));
  }
  const named = { ...object, kind: `${kind}.${found.group}` };
  findings.push(...keyHints(resource, 'ACK resource').map(ignored => ignoredKeyFinding(ignored, object, named)));
  for (const problem of isIgnoredByAck(namespace) ? [] : resourceProblems(resourceReview)) {
    if (ofResource.has(problem.reason)) findings.push(...problemFinding(problem, object, undefined, config));
  }
  return findings;
}

/** ACK resources whose account, region or selector is in doubt. */
export function findInResources(state: Snapshot, config: Config): readonly Finding[] {
  const findings: Finding[] = [];
  const unbound = new Map<string, string[]>();
  for (const found of state.resources()) {
    const resourceReview = resourceReviewOf(found, state, config);
    if (resourceReview === undefined) continue;
    findings.push(...findingsOf(found, resourceReview, config));
    const isMeant = config.unboundResources === 'allow' || config.featureGates.IAMRoleSelector;
    if (isMeant || resourceReview.binding !== undefined) continue;
    unbound.set(found.namespace, [...(unbound.get(found.namespace) ?? []), `${found.kind}/${found.name}`]);
  }
  for (const [name, resources] of unbound) {
    const message = `it is not bound, so ACK uses its controllers' own account for ${quoteNames(resources)}`;
    findings.push(finding('ResourcesUnbound', { kind: 'Namespace', namespace: '', name }, message));
  }
  return findings;
}
