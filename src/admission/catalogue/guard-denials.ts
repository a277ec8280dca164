import { injectLabel } from '../../accounts/managed-namespace.ts';
import { mostNames, quote, quoteNames } from '../../objects/quote.ts';
import type { RoleMapKind } from '../../objects/role-map.ts';
import type { StoredResource } from '../cluster.ts';
import { type DenialOf, mapName } from './denial.ts';

/** What a change of a map, a selector or a namespace can be denied for, besides entries that are no valid mappings. */
export type GuardProblem =
  | {
      readonly reason: 'MappingInUse';
      readonly map: RoleMapKind;
      readonly key: string;
      readonly namespaces: readonly string[];
    }
  | { readonly reason: 'MapImmutable'; readonly map: RoleMapKind }
  | { readonly reason: 'InvalidSelector'; readonly why: string }
  | {
      readonly reason: 'SelectorInUse';
      /** Not all of them, when they are more than a message lists. */
      readonly resources: readonly Pick<StoredResource, 'kind' | 'namespace' | 'name'>[];
    }
  | { readonly reason: 'EndpointNotAllowed'; readonly value: string }
  /** `value`: what would take the place of `enabled`; undefined where the label goes. */
  | { readonly reason: 'InvalidLabel'; readonly value: string | undefined };

/** Each denial of a change that would pull the ground from under others. */
export const guardDenials: { readonly [R in GuardProblem['reason']]: DenialOf<GuardProblem, R> } = {
  MappingInUse: {
    group: 'denied',
    cause:
      'A map would lose an entry, or move it to another account, that bound namespaces use: their pods and resources would be denied, and resources that exist could not even be deleted.',
    fixedBy: 'platform team',
    remedy: 'Unbind the namespaces first, or keep the entry. Another role of the same account may be put in its place.',
    softenedBy: 'nothing',
    say: ({ map, key, namespaces }, at) => ({
      wrong: `entry ${quote(key)} of ${mapName(map, at)} is used by ${namespaces.length === 1 ? 'namespace' : `${namespaces.length} namespaces:`} ${quoteNames(namespaces)}`,
      remedy: `unbind ${namespaces.length === 1 ? 'it' : 'them'} first, or keep the entry with a role of the same account`,
    }),
  },
  MapImmutable: {
    group: 'denied',
    cause: 'A map would become immutable: no account could be added or fixed any more without deleting it.',
    fixedBy: 'platform team',
    remedy: 'Remove `immutable`.',
    say: ({ map }, at) => ({ wrong: `${mapName(map, at)} would become immutable`, remedy: 'remove immutable' }),
  },
  InvalidSelector: {
    group: 'denied',
    cause:
      "An IAMRoleSelector that ACK leaves out, with no more than a line in its controllers' logs; or whose ARN is no role.",
    fixedBy: 'platform team',
    remedy: 'Correct the field that the message names.',
    say: ({ why }) => ({ wrong: why, remedy: 'correct it (ACK silently ignores such a selector)' }),
  },
  SelectorInUse: {
    group: 'denied',
    cause:
      "An IAMRoleSelector that resources use would be removed, match them no more, or name a role of another account: ACK would go on with them in its controllers' own account, where they are not, and create them again.",
    fixedBy: 'platform team',
    remedy: 'Let it match them, or delete the resources first.',
    softenedBy: 'nothing',
    say: ({ resources }) => {
      const names = resources.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
      const others = names.length > mostNames ? ' and others' : '';
      return {
        wrong: `resources get their role from it: ${quoteNames(names.slice(0, mostNames))}${others}`,
        remedy: 'let it match them still, or delete them first (ACK would look for them in another account)',
      };
    },
  },
  EndpointNotAllowed: {
    group: 'denied',
    cause:
      "A namespace's `services.k8s.aws/endpoint-url` is none of `--allowed-endpoint-urls`: ACK would send its credentials and calls there, for all namespaces that share the role.",
    fixedBy: 'platform team',
    remedy: 'Remove the annotation, or allow the URL.',
    softenedBy: 'nothing',
    say: ({ value }) => ({
      wrong: `services.k8s.aws/endpoint-url ${quote(value)} is not allowed`,
      remedy: 'remove it, or allow it with --allowed-endpoint-urls',
    }),
  },
  InvalidLabel: {
    group: 'denied',
    cause: `The label \`${injectLabel}: enabled\` would be removed from a namespace that is being deleted, or changed. Its pods run on for a while, and without the label nobody would judge what \`kubectl debug\` adds to them.`,
    fixedBy: 'you',
    remedy: 'Keep the label. It does not hold up the deletion, and goes with the namespace.',
    softenedBy: 'nothing',
    say: ({ value }) => ({
      wrong: `the namespace is being deleted, and its label ${injectLabel}=enabled would be ${value === undefined ? 'removed' : `changed to ${quote(value)}`}`,
      remedy: 'keep the label (it does not delay the deletion, and goes with the namespace)',
    }),
  },
};
