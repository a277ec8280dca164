import { injectLabel, modeLabel } from '../../objects/keys.ts';
import { longestQuote, mostNames, quote, quoteNames } from '../../objects/quote.ts';
import type { RoleMapKind } from '../../objects/role-map.ts';
import { type BindGrant, bindGroup, type StoredResource } from '../cluster.ts';
import type { GrantPurpose, NeededGrant } from '../guards/binding-authorization.ts';
import type { InvalidLabelValue } from '../label-values.ts';
import { type DenialOf, mapName } from './denial.ts';

export type NamedResource = Pick<StoredResource, 'kind' | 'namespace' | 'name'>;

/** What a change of a map, a selector or a namespace can be denied for, besides entries that are no valid mappings. */
export type GuardProblem =
  | {
      readonly reason: 'MappingInUse';
      readonly map: RoleMapKind;
      readonly key: string;
      readonly namespaces: readonly string[];
    }
  | {
      readonly reason: 'MappingInUse';
      readonly map: RoleMapKind;
      readonly key: string;
      /** Of namespaces that are not bound. Not all of them, when they are more than a message lists. */
      readonly resources: readonly NamedResource[];
    }
  | { readonly reason: 'MapImmutable'; readonly map: RoleMapKind }
  | { readonly reason: 'InvalidSelector'; readonly why: string }
  | {
      readonly reason: 'SelectorInUse';
      /** Not all of them, when they are more than a message lists. */
      readonly resources: readonly NamedResource[];
    }
  | {
      readonly reason: 'BindingForbidden';
      readonly user: string;
      /** What the user lacks; at least one. */
      readonly missing: readonly NeededGrant[];
      /** Whether the API server met an error while it looked for one of them. */
      readonly unsure: boolean;
    }
  | { readonly reason: 'EndpointNotAllowed'; readonly value: string }
  /** A value that means nothing is given to one of our labels. */
  | ({ readonly reason: 'InvalidLabel' } & InvalidLabelValue)
  /** What would take the place of `enabled` on a namespace that is being deleted; undefined where the label goes. */
  | { readonly reason: 'InvalidLabel'; readonly replacedBy: string | undefined };

const purposes: Readonly<Record<GrantPurpose, string>> = {
  bind: 'for the new binding',
  release: 'for the old binding',
  'leave resources behind': 'for resources that are left behind',
  'opt out': 'for opting its pods out',
  'weaken the mode': 'for its weaker mode',
};

/** As RBAC names it. An id has no character that would need quotes. */
function grantName({ resource, id }: BindGrant): string {
  return `${resource}.${bindGroup}${id === undefined ? '' : `/${id}`}`;
}

/** Grants that a message lists: each with what it is for. */
const mostGrants = 3;

/** A team id may be as long as a key of a ConfigMap. */
const cut = (name: string): string => (name.length <= longestQuote ? name : `${name.slice(0, longestQuote - 3)}...`);

/** A few of them, and whether there are others: how many, nobody has counted. */
export function quoteResources(resources: readonly NamedResource[]): string {
  const names = resources.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
  return `${quoteNames(names.slice(0, mostNames))}${names.length > mostNames ? ' and others' : ''}`;
}

