import type { AccountId } from '../../accounts/account-id.ts';
import type { BindingProblem } from '../../accounts/binding.ts';
import { partitions } from '../../accounts/partition.ts';
import { podsPrefix, type RequestedRoleProblem } from '../../accounts/pod-role.ts';
import type { RoleAccessProblem } from '../../accounts/role-access.ts';
import { isRoleName, parseRoleArn, type RoleArn, roleResource } from '../../accounts/role-arn.ts';
import type { MappingProblem } from '../../accounts/role-map.ts';
import type { BoundaryProblem } from '../../injection/boundary.ts';
import { roleArnVariable } from '../../injection/credential-variables.ts';
import type { VolumeConflict } from '../../injection/inject.ts';
import { tokenMountPath, tokenVolumeName } from '../../injection/token-volume.ts';
import {
  awsConfigAnnotation,
  injectLabel,
  ownerAccountIdAnnotation,
  roleArnAnnotation,
  skipContainersAnnotation,
  teamIdAnnotation,
} from '../../objects/keys.ts';
import { quote } from '../../objects/quote.ts';
import { type RoleMapKind, roleMapNames } from '../../objects/role-map.ts';
import type { ControllerRoleProblem } from '../pods/controller-role.ts';
import { nameSetting } from './access-denials.ts';
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
import { describeAccountId, describeTeamId, padded, type WrittenId } from './written-id.ts';

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
  | VolumeConflict
  | Extract<RoleAccessProblem, { readonly reason: 'InvalidRoleArn' | 'RoleOutsideAccount' }>
  | StateProblem
  | MapKeyProblem
  | OwnerMismatch;

const roleArnForm = 'arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME';

/** What is wrong with a value that should be a role ARN. */
function noRoleArn(value: string): string {
  return parseRoleArn(value.trim()) === undefined ? `is not a role ARN (${roleArnForm})` : padded;
}

/** What is wrong with a value that should be a role ARN or a role name. */
function noRole(value: string): string {
  const trimmed = value.trim();
  const isRole = isRoleName(trimmed) || parseRoleArn(trimmed) !== undefined;
  return trimmed !== value && isRole ? padded : `is neither a role name nor a role ARN (${roleArnForm})`;
}

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
    remedy: `Add the key to the ${what} map, or correct the namespace's binding.`,
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
    remedy: `correct it${written.hint}`,
    command: toPaste`kubectl annotate --overwrite namespace ${at.namespace} ${annotation}=${written.meant ?? id}`,
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

/** For whoever needs a role elsewhere. No flag allows what is no role, or is in another partition. */
function otherAccount(role: RoleArn | undefined, accountId: AccountId): string {
  return role === undefined || role.accountId === accountId
    ? ''
    : ` (your platform team can allow account ${role.accountId} with --source-accounts)`;
}

