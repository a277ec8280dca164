import { type AccountId, isAccountId } from '../../accounts/account-id.ts';
import { serviceKeys } from '../../accounts/ack-service.ts';
import { ackSystemOf } from '../../accounts/ack-system.ts';
import type { Binding } from '../../accounts/binding.ts';
import { isIgnoredByAck } from '../../accounts/managed-namespace.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import { toPaste } from '../../admission/catalogue/paste.ts';
import type { Config } from '../../admission/config.ts';
import type { ResourceReview } from '../../admission/resources/resource-review.ts';
import type { AckObject, Snapshot } from '../../cluster/state/snapshot.ts';
import { ownerAccountIdAnnotation } from '../../objects/keys.ts';
import { quoteNames } from '../../objects/quote.ts';
import type { ControllerDefaults } from './controller-findings.ts';
import { type Finding, type FoundObject, finding } from './finding.ts';
import { sentence } from './namespace-findings.ts';

/** An ACK resource with what its review makes of it. */
export interface ReviewedResource {
  readonly found: AckObject;
  readonly resourceReview: ResourceReview;
}

/**
 * What ACK makes of a resource of a namespace that is not bound, by the account in its status:
 * - `own`: none is there, or the controllers' own.
 * - `mapped`: the account map has a key for it, and ACK goes on there.
 * - `stranded`: it has none, and it is not the controllers' own: ACK finds no role, and stops.
 * - `unsure`: it has none, and nobody knows the controllers' own.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/reconciler.go (getOwnerAccountID)
 */
type Whereabouts =
  | { readonly is: 'own' }
  | { readonly is: 'mapped' | 'stranded' | 'unsure'; readonly accountId: AccountId };

function whereaboutsOf(
  { resource, alias = '', namespace }: ResourceReview,
  state: Snapshot,
  config: Config,
  defaults: ReadonlyMap<string, ControllerDefaults>,
): Whereabouts {
  const { ownerAccountId: id } = resource.ack;
  if (id === undefined || !isAccountId(id) || isIgnoredByAck(namespace.name)) return { is: 'own' };
  const own = defaults.get(alias)?.accountId;
  if (id === own) return { is: 'own' };
  const binding: Binding = { kind: 'account', id };
  const map = state.roleMap('account', ackSystemOf(config.ackSystems, alias).namespace);
  if (lookUpRole(binding, map, serviceKeys(binding, alias, config.featureGates)).ok)
    return { is: 'mapped', accountId: id };
  return { is: own === undefined ? 'unsure' : 'stranded', accountId: id };
}

/** Resources of one namespace that are in one place. */
interface Group {
  readonly where: Whereabouts;
  readonly resources: string[];
}

function groupFinding(name: string, { where, resources }: Group, isOnly: boolean): Finding {
  const object: FoundObject = { kind: 'Namespace', namespace: '', name };
  const named = quoteNames(resources);
  switch (where.is) {
    case 'own':
      return finding(
        'ResourcesUnbound',
        object,
        `it is not bound, so ACK uses its controllers' own account for ${named}`,
      );
    case 'mapped': {
      const message = `it is not bound: ACK goes on in account ${where.accountId} with ${named} by their status, and would create new resources in its controllers' own account`;
      // Bound to one account, those in the others would be lost to ACK.
      if (!isOnly) return finding('ResourcesUnbound', object, message);
      const command = toPaste`kubectl annotate --overwrite namespace ${name} ${ownerAccountIdAnnotation}=${where.accountId}`;
      return finding('ResourcesUnbound', object, message, sentence('Bind it to that account again', command));
    }
    case 'unsure': {
      const message = `it is not bound, and ACK has recorded account ${where.accountId} for ${named}, which has no key in the account map: if it is not its controllers' own account, ACK stops reconciling them, and cannot delete them`;
      const fix = `Unless ${where.accountId} is the controllers' own account, add a key for it to the account map, with a role in that account. If it is theirs and meant, set --unbound-resources=allow.`;
      return finding('ResourcesUnbound', object, message, fix);
    }
    case 'stranded': {
      const message = `it is not bound, and the account map has no key for account ${where.accountId}, which ACK has recorded for ${named}: ACK stops reconciling them, and cannot delete them`;
      const fix = `Add the key "${where.accountId}" to the account map, with a role in that account.`;
      return finding('ResourcesStranded', object, message, fix);
    }
  }
}

/** What is told of ACK's resources in namespaces that are not bound: of each namespace once for each account. */
export function findUnbound(
  reviewed: readonly ReviewedResource[],
  state: Snapshot,
  config: Config,
  defaults: ReadonlyMap<string, ControllerDefaults>,
): readonly Finding[] {
  const byNamespace = new Map<string, Map<string, Group>>();
  for (const { found, resourceReview } of reviewed) {
    if (!resourceReview.isUnbound) continue;
    const where = whereaboutsOf(resourceReview, state, config, defaults);
    const key = where.is === 'own' ? '' : `${where.is} ${where.accountId}`;
    const groups = byNamespace.get(found.namespace) ?? new Map<string, Group>();
    byNamespace.set(found.namespace, groups);
    const group = groups.get(key) ?? { where, resources: [] };
    groups.set(key, group);
    group.resources.push(`${found.kind}/${found.name}`);
  }
  return [...byNamespace].flatMap(([name, groups]) =>
    [...groups.values()].flatMap(group => {
      const isMeant = config.unboundResources === 'allow' && group.where.is !== 'stranded';
      return isMeant ? [] : [groupFinding(name, group, groups.size === 1)];
    }),
  );
}
