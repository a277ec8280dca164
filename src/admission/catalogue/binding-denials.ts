import type { AccountId } from '../../accounts/account-id.ts';
import type { BindingProblem } from '../../accounts/binding.ts';
import { podsPrefix } from '../../accounts/pod-role.ts';
import type { MappingProblem } from '../../accounts/role-map.ts';
import { injectLabel, ownerAccountIdAnnotation, teamIdAnnotation } from '../../objects/keys.ts';
import { quote } from '../../objects/quote.ts';
import { type RoleMapKind, roleMapNames } from '../../objects/role-map.ts';
import { unlessResourcesStrand, whatStrands } from './binding-advice.ts';
import { type Denial, type DenialOf, inside, type MessageContext, mapName, type Words } from './denial.ts';
import { toPaste } from './paste.ts';
import { describeAccountId, describeTeamId, type WrittenId } from './written-id.ts';

/** Problems that only the cluster's state shows. */
export type StateProblem = { readonly reason: 'NamespaceNotFound' | 'ServiceAccountNotFound' } | UnboundProblem;

/** Of a pod, or of an ACK resource. */
export interface UnboundProblem {
  readonly reason: 'NamespaceNotBound';
  readonly of: 'pod' | 'resource';
  /** The team id that the namespace has, with the gate TeamLevelCARM off. */
  readonly teamId: string | undefined;
  /** Whether `--unbound-resources` could allow it. */
  readonly byFlag: boolean;
}

/** A key of a map that is no id. */
export interface MapKeyProblem {
  readonly reason: 'InvalidAccountId' | 'InvalidTeamId';
  readonly value: string;
  readonly map: RoleMapKind;
}

/** `services.k8s.aws/owner-account-id` on a resource, which ACK does not read, names another account than its namespace. */
export interface OwnerMismatch {
  readonly reason: 'AccountMismatch';
  readonly value: string;
  /** Undefined where it cannot be told. */
  readonly ownerOf: AccountId | undefined;
  /** Where the annotation stands, if not in the object's own metadata. */
  readonly within?: string | undefined;
}

/** What can be wrong with a binding, and with what a map has for it. */
export type BindingDenialProblem =
  | BindingProblem
  | Exclude<MappingProblem, { readonly reason: 'InvalidRoleArn' }>
  | StateProblem
  | MapKeyProblem
  | OwnerMismatch;

function missingMap(map: RoleMapKind): Omit<Denial<unknown>, 'redact'> {
  const what = map === 'account' ? 'account' : 'team';
  return {
    cause: `The namespace has a binding, but there is no ${what} map (ConfigMap \`${roleMapNames[map]}\`) in the ACK system namespace.`,
    fixedBy: 'platform team',
    remedy: `Create the ConfigMap, with the ${what}'s id as key and a role ARN as value.`,
    say: (_, at) => ({
      wrong: `there is no ${mapName(map, at)}`,
      remedy: `create it with the ${what}'s role, or set --ack-system-namespace if ACK runs elsewhere`,
      command: toPaste`kubectl create configmap ${roleMapNames[map]} --namespace ${at.ackSystemNamespace} --from-literal=${at.binding?.id ?? ''}=ROLE_ARN`,
    }),
  };
}

/** For pods the key of their own, which spares them the role that ACK provisions with; for a service the one that serves all. */
function keyToAdd(keys: readonly string[]): string {
  return keys.find(key => key.startsWith(`${podsPrefix}.`)) ?? keys.at(-1) ?? '';
}

/** Where the role that ACK provisions with does not count, the map may well have it. */
function podsKeyOnly(keys: readonly string[]): string {
  const [only, ...others] = keys;
  return only?.startsWith(`${podsPrefix}.`) && others.length === 0
    ? ', and with --require-pods-key pods take no other'
    : '';
}

