import { quote, quoteNames } from '../../admission/catalogue/quote.ts';
import { regionAnnotation } from '../../admission/resources/resource-annotations.ts';
import { accountIfKnown, type ResourceCase, resourceBinding } from '../../admission/resources/resource-case.ts';
import { resourceProblems } from '../../admission/resources/resource-problems.ts';
import type { Rules } from '../../admission/rules.ts';
import type { AckObject, Snapshot } from '../../cluster/snapshot.ts';
import { readResource } from '../../objects/resource.ts';
import { resourceOf, reviewOf } from '../synthetic-review.ts';
import { type Finding, type FoundObject, finding } from './finding.ts';
import { problemFinding } from './namespace-findings.ts';

function objectOf({ kind, namespace, name }: AckObject): FoundObject {
  return { kind, namespace, name };
}

/** A resource as if it were created now, with the status that ACK gave it. */
function caseOf(found: AckObject, state: Snapshot, rules: Rules): ResourceCase | undefined {
  const namespace = state.namespace(found.namespace);
  if (namespace === undefined) return undefined;
  const { kind, name, object } = found;
  const resource = resourceOf(found.group, found.version, kind);
  return {
    subject: `${kind} ${quote(name)}`,
    request: reviewOf({ resource, kind, name, namespace: namespace.name, object }),
    resource: readResource(object),
    old: undefined,
    namespace,
    view: state,
    rules,
  };
}

/** What is told of each resource; what its namespace has wrong is told of that, once. */
const ofResource: ReadonlySet<string> = new Set(['SelectorNotMatched', 'SelectorConflict', 'InvalidRegion']);

function findingsOf(found: AckObject, resourceCase: ResourceCase, rules: Rules): readonly Finding[] {
  const object = objectOf(found);
  const { resource } = resourceCase;
  const findings: Finding[] = [];
  const { accountId } = accountIfKnown(resourceCase);
  const owner = resource.ack.ownerAccountId;
  if (owner !== undefined && accountId !== undefined && owner !== accountId) {
    const message = `it is in account ${quote(owner)}, but its namespace leads to account ${accountId}: ACK stops at it`;
    findings.push(finding('AccountMismatch', object, message, `Lead its namespace to account ${quote(owner)} again.`));
  }
  const region = resource.annotations.get(regionAnnotation);
  if (region && resource.ack.region !== undefined && region !== resource.ack.region) {
    const message = `${regionAnnotation} is ${quote(region)}, but it is in ${quote(resource.ack.region)}: ACK stops at it`;
    findings.push(finding('RegionChange', object, message));
  }
  const names = { namespace: found.namespace, serviceAccountName: '', binding: undefined };
  for (const problem of resourceProblems(resourceCase)) {
    if (ofResource.has(problem.reason)) findings.push(...problemFinding(problem, object, names, rules));
  }
  return findings;
}

/** ACK resources whose account, region or selector is in doubt. */
export function findInResources(state: Snapshot, rules: Rules): readonly Finding[] {
  const findings: Finding[] = [];
  const unbound = new Map<string, string[]>();
  for (const found of state.resources()) {
    const resourceCase = caseOf(found, state, rules);
    if (resourceCase === undefined) continue;
    findings.push(...findingsOf(found, resourceCase, rules));
    const isMeant = rules.unboundResources === 'allow' || rules.featureGates.IAMRoleSelector;
    if (isMeant || resourceBinding(resourceCase) !== undefined) continue;
    unbound.set(found.namespace, [...(unbound.get(found.namespace) ?? []), `${found.kind}/${found.name}`]);
  }
  for (const [name, resources] of unbound) {
    const message = `it is not bound, so ACK works in its controllers' own account on ${quoteNames(resources)}`;
    findings.push(finding('ResourcesUnbound', { kind: 'Namespace', namespace: '', name }, message));
  }
  return findings;
}
