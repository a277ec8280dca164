import { credentialsAnnotation, externalIdAnnotation, hubRoleArnAnnotation } from '../objects/keys.ts';
import type { Namespace } from '../objects/namespace.ts';
import type { ServiceAccount } from '../objects/service-account.ts';
import { type CredentialsModeName, credentialsModeNames, isCredentialsModeName } from './credentials-mode.ts';
import { type ExternalId, ExternalIdTemplate, externalIdForm } from './external-id.ts';
import type { PodRole, RoleSource } from './pod-role.ts';
import { err, ok, type Result } from './result.ts';
import { isSameRole, parseRoleArn, type RoleArn } from './role-arn.ts';

/** How a pod gets its role. */
export type RoleAccess =
  | { readonly mode: 'web-identity'; readonly role: RoleArn }
  | {
      readonly mode: 'chain';
      /** The role that the pod takes first; undefined where none is set, which works only over EKS Pod Identity. */
      readonly hub: RoleArn | undefined;
      readonly role: RoleArn;
      readonly externalId: ExternalId | undefined;
    };

/** What the flags set, for all that says nothing of its own. */
export interface RoleAccessDefaults {
  readonly credentials: CredentialsModeName;
  readonly hubRoleArn: RoleArn | undefined;
  readonly externalId: ExternalIdTemplate | undefined;
  /** Account ids whose roles every namespace may name: AWS's documented chaining starts from the cluster's account. */
  readonly sourceAccounts: ReadonlySet<string>;
}

/** Whose access it is. */
export interface RoleUser {
  readonly namespace: Namespace;
  readonly serviceAccountName: string;
  readonly serviceAccount: ServiceAccount;
}

type RoleAccessAnnotation = typeof credentialsAnnotation | typeof hubRoleArnAnnotation | typeof externalIdAnnotation;

/** Where a setting stands. */
export type SettingPlace =
  | { readonly on: 'ServiceAccount' | 'namespace'; readonly annotation: RoleAccessAnnotation }
  | { readonly on: 'flag'; readonly flag: string };

export type RoleAccessProblem =
  | {
      readonly reason: 'InvalidAnnotation';
      readonly of: 'pod';
      readonly value: string;
      readonly allowed: string;
      readonly at: SettingPlace;
    }
  | { readonly reason: 'InvalidRoleArn'; readonly value: string; readonly at: SettingPlace }
  /** The hub role is in no source account, or in another partition than the role. */
  | { readonly reason: 'RoleOutsideAccount'; readonly hub: RoleArn; readonly role: RoleArn; readonly at: SettingPlace }
  /** The role is the hub itself. */
  | {
      readonly reason: 'CredentialConflict';
      readonly why: 'hub role';
      readonly hub: RoleArn;
      readonly source: RoleSource;
    };

interface Setting {
  readonly value: string;
  readonly at: SettingPlace;
}

/** What the ServiceAccount says, else the namespace. An empty annotation is no annotation. */
function readSetting({ serviceAccount, namespace }: RoleUser, annotation: RoleAccessAnnotation): Setting | undefined {
  for (const [on, { annotations }] of [
    ['ServiceAccount', serviceAccount],
    ['namespace', namespace],
  ] as const) {
    const value = annotations.get(annotation);
    if (value) return { value, at: { on, annotation } };
  }
  return undefined;
}

/** The credentials mode of a pod. */
export function resolveCredentialsMode(
  user: RoleUser,
  { credentials }: Pick<RoleAccessDefaults, 'credentials'>,
): Result<CredentialsModeName, RoleAccessProblem> {
  const setting = readSetting(user, credentialsAnnotation);
  if (setting === undefined) return ok(credentials);
  if (isCredentialsModeName(setting.value)) return ok(setting.value);
  return err({ reason: 'InvalidAnnotation', of: 'pod', ...setting, allowed: credentialsModeNames.join(' or ') });
}

