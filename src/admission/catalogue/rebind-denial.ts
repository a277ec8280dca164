import { type AccountId, isAccountId } from '../../accounts/account-id.ts';
import type { ResourcePlace } from '../../accounts/resource-place.ts';
import { allowRebindAnnotation } from '../../objects/keys.ts';
import { quote, quoteNames } from '../../objects/quote.ts';
import type { StoredResource } from '../cluster.ts';
import { type DenialOf, type MessageContext, mapName, type Words } from './denial.ts';
import { type NamedResource, quoteResources } from './guard-denials.ts';
import { toPaste } from './paste.ts';

/** A resource that a change of its namespace takes from ACK. */
export interface StrandedResource {
  readonly resource: Pick<StoredResource, 'kind' | 'name'>;
  /** The account in its status. */
  readonly owner: string;
  /** Where ACK would look for it. */
  readonly place: ResourcePlace;
}

export type RebindProblem =
  | {
      readonly reason: 'RebindWithResources';
      readonly of: 'resource';
      readonly selector: string;
      readonly owner: string;
      readonly accountId: AccountId | undefined;
    }
  | {
      readonly reason: 'RebindWithResources';
      /** One that comes to match them. */
      readonly of: 'selector';
      readonly accountId: AccountId | undefined;
      /** Not all of them, when they are more than a message lists. */
      readonly resources: readonly (NamedResource & Pick<StoredResource, 'recorded'>)[];
    }
  | {
      readonly reason: 'RebindWithResources';
      readonly of: 'namespace';
      /** What changes. */
      readonly by: 'binding' | 'labels';
      /** Not all of them, when they are more than a message lists. */
      readonly stranded: readonly StrandedResource[];
      /** What the annotation that allows it would have to say. */
      readonly accountsToName: readonly string[];
    };

/** Names that the message lists of each: it has much to say besides. */
const most = 3;

/** Names of some resources in one namespace. */
export function nameResources(resources: readonly Pick<StoredResource, 'kind' | 'name'>[]): string {
  const names = resources.map(({ kind, name }) => `${kind}/${name}`);
  return `${quoteNames(names.slice(0, most))}${names.length > most ? ' and others' : ''}`;
}

/** The accounts that resources are in. */
export function nameOwners(stranded: readonly Pick<StrandedResource, 'owner'>[]): string {
  const [first = '', ...others] = new Set(stranded.map(({ owner }) => owner));
  return `account ${quote(first)}${others.length > 0 ? ' and others' : ''}`;
}

/** Why ACK would lose them. */
function describePlace(place: ResourcePlace, by: 'binding' | 'labels', at: MessageContext): string {
  switch (place.kind) {
    case 'account':
      return `the new ${by} lead${by === 'labels' ? '' : 's'} to account ${place.accountId}`;
    case 'unmapped': {
      const { binding, byStatus } = place;
      const what = `${mapName(binding.kind, at)} has no valid role for ${binding.kind} ${quote(binding.id)}`;
      return byStatus ? `without a binding ACK goes by their status, and ${what}` : what;
    }
    case 'invalid':
      return `the new ${by} lead${by === 'labels' ? '' : 's'} to no account`;
    case 'unselected':
      return "with the new labels no IAMRoleSelector matches them, and ACK would create them again in its controllers' own account";
    case 'conflict':
      return `with the new labels more than one IAMRoleSelector matches them: ${quoteNames(place.selectors.slice(0, 2))}`;
  }
}

function sayNamespace(
  { by, stranded, accountsToName }: Extract<RebindProblem, { of: 'namespace' }>,
  at: MessageContext,
): Words {
  const [first] = stranded;
  const why = first === undefined ? '' : `: ${describePlace(first.place, by, at)}`;
  const wrong = `ACK could no longer change or delete ${nameResources(stranded.map(({ resource }) => resource))} in ${nameOwners(stranded)}${why}`;
  const keep = `keep the ${by} as ${by === 'labels' ? 'they are' : 'it is'}`;
  const orDelete = `${keep}, or delete the resources first (which deletes them in AWS too, unless they are retained)`;
  const unmapped = first?.place.kind === 'unmapped' ? first.place.binding : undefined;
  // By an account that the map does not have, ACK deletes nothing as it is.
  const fix = unmapped ? `add one first. Otherwise, ${unmapped.kind === 'account' ? keep : orDelete}` : orDelete;
  const fixedBy = unmapped ? 'platform team' : 'you';
  if (!accountsToName.every(isAccountId)) return { wrong, remedy: fix, fixedBy };
  const accounts = accountsToName.join(',');
  return {
    wrong,
    remedy: `${fix}. To leave them behind, first set the annotation ${allowRebindAnnotation} to ${quote(accounts)}`,
    command: toPaste`kubectl annotate --overwrite namespace ${at.namespace} ${allowRebindAnnotation}=${accounts}`,
    fixedBy,
  };
}

export const rebindDenials: { readonly RebindWithResources: DenialOf<RebindProblem, 'RebindWithResources'> } = {
  RebindWithResources: {
    cause: `A change of a namespace's binding, or of labels that IAMRoleSelectors select by, would leave ACK resources behind: their status says another account than the one that ACK would work in, or ACK would find no role. ACK would then stop reconciling them, and could not even delete them. Or a change of a resource's own labels, or a new or wider IAMRoleSelector, would give it the role of another account.`,
    fixedBy: 'you',
    remedy: `Keep the binding or the labels, or delete the resources first (in AWS, too, unless they are retained). Where a map has no role for an account or a team, add that first. To leave the resources behind, set \`${allowRebindAnnotation}\` on the namespace. For another account, create other resources, in another namespace. Narrow an IAMRoleSelector so that it does not match them.`,
    softenedBy: 'nothing',
    say: (problem, at) => {
      if (problem.of === 'namespace') return sayNamespace(problem, at);
      if (problem.of === 'selector') {
        const { accountId, resources } = problem;
        const owners = nameOwners(resources.map(({ recorded }) => ({ owner: recorded?.accountId ?? '' })));
        return {
          wrong: `ACK could no longer change or delete ${quoteResources(resources)} in ${owners}: this selector leads to account ${accountId ?? 'unknown'}`,
          remedy:
            'narrow it so that it does not match them, or delete the resources first (which deletes them in AWS too, unless they are retained)',
          fixedBy: 'platform team',
        };
      }
      const { selector, owner, accountId } = problem;
      return {
        wrong: `IAMRoleSelector ${quote(selector)} of account ${accountId ?? 'unknown'} matches these labels, but the resource is in account ${quote(owner)}`,
        remedy: 'keep the labels, or create another resource',
      };
    },
  },
};
