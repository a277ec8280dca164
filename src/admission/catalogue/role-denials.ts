import type { AccountId } from '../../accounts/account-id.ts';
import { partitions } from '../../accounts/partition.ts';
import type { RequestedRoleProblem } from '../../accounts/pod-role.ts';
import type { RoleAccessProblem } from '../../accounts/role-access.ts';
import { isRoleName, parseRoleArn, type RoleArn, roleResource } from '../../accounts/role-arn.ts';
import type { MappingProblem } from '../../accounts/role-map.ts';
import type { BoundaryProblem } from '../../injection/boundary.ts';
import { roleArnVariable } from '../../injection/credential-variables.ts';
import type { VolumeConflict } from '../../injection/inject.ts';
import { tokenMountPath, tokenVolumeName } from '../../injection/token-volume.ts';
import { awsConfigAnnotation, roleArnAnnotation, skipContainersAnnotation } from '../../objects/keys.ts';
import { quote } from '../../objects/quote.ts';
import type { ControllerRoleProblem } from '../pods/controller-role.ts';
import { nameSetting } from './access-denials.ts';
import { type DenialOf, type MessageContext, mapName, redactedValue, type Words } from './denial.ts';
import { toPaste } from './paste.ts';
import { padded } from './written-id.ts';

/** What can be wrong with a role, or with the volume by which a pod gets it. */
export type RoleProblem =
  | Extract<MappingProblem, { readonly reason: 'InvalidRoleArn' }>
  | RequestedRoleProblem
  | BoundaryProblem
  | ControllerRoleProblem
  | VolumeConflict
  | Extract<RoleAccessProblem, { readonly reason: 'InvalidRoleArn' | 'RoleOutsideAccount' }>;

const roleArnForm = 'arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME';

/** What is wrong with a value that should be a role ARN. */
export function noRoleArn(value: string): string {
  return parseRoleArn(value.trim()) === undefined ? `is not a role ARN (${roleArnForm})` : padded;
}

/** What is wrong with a value that should be a role ARN or a role name. */
function noRole(value: string): string {
  const trimmed = value.trim();
  const isRole = isRoleName(trimmed) || parseRoleArn(trimmed) !== undefined;
  return trimmed !== value && isRole ? padded : `is neither a role name nor a role ARN (${roleArnForm})`;
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
export function otherAccount(role: RoleArn | undefined, accountId: AccountId): string {
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

/** Each denial because of a role. */
export const roleDenials: { readonly [R in RoleProblem['reason']]: DenialOf<RoleProblem, R> } = {
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