/** The hub role of a pod in chain mode: a role in a source account, and in the partition of the pod's role, or no hub. */
function resolveHub(
  { role, source }: PodRole,
  user: RoleUser,
  { hubRoleArn, sourceAccounts }: RoleAccessDefaults,
): Result<RoleArn | undefined, RoleAccessProblem> {
  const setting = readSetting(user, hubRoleArnAnnotation);
  const hub = setting === undefined ? hubRoleArn : parseRoleArn(setting.value);
  if (hub === undefined) return setting === undefined ? ok(undefined) : err({ reason: 'InvalidRoleArn', ...setting });
  if (!sourceAccounts.has(hub.accountId) || hub.partition !== role.partition) {
    const at = setting?.at ?? { on: 'flag', flag: '--hub-role-arn' };
    return err({ reason: 'RoleOutsideAccount', hub, role, at });
  }
  return isSameRole(hub, role) ? err({ reason: 'CredentialConflict', why: 'hub role', hub, source }) : ok(hub);
}

function parseExternalId(text: string): ExternalIdTemplate | undefined {
  try {
    return ExternalIdTemplate.parse(text);
  } catch {
    return undefined;
  }
}

/** The external id of a pod in chain mode, or none. */
function resolveExternalId(
  { accountId: account }: PodRole,
  user: RoleUser,
  defaults: RoleAccessDefaults,
): Result<ExternalId | undefined, RoleAccessProblem> {
  const setting = readSetting(user, externalIdAnnotation);
  const template = setting === undefined ? defaults.externalId : parseExternalId(setting.value);
  if (setting === undefined && template === undefined) return ok(undefined);
  const { namespace, serviceAccountName: serviceAccount } = user;
  const externalId = template?.idFor({ account, namespace: namespace.name, serviceAccount });
  if (externalId !== undefined) return ok(externalId);
  const { value, at } = setting ?? { value: '', at: { on: 'flag', flag: '--external-id' } as const };
  return err({ reason: 'InvalidAnnotation', of: 'pod', value, at, allowed: externalIdForm });
}

/** Resolves how a pod gets its role. */
export function resolveRoleAccess(
  podRole: PodRole,
  user: RoleUser,
  defaults: RoleAccessDefaults,
): Result<RoleAccess, RoleAccessProblem> {
  const mode = resolveCredentialsMode(user, defaults);
  if (!mode.ok) return mode;
  const { role } = podRole;
  if (mode.value === 'web-identity') return ok({ mode: mode.value, role });
  const hub = resolveHub(podRole, user, defaults);
  if (!hub.ok) return hub;
  const externalId = resolveExternalId(podRole, user, defaults);
  if (!externalId.ok) return externalId;
  return ok({ mode: mode.value, hub: hub.value, role, externalId: externalId.value });
}

/** The annotations that settle how pods get their role. */
export const roleAccessAnnotations = [credentialsAnnotation, hubRoleArnAnnotation, externalIdAnnotation] as const;

export type InvalidSetting = Exclude<RoleAccessProblem, { readonly reason: 'CredentialConflict' }>;

/**
 * What is wrong with the value of a setting by itself, whichever pods it is for.
 * @param role of the pods, where it is known.
 */
export function settingProblem(
  setting: Setting & { readonly at: Extract<SettingPlace, { readonly annotation: string }> },
  role: RoleArn | undefined,
  { sourceAccounts }: Pick<RoleAccessDefaults, 'sourceAccounts'>,
): InvalidSetting | undefined {
  const { value, at } = setting;
  switch (at.annotation) {
    case credentialsAnnotation:
      if (isCredentialsModeName(value)) return undefined;
      return { reason: 'InvalidAnnotation', of: 'pod', ...setting, allowed: credentialsModeNames.join(' or ') };
    case externalIdAnnotation:
      if (parseExternalId(value) !== undefined) return undefined;
      return { reason: 'InvalidAnnotation', of: 'pod', ...setting, allowed: externalIdForm };
    case hubRoleArnAnnotation: {
      const hub = parseRoleArn(value);
      if (hub === undefined) return { reason: 'InvalidRoleArn', ...setting };
      const to = role ?? hub;
      const isUsable = sourceAccounts.has(hub.accountId) && hub.partition === to.partition;
      return isUsable ? undefined : { reason: 'RoleOutsideAccount', hub, role: to, at };
    }
  }
}