/** Each denial of a change that would pull the ground from under others. */
export const guardDenials: { readonly [R in GuardProblem['reason']]: DenialOf<GuardProblem, R> } = {
  MappingInUse: {
    cause:
      'A map would lose an entry that is in use, or move it to another account: bound namespaces resolve by it, or ACK goes by it for resources in namespaces that are not bound, with that account in their status. Pods and resources would be denied, and existing resources could not even be deleted.',
    fixedBy: 'platform team',
    remedy:
      'Keep the entry: another role in the same account is allowed. Or delete the ACK resources that are in the account first (in AWS, too, unless they are retained), then unbind its namespaces.',
    softenedBy: 'nothing',
    say: (problem, at) => {
      const entry = `entry ${quote(problem.key)} of ${mapName(problem.map, at)}`;
      const keep = 'keep the entry with a role in the same account, or';
      if ('resources' in problem) {
        return {
          wrong: `ACK needs ${entry} for resources of that account in namespaces that are not bound: ${quoteResources(problem.resources)}`,
          remedy: `${keep} delete those resources first (in AWS, too, unless they are retained; without the entry ACK can neither change nor delete them)`,
        };
      }
      const { namespaces } = problem;
      const isOne = namespaces.length === 1;
      return {
        wrong: `${entry} is used by ${isOne ? 'namespace' : `${namespaces.length} namespaces:`} ${quoteNames(namespaces)}`,
        remedy: `${keep} unbind ${isOne ? 'the namespace first, unless it has' : 'the namespaces first, unless they have'} ACK resources`,
      };
    },
  },
  MapImmutable: {
    cause: 'A map would become immutable: no account could be added or corrected without deleting the map.',
    fixedBy: 'platform team',
    remedy: 'Remove `immutable`.',
    say: ({ map }, at) => ({ wrong: `${mapName(map, at)} would become immutable`, remedy: 'remove immutable' }),
  },
  InvalidSelector: {
    cause:
      "An IAMRoleSelector that ACK would ignore, with only a line in its controllers' logs; or one whose ARN is not that of a role.",
    fixedBy: 'platform team',
    remedy: 'Correct the field that the message names.',
    say: ({ why }) => ({ wrong: why, remedy: 'correct it (ACK silently ignores such a selector)' }),
  },
  SelectorInUse: {
    cause:
      "An IAMRoleSelector that resources use would be removed, no longer match them, or name a role in another account: ACK would look for them in its controllers' own account, where they are not, and create them again.",
    fixedBy: 'platform team',
    remedy:
      'Keep it matching them, or delete the resources first (in AWS, too, unless they are retained). Where ACK stopped at them, as their status says another account, it cannot delete them: take the selector back by [break-glass](break-glass.md#bypass-the-webhook-once).',
    softenedBy: 'nothing',
    say: ({ resources }) => ({
      wrong: `resources get their role from it: ${quoteResources(resources)}`,
      remedy:
        'keep it matching them, or delete them first (in AWS, too, unless they are retained; ACK would look for them in another account)',
    }),
  },
  BindingForbidden: {
    cause: `With \`--authorize-bindings\`: a namespace's binding would be set, changed or removed, its pods opted out, its mode weakened, or \`carm-webhook.dev/allow-rebind\` used, by someone who lacks the verb \`bind\` on an account that this concerns: on \`accounts.${bindGroup}\` (for team ids \`teams.${bindGroup}\`), with the id as name.`,
    fixedBy: 'platform team',
    remedy: 'Make the change for them, or grant them the verb by RBAC: [who may bind](who-may-bind.md).',
    softenedBy: 'nothing',
    say: ({ user, missing, unsure }) => {
      const verbs = missing.slice(0, mostGrants).map(grant => {
        const every = grant.id === undefined ? 'all ' : '';
        return `bind on ${every}${cut(grantName(grant))} (${purposes[grant.to]})`;
      });
      const more = missing.length > mostGrants ? `, and ${missing.length - mostGrants} more` : '';
      const error = unsure ? ', or an authorizer of the API server could not tell' : '';
      return {
        wrong: `user ${quote(user)} lacks the verb ${verbs.join(', and ')}${more}${error}`,
        remedy: 'make this change, or grant that by RBAC. To list what you may bind, run',
        // Not `can-i bind`: of a resource that no API has, kubectl asks by another name.
        command: `kubectl auth can-i --list | grep ${bindGroup}`,
      };
    },
  },
  EndpointNotAllowed: {
    cause:
      "A namespace's `services.k8s.aws/endpoint-url` is not in `--allowed-endpoint-urls`: ACK would send its credentials and calls there, for all namespaces that share the role.",
    fixedBy: 'platform team',
    remedy: 'Remove the annotation, or allow the URL.',
    softenedBy: 'nothing',
    say: ({ value }) => ({
      wrong: `services.k8s.aws/endpoint-url ${quote(value)} is not allowed`,
      remedy: 'remove it, or allow it with --allowed-endpoint-urls',
    }),
  },
  InvalidLabel: {
    cause: `A namespace's label \`${injectLabel}\` would become something other than \`enabled\` or \`disabled\`, or \`${modeLabel}\` something other than \`enforce\`, \`warn\` or \`audit\`. Or the label \`${injectLabel}: enabled\` would be removed or changed on a namespace that is being deleted: its pods keep running for a while, and without the label the webhook would not see what \`kubectl debug\` adds to them.`,
    fixedBy: 'you',
    remedy:
      'Use one of the allowed values. On a namespace that is being deleted, keep the label: it does not hold up the deletion, and goes with the namespace.',
    softenedBy: 'nothing',
    say: problem => {
      if ('label' in problem) {
        const { label, value, allowed } = problem;
        return {
          wrong: `label ${label}=${quote(value)} means nothing to carm-webhook`,
          remedy: `use ${allowed}, or remove the label`,
        };
      }
      const { replacedBy } = problem;
      return {
        wrong: `the namespace is being deleted, and its label ${injectLabel}=enabled would be ${replacedBy === undefined ? 'removed' : `changed to ${quote(replacedBy)}`}`,
        remedy: 'keep the label (it does not delay the deletion, and goes with the namespace)',
      };
    },
  },
};