function sayHubOutside(
  { hub, role, at: where }: Extract<RoleAccessProblem, { readonly reason: 'RoleOutsideAccount' }>,
  at: MessageContext,
): Words {
  const { has, fixedBy } = nameSetting(where, at);
  const wrong = `${has} ${quote(hub.text)}, a hub role`;
  return hub.partition === role.partition
    ? {
        wrong: `${wrong} in account ${hub.accountId}, which is not in --source-accounts`,
        remedy:
          fixedBy === 'you'
            ? `use a hub role in one of those accounts (your platform team can add account ${hub.accountId} with --source-accounts)`
            : `add account ${hub.accountId} with --source-accounts, or use a hub role in an account that is there`,
        fixedBy,
      }
    : {
        wrong: `${wrong} in partition ${hub.partition}, from which nobody can take a role in partition ${role.partition}`,
        remedy: `use a hub role in partition ${role.partition}`,
        fixedBy,
      };
}

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
    remedy: `Annotate the namespace with \`${ownerAccountIdAnnotation}\`, or remove the label if its pods need no AWS role. If it has a team id, turn on the feature gate TeamLevelCARM (\`--feature-gates\`).`,
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
        remedy: `${gate}bind it${flag}`,
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
    remedy: `Correct the annotation: 12 digits in quotes, since YAML reads bare digits as a number. To bind by a name, use \`${teamIdAnnotation}\` with the feature gate TeamLevelCARM.`,
    say: (problem, at) =>
      'map' in problem
        ? sayMapKey(problem, at, 'an account id of 12 digits')
        : sayId(ownerAccountIdAnnotation, problem.value, describeAccountId(problem.value, at), at, 'ACCOUNT_ID'),
  },
  InvalidTeamId: {
    cause: `The namespace's annotation \`${teamIdAnnotation}\` is not a team id. A dot, for example, would reach the key of a service in the map.`,
    fixedBy: 'platform team',
    remedy: 'Correct the annotation: letters, digits, `_` and `-`.',
    say: (problem, at) =>
      'map' in problem
        ? sayMapKey(problem, at, 'a team id (letters, digits, _ and -)')
        : sayId(teamIdAnnotation, problem.value, describeTeamId(problem.value), at, 'TEAM_ID'),
  },
  AccountMapMissing: missingMap('account'),
  TeamMapMissing: missingMap('team'),
  AccountNotMapped: notMapped('account'),
  TeamNotMapped: notMapped('team'),
  InvalidRoleArn: {
    cause: `A value that should be a role is not one: a value of the account map or the team map that is not \`${roleArnForm}\` of a known partition (${partitions.join(', ')}), or a ServiceAccount's annotation that is neither that nor a bare role name (one that begins with \`role/\` is not). Or the hub role of chain mode is not a role ARN.`,
    fixedBy: 'platform team',
    remedy: 'Correct the value in the map. Where the message names a ServiceAccount, you can correct its annotation.',
    say: ({ value, at: where }, at) => {
      if ('on' in where) {
        const { has, fixedBy } = nameSetting(where, at);
        return { wrong: `${has} ${quote(value)}, which ${noRoleArn(value)}`, remedy: 'correct it', fixedBy };
      }
      if ('annotation' in where && value.startsWith(roleResource)) {
        const name = value.slice(roleResource.length);
        return {
          wrong: `ServiceAccount ${quote(at.serviceAccountName)} has ${where.annotation} ${quote(value)}; a role name does not begin with "role/"`,
          remedy: isRoleName(name) ? `drop "role/": write ${quote(name)}` : 'drop "role/", and correct the name',
          command: isRoleName(name)
            ? toPaste`kubectl annotate --overwrite serviceaccount ${at.serviceAccountName} --namespace ${at.namespace} ${where.annotation}=${name}`
            : undefined,
          fixedBy: 'you',
        };
      }
      return 'key' in where
        ? {
            wrong: `${mapName(where.map, at)} has ${quote(value)} under ${quote(where.key)}, which ${noRoleArn(value)}`,
            remedy: 'correct that value',
          }
        : {
            wrong: `ServiceAccount ${quote(at.serviceAccountName)} has ${where.annotation} ${quote(value)}, which ${noRole(value)}`,
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
    foreignAccount: problem => ('role' in problem ? problem.role.accountId : undefined),
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
    cause: `A role that the pod or its ServiceAccount names is not a role ARN in the namespace's account or in one of \`--source-accounts\`: \`${roleArnVariable}\` in any container, or the ServiceAccount's annotation. Or the hub role of chain mode is not in \`--source-accounts\`, or in another partition than the role.`,
    fixedBy: 'you',
    remedy: `Use a role in the namespace's account, or remove \`${roleArnVariable}\`: the webhook injects the role.`,
    redact: problem =>
      'value' in problem && 'container' in problem.at && parseRoleArn(problem.value) === undefined
        ? { ...problem, value: redactedValue }
        : problem,
    foreignAccount: problem => {
      if ('hub' in problem) return problem.hub.accountId;
      const { value, accountId } = problem;
      const foreign = parseRoleArn(value)?.accountId;
      return foreign === accountId ? undefined : foreign;
    },
    say: (problem, at) => {
      if ('hub' in problem) return sayHubOutside(problem, at);
      const { value, accountId, partition, at: where } = problem;
      const role = parseRoleArn(value);
      // Where the digits are right, the partition is what is wrong.
      const account = role?.accountId === accountId ? `${accountId} in partition ${partition}` : accountId;
      const home = `account ${account} (namespace ${quote(at.namespace)})`;
      const allowed = otherAccount(role, accountId);
      if ('annotation' in where) {
        return {
          wrong: `ServiceAccount ${quote(at.serviceAccountName)} has ${where.annotation} ${quote(value)}, which is not in ${home}`,
          remedy: `use a role in account ${account}, by its name or ARN${allowed}`,
        };
      }
      const copied = copiedHint(value, at);
      const which = role === undefined ? noRoleArn(value) : `is not a role in ${home}${copied}`;
      return {
        wrong: `${where.container.kind} ${quote(where.container.name)} sets ${variableName(where.variable)} to ${quote(value)}, which ${which}`,
        remedy: `${copied === '' ? '' : 'retry, or '}remove ${roleArnVariable} (the webhook injects the role) or use a role in account ${account}${allowed}`,
      };
    },
  },
  ControllerRole: {
    cause: `With \`--require-pods-key\`, a pod or its ServiceAccount names a role that ACK's controllers work with: one that a map has under an id, or under a service alias and an id. It may create and delete infrastructure. In chain mode, with or without that flag: the hub role of a pod is such a role.`,
    fixedBy: 'you',
    remedy:
      'Remove the role (the webhook injects the one that is mapped for pods), or use another role. In chain mode, give pods a hub role that ACK does not use.',
    say: ({ value, map, ackSystem, at: where }, at) => {
      const place = mapName(map, { ...at, ackSystemNamespace: ackSystem });
      if ('hub' in where) {
        return {
          wrong: `its hub role ${quote(value)} is a role of ACK's controllers (${place}): whoever takes it can create and delete infrastructure`,
          remedy: 'use a hub role that only pods take',
          fixedBy: 'platform team',
        };
      }
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
    cause: `The pod has a volume \`${tokenVolumeName}\` that is not the token volume for the audience it needs (in chain mode with the AWS config file), or that shows the config file of chain mode where no container gets one, or a container mounts another volume at \`${tokenMountPath}\` or below it, or only a part of the token volume there, or a read-only \`emptyDir\` above it, in which nobody can create the folder for the token.`,
    fixedBy: 'you',
    remedy: 'Rename or remove that volume or mount, or let it be written. The webhook injects the right one.',
    say: problem => {
      if ('unused' in problem) {
        return {
          wrong: `the pod has a volume ${tokenVolumeName} that shows its annotation ${awsConfigAnnotation}, but no container gets its role by chain mode`,
          remedy: 'remove that volume (the webhook adds it where it is due)',
        };
      }
      return 'mount' in problem && problem.where === 'above'
        ? {
            wrong: `${problem.container.kind} ${quote(problem.container.name)} could never start: it mounts the emptyDir ${quote(problem.mount.name)} read-only at ${quote(problem.mount.mountPath)}, so the folder for the token cannot be created in it`,
            remedy: `mount it without readOnly or elsewhere, or list the container in the pod's annotation ${skipContainersAnnotation} if it needs no role`,
          }
        : 'mount' in problem
          ? {
              wrong: `${problem.container.kind} ${quote(problem.container.name)} mounts volume ${quote(problem.mount.name)} at ${quote(problem.mount.mountPath)}, where the token volume ${tokenVolumeName} must be mounted whole`,
              remedy: 'remove that mount or move it elsewhere',
            }
          : {
              wrong: `the pod has a volume ${tokenVolumeName} that is not a projected service account token for audience ${quote(problem.audience)} at path "token"${problem.mode === 'chain' ? ` with annotation ${awsConfigAnnotation} at path "config"` : ''}`,
              remedy: 'rename or remove that volume (the webhook injects the right one)',
            };
    },
  },
};