function notMapped(map: RoleMapKind): Omit<Denial<{ readonly keys: readonly string[] }>, 'redact'> {
  const what = map === 'account' ? 'account' : 'team';
  return {
    cause: `The ${what} map has no role for the namespace's ${what}: neither \`pods.<id>\` nor \`<id>\` is there with a value (with \`--require-pods-key\` only \`pods.<id>\` counts).`,
    fixedBy: 'platform team',
    remedy: `Add the key to the ${what} map, or correct the namespace's binding. ${whatStrands}`,
    say: ({ keys }, at) => ({
      wrong: `${mapName(map, at)} has no role for ${what} ${quote(at.binding?.id ?? '')} (no value under ${keys.map(quote).join(' or ')}${podsKeyOnly(keys)})`,
      remedy: 'add it',
      command: toPaste`kubectl patch configmap ${roleMapNames[map]} --namespace ${at.ackSystemNamespace} --type merge --patch '{"data":{"${keyToAdd(keys)}":"ROLE_ARN"}}'`,
    }),
  };
}

function sayMapKey({ value, map }: MapKeyProblem, at: MessageContext, form: string): Words {
  return {
    wrong: `key ${quote(value)} of ${mapName(map, at)} is not ${form}, alone or after "pods." or a service alias`,
    remedy: `correct the key (quote it: YAML reads bare digits as a number)${map === 'account' && /[A-Za-z]/.test(value) ? `; names of teams belong in ${mapName('team', at)}` : ''}`,
  };
}

/** An annotation that should be an id. With what was meant the command is ready to paste. */
function sayId(annotation: string, value: string, written: WrittenId<string>, at: MessageContext, id: string): Words {
  return {
    wrong: `namespace ${quote(at.namespace)} has ${annotation} ${quote(value)}, which ${written.which}`,
    remedy: `correct it${written.hint}, ${unlessResourcesStrand}`,
    command: toPaste`kubectl annotate --overwrite namespace ${at.namespace} ${annotation}=${written.meant ?? id}`,
  };
}

function sayOwner({ value, ownerOf, within }: OwnerMismatch, at: MessageContext): Words {
  const account = ownerOf === undefined ? 'an account that cannot be told' : `account ${ownerOf}`;
  return {
    wrong: `the resource has ${ownerAccountIdAnnotation} ${quote(value)}${inside(within)}, which ACK ignores on resources; in namespace ${quote(at.namespace)} it belongs to ${account}`,
    remedy: 'remove that annotation, or create the resource in a namespace of that account',
    fixedBy: 'you',
  };
}

