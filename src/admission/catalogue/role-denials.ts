import type { AccountId } from '../../accounts/account-id.ts';
import type { BindingProblem } from '../../accounts/binding.ts';
import { partitions } from '../../accounts/partition.ts';
import { podsPrefix, type RequestedRoleProblem } from '../../accounts/pod-role.ts';
import { isRoleName, parseRoleArn, roleResource } from '../../accounts/role-arn.ts';
import type { MappingProblem } from '../../accounts/role-map.ts';
import type { BoundaryProblem } from '../../injection/boundary.ts';
import type { InjectionConflict } from '../../injection/inject.ts';
import { tokenMountPath, tokenVolumeName } from '../../injection/token-volume.ts';
import { roleArnVariable } from '../../injection/web-identity.ts';
import { injectLabel, ownerAccountIdAnnotation, roleArnAnnotation, teamIdAnnotation } from '../../objects/keys.ts';
import { quote } from '../../objects/quote.ts';
import { type RoleMapKind, roleMapNames } from '../../objects/role-map.ts';
import type { ControllerRoleProblem } from '../pods/controller-role.ts';
import {
  type Denial,
  type DenialOf,
  inside,
  type MessageContext,
  mapName,
  redactedValue,
  type Words,
} from './denial.ts';
import { toPaste } from './paste.ts';

/** Problems that only the cluster's state shows. */
export type StateProblem =
  | { readonly reason: 'NamespaceNotFound' | 'ServiceAccountNotFound' }
  /** Of a pod, or of an ACK resource. */
  | { readonly reason: 'NamespaceNotBound'; readonly of: 'pod' | 'resource' };

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
  /** Undefined in a namespace that is not bound. */
  readonly ownerOf: AccountId | undefined;
  /** Where the annotation stands, if not in the object's own metadata. */
  readonly within?: string | undefined;
}

/** What a pod, or the role of a resource, can be denied for. */
export type RoleProblem =
  | BindingProblem
  | MappingProblem
  | RequestedRoleProblem
  | BoundaryProblem
  | ControllerRoleProblem
  | InjectionConflict
  | StateProblem
  | MapKeyProblem
  | OwnerMismatch;

const roleArnForm = 'arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME';

function missingMap(map: RoleMapKind): Omit<Denial<unknown>, 'redact'> {
  const what = map === 'account' ? 'account' : 'team';
  return {
    cause: `The namespace has a binding, but there is no ${what} map (ConfigMap \`${roleMapNames[map]}\`) in the ACK system namespace.`,
    fixedBy: 'platform team',
    remedy: `Create the ConfigMap, with the ${what}'s id as key and a role ARN as value.`,
    say: (_, at) => ({
      wrong: `there is no ${mapName(map, at)}`,
      remedy: `create it with the ${what}'s role`,
      command: toPaste`kubectl create configmap ${roleMapNames[map]} --namespace ${at.ackSystemNamespace} --from-literal=${at.binding?.id ?? ''}=ROLE_ARN`,
    }),
  };
}

/** For pods the key of their own, which spares them the role that ACK provisions with; for a service the one that serves all. */
function keyToAdd(keys: readonly string[]): string {
  return keys.find(key => key.startsWith(`${podsPrefix}.`)) ?? keys.at(-1) ?? '';
}

function notMapped(map: RoleMapKind): Omit<Denial<{ readonly keys: readonly string[] }>, 'redact'> {
  const what = map === 'account' ? 'account' : 'team';
  return {
    cause: `The ${what} map has no role for the namespace's ${what}: neither \`pods.<id>\` nor \`<id>\` is there with a value (with \`--require-pods-key\` only \`pods.<id>\` counts).`,
    fixedBy: 'platform team',
    remedy: `Add the key to the ${what} map, or correct the namespace's binding.`,
    say: ({ keys }, at) => ({
      wrong: `${mapName(map, at)} has no role for ${what} ${quote(at.binding?.id ?? '')} (no value under ${keys.map(quote).join(' or ')})`,
      remedy: 'add it',
      command: toPaste`kubectl patch configmap ${roleMapNames[map]} --namespace ${at.ackSystemNamespace} --type merge --patch '{"data":{"${keyToAdd(keys)}":"ROLE_ARN"}}'`,
    }),
  };
}

function sayMapKey({ value, map }: MapKeyProblem, at: MessageContext, form: string): Words {
  return {
    wrong: `key ${quote(value)} of ${mapName(map, at)} is not ${form}, alone or after "pods." or a service alias`,
    remedy: 'correct the key (quote it: YAML reads bare digits as a number)',
  };
}

function sayOwner({ value, ownerOf, within }: OwnerMismatch, at: MessageContext): Words {
  const account = ownerOf === undefined ? 'no account' : `account ${ownerOf}`;
  return {
    wrong: `the resource has ${ownerAccountIdAnnotation} ${quote(value)}${inside(within)}, which ACK ignores on resources; in namespace ${quote(at.namespace)} it belongs to ${account}`,
    remedy: 'remove that annotation, or create the resource in a namespace of that account',
    fixedBy: 'you',
  };
}

/** Windows takes it in any case. */
function variableName(written: string): string {
  return written === roleArnVariable ? roleArnVariable : `${quote(written)} (${roleArnVariable} on Windows)`;
}

function copiedHint(value: string, at: MessageContext): string {
  const copied = at.roleArnAnnotation === value ? parseRoleArn(value) : undefined;
  return copied === undefined
    ? ''
    : `. It was injected for account ${copied.accountId} (annotation ${roleArnAnnotation}): the pod was copied from there, or the namespace was bound to another account in the meantime`;
}

/** For whoever needs a role elsewhere. */
const otherAccounts = ' (your platform team can allow other accounts with --source-accounts)';

/** Each denial of a pod, or of a role. */
export const roleDenials: { readonly [R in RoleProblem['reason']]: DenialOf<RoleProblem, R> } = {
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
    remedy: `Annotate the namespace with \`${ownerAccountIdAnnotation}\`, or remove the label if its pods need no AWS role.`,
    softenedBy: { pod: 'namespace', resource: 'default' },
    say: ({ of }, at) => ({
      wrong:
        of === 'pod'
          ? `namespace ${quote(at.namespace)} is labelled ${injectLabel}=enabled but is not bound to an account`
          : `namespace ${quote(at.namespace)} is not bound to an account, so ACK would use its controllers' own account`,
      remedy: 'bind it',
      command: toPaste`kubectl annotate namespace ${at.namespace} ${ownerAccountIdAnnotation}=ACCOUNT_ID`,
    }),
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
    remedy: 'Correct the annotation: 12 digits in quotes, since YAML reads bare digits as a number.',
    say: (problem, at) =>
      'map' in problem
        ? sayMapKey(problem, at, 'an account id of 12 digits')
        : {
            wrong: `namespace ${quote(at.namespace)} has ${ownerAccountIdAnnotation} ${quote(problem.value)}, which is not 12 digits`,
            remedy: 'correct it',
            command: toPaste`kubectl annotate --overwrite namespace ${at.namespace} ${ownerAccountIdAnnotation}=ACCOUNT_ID`,
          },
  },
  InvalidTeamId: {
    cause: `The namespace's annotation \`${teamIdAnnotation}\` is not a team id. A dot, for example, would reach the key of a service in the map.`,
    fixedBy: 'platform team',
    remedy: 'Correct the annotation: letters, digits, `_` and `-`.',
    say: (problem, at) =>
      'map' in problem
        ? sayMapKey(problem, at, 'a team id (letters, digits, _ and -)')
        : {
            wrong: `namespace ${quote(at.namespace)} has ${teamIdAnnotation} ${quote(problem.value)}, which is not a team id (letters, digits, _ and -)`,
            remedy: 'correct it',
            command: toPaste`kubectl annotate --overwrite namespace ${at.namespace} ${teamIdAnnotation}=TEAM_ID`,
          },
  },
  AccountMapMissing: missingMap('account'),
  TeamMapMissing: missingMap('team'),
  AccountNotMapped: notMapped('account'),
  TeamNotMapped: notMapped('team'),
  InvalidRoleArn: {
    cause: `A value that should be a role is not one: a value of the account map or the team map that is not \`${roleArnForm}\` of a known partition (${partitions.join(', ')}), or a ServiceAccount's annotation that is neither that nor a bare role name (one that begins with \`role/\` is not).`,
    fixedBy: 'platform team',
    remedy: 'Correct the value in the map. Where the message names a ServiceAccount, you can correct its annotation.',
    say: ({ value, at: where }, at) => {
      if ('annotation' in where && value.startsWith(roleResource)) {
        const name = value.slice(roleResource.length);
        return {
          wrong: `ServiceAccount ${quote(at.serviceAccountName)} has ${where.annotation} ${quote(value)}; a role name does not begin with "role/"`,
          remedy: isRoleName(name) ? `drop "role/": write ${quote(name)}` : 'drop "role/", and correct the name',
          fixedBy: 'you',
        };
      }
      return 'key' in where
        ? {
            wrong: `${mapName(where.map, at)} has ${quote(value)} under ${quote(where.key)}, which is not a role ARN (${roleArnForm})`,
            remedy: 'correct that value',
          }
        : {
            wrong: `ServiceAccount ${quote(at.serviceAccountName)} has ${where.annotation} ${quote(value)}, which is neither a role name nor a role ARN (${roleArnForm})`,
            remedy: 'correct that annotation',
            fixedBy: 'you',
          };
    },
  },
  AccountMismatch: {
    cause:
      "A key of the account map names one account, and its role is in another. (ACK would silently use the role's account.)",
    fixedBy: 'platform team',
    remedy:
      "Correct the role ARN in the map: its account must be the key's. On a resource, you can remove the annotation.",
    say: (problem, at) => {
      if ('ownerOf' in problem) return sayOwner(problem, at);
      const { key, role, accountId } = problem;
      return {
        wrong: `${mapName('account', at)} maps ${quote(key)} to a role in account ${role.accountId}, not in ${accountId}`,
        remedy: `use a role in account ${accountId} for that key`,
      };
    },
  },
  RoleOutsideAccount: {
    cause: `A role that the pod or its ServiceAccount names is not a role ARN in the namespace's account or in one of \`--source-accounts\`: \`${roleArnVariable}\` in any container, or the ServiceAccount's annotation.`,
    fixedBy: 'you',
    remedy: `Use a role in the namespace's account, or remove \`${roleArnVariable}\`: the webhook injects the role.`,
    redact: problem => ('container' in problem.at ? { ...problem, value: redactedValue } : problem),
    say: ({ value, accountId, partition, at: where }, at) => {
      // Where the digits are right, the partition is what is wrong.
      const account =
        parseRoleArn(value)?.accountId === accountId ? `${accountId} in partition ${partition}` : accountId;
      const home = `account ${account} (namespace ${quote(at.namespace)})`;
      if ('annotation' in where) {
        return {
          wrong: `ServiceAccount ${quote(at.serviceAccountName)} has ${where.annotation} ${quote(value)}, which is not in ${home}`,
          remedy: `use a role in account ${account}, by its name or ARN${otherAccounts}`,
        };
      }
      const copied = copiedHint(value, at);
      return {
        wrong: `${where.container.kind} ${quote(where.container.name)} sets ${variableName(where.variable)} to ${quote(value)}, which is not a role in ${home}${copied}`,
        remedy: `${copied === '' ? '' : 'retry, or '}remove ${roleArnVariable} (the webhook injects the role) or use a role in account ${account}${otherAccounts}`,
      };
    },
  },
  ControllerRole: {
    cause: `With \`--require-pods-key\`, a pod or its ServiceAccount names a role that ACK's controllers work with: one that a map has under an id, or under a service alias and an id. It may create and delete infrastructure.`,
    fixedBy: 'you',
    remedy: 'Remove the role (the webhook injects the one that is mapped for pods), or use another role.',
    say: ({ value, map, ackSystem, at: where }, at) => {
      const place = mapName(map, { ...at, ackSystemNamespace: ackSystem });
      const why = `which is a role of ACK's controllers (${place}): --require-pods-key keeps it from pods`;
      return 'annotation' in where
        ? {
            wrong: `ServiceAccount ${quote(at.serviceAccountName)} has ${where.annotation} ${quote(value)}, ${why}`,
            remedy: 'remove that annotation (the webhook injects the role for pods) or use another role',
          }
        : {
            wrong: `${where.container.kind} ${quote(where.container.name)} sets ${roleArnVariable} to ${quote(value)}, ${why}`,
            remedy: `remove ${roleArnVariable} (the webhook injects the role for pods) or use another role`,
          };
    },
  },
  RoleNotVerifiable: {
    cause: `A container sets \`${roleArnVariable}\` by \`valueFrom\` or with a \`$(…)\` reference: its value cannot be known at admission.`,
    fixedBy: 'you',
    remedy: `Remove \`${roleArnVariable}\` (the webhook injects the role), or write the role ARN as a literal value.`,
    redact: problem => (problem.value === undefined ? problem : { ...problem, value: redactedValue }),
    say: ({ value, container, variable }) => ({
      wrong: `${container.kind} ${quote(container.name)} sets ${variableName(variable)} ${value === undefined ? 'by valueFrom' : `to ${quote(value)}, with a $( reference`}, which cannot be verified`,
      remedy: `remove ${roleArnVariable} (the webhook injects the role) or write the role ARN as a literal value`,
    }),
  },
  VolumeConflict: {
    cause: `The pod has a volume \`${tokenVolumeName}\` that is not the token volume for the audience it needs, or a container mounts another volume at \`${tokenMountPath}\` or below it, or only a part of the token volume there.`,
    fixedBy: 'you',
    remedy: 'Rename or remove that volume or mount. The webhook injects the right one.',
    say: problem =>
      'mount' in problem
        ? {
            wrong: `${problem.container.kind} ${quote(problem.container.name)} mounts volume ${quote(problem.mount.name)} at ${quote(problem.mount.mountPath)}, where the token volume ${tokenVolumeName} must be mounted whole`,
            remedy: 'remove that mount or move it elsewhere',
          }
        : {
            wrong: `the pod has a volume ${tokenVolumeName} that is not a projected service account token for audience ${quote(problem.audience)} at path "token"`,
            remedy: 'rename or remove that volume (the webhook injects the right one)',
          },
  },
};