/** Each denial because of a binding, or of what a map has for it. */
export const bindingDenials: { readonly [R in BindingDenialProblem['reason']]: DenialOf<BindingDenialProblem, R> } = {
  NamespaceNotFound: {
    cause: 'The namespace does not exist. The webhook asked the API server for it while answering this request.',
    fixedBy: 'you',
    remedy: 'Create the namespace first, or correct its name.',
    say: (_, at) => ({
      wrong: `namespace ${quote(at.namespace)} does not exist`,
      remedy: 'correct the name, or create it first',
      command: toPaste`kubectl create namespace ${at.namespace}`,
    }),
  },
  NamespaceNotBound: {
    cause: `The namespace is labelled \`${injectLabel}: enabled\`, which means that it must be bound, but it has no binding (with the feature gate TeamLevelCARM off, a team id alone binds nothing). For an ACK resource, this applies without the label too: ACK would use its controllers' own account, and \`--unbound-resources\` decides whether that is allowed, allowed with a warning, or denied.`,
    fixedBy: 'platform team',
    remedy: `Annotate the namespace with \`${ownerAccountIdAnnotation}\`, or remove the label if its pods need no AWS role. If it has a team id, turn on the feature gate TeamLevelCARM (\`--feature-gates\`). ${whatStrands}`,
    softenedBy: { pod: 'namespace', others: 'default' },
    say: ({ of, teamId, byFlag }, at) => {
      const consequence = of === 'pod' ? '' : ", so ACK would use its controllers' own account";
      const label = of === 'pod' ? `is labelled ${injectLabel}=enabled but ` : '';
      const team =
        teamId === undefined ? '' : ` (its ${teamIdAnnotation} ${quote(teamId)} needs the feature gate TeamLevelCARM)`;
      const gate = teamId === undefined ? '' : 'turn the gate on with --feature-gates=TeamLevelCARM=true, or ';
      const flag = byFlag ? ' (or allow such resources with --unbound-resources)' : '';
      return {
        wrong: `namespace ${quote(at.namespace)} ${label}is not bound to an account${team}${consequence}`,
        remedy: `${gate}bind it, ${unlessResourcesStrand}${flag}`,
        command: toPaste`kubectl annotate namespace ${at.namespace} ${ownerAccountIdAnnotation}=ACCOUNT_ID`,
      };
    },
  },
  ServiceAccountNotFound: {
    cause:
      "The pod's ServiceAccount does not exist. The webhook asked the API server for it while answering this request.",
    fixedBy: 'you',
    remedy: 'Create the ServiceAccount before the pod, or correct its name.',
    say: (_, at) => ({
      wrong: `ServiceAccount ${quote(at.serviceAccountName)} does not exist in namespace ${quote(at.namespace)}`,
      remedy: 'correct the name, or create it first',
      command: toPaste`kubectl create serviceaccount ${at.serviceAccountName} --namespace ${at.namespace}`,
    }),
  },
  InvalidAccountId: {
    cause: `The namespace's annotation \`${ownerAccountIdAnnotation}\` is not an account id; or a key of the account map is not one.`,
    fixedBy: 'platform team',
    remedy: `Correct the annotation: 12 digits in quotes, since YAML reads bare digits as a number. To bind by a name, use \`${teamIdAnnotation}\` with the feature gate TeamLevelCARM. ${whatStrands}`,
    say: (problem, at) =>
      'map' in problem
        ? sayMapKey(problem, at, 'an account id of 12 digits')
        : sayId(ownerAccountIdAnnotation, problem.value, describeAccountId(problem.value, at), at, 'ACCOUNT_ID'),
  },
  InvalidTeamId: {
    cause: `The namespace's annotation \`${teamIdAnnotation}\` is not a team id. A dot, for example, would reach the key of a service in the map.`,
    fixedBy: 'platform team',
    remedy: `Correct the annotation: letters, digits, \`_\` and \`-\`. ${whatStrands}`,
    say: (problem, at) =>
      'map' in problem
        ? sayMapKey(problem, at, 'a team id (letters, digits, _ and -)')
        : sayId(teamIdAnnotation, problem.value, describeTeamId(problem.value), at, 'TEAM_ID'),
  },
  AccountMapMissing: missingMap('account'),
  TeamMapMissing: missingMap('team'),
  AccountNotMapped: notMapped('account'),
  TeamNotMapped: notMapped('team'),
  AccountMismatch: {
    cause:
      "A key of the account map names one account, and its role is in another. (ACK would silently use the role's account.)",
    fixedBy: 'platform team',
    remedy:
      "Correct the role ARN in the map: its account must be the key's. If ACK has created resources with it, they are in the role's account: map that account to the role, and bind their namespaces to it. On a resource, you can remove the annotation.",
    foreignAccount: problem => ('role' in problem ? problem.role.accountId : undefined),
    say: (problem, at) => {
      if ('ownerOf' in problem) return sayOwner(problem, at);
      const { key, role, accountId } = problem;
      return {
        wrong: `${mapName('account', at)} maps ${quote(key)} to a role in account ${role.accountId}, not in ${accountId}`,
        remedy: `use a role in account ${accountId} for that key (if ACK has created resources with it, they are in account ${role.accountId}: map that account to this role, and bind their namespaces to it)`,
      };
    },
  },
};
