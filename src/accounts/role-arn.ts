import { type AccountId, isAccountId } from './account-id.ts';
import { isPartition, type Partition } from './partition.ts';

declare const validated: unique symbol;

/** The text of a role ARN that was parsed. */
export type RoleArnText = string & { readonly [validated]: 'RoleArn' };

/** An IAM role: `arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME`. */
export interface RoleArn {
  readonly text: RoleArnText;
  readonly partition: Partition;
  readonly accountId: AccountId;
  /** Path and name, without a slash in front: `team/s3-reader`. */
  readonly name: string;
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html */
const longestArn = 2048;

/**
 * Path and name of a role. Names are `[\w+=,.@-]{1,64}`. For the path IAM takes every printable ASCII character; we
 * take the characters of names only, as amazon-eks-pod-identity-webhook does: kubelet would expand `$(X)` in an
 * environment variable, and a shell would in a command.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
const roleName = /^(?=.{1,577}$)(?:[\w+=,.@-]+\/)*[\w+=,.@-]{1,64}$/;

const arnForm = /^arn:([a-z-]+):iam::([0-9]{12}):role\/(.+)$/;

/** How an ARN begins its name, and a bare name does not: `role/s3-reader` would become `…:role/role/s3-reader`. */
export const roleResource = 'role/';

/** True for a bare role name, with its path if it has one: `s3-reader`, `team/s3-reader`. */
export function isRoleName(text: string): boolean {
  return roleName.test(text);
}

/** Parses a role ARN; undefined for everything else. Nothing is trimmed: what is injected is what was written. */
export function parseRoleArn(text: string): RoleArn | undefined {
  if (text.length > longestArn) return undefined;
  const [, partition, accountId, name] = arnForm.exec(text) ?? [];
  if (partition === undefined || accountId === undefined || name === undefined) return undefined;
  if (!isPartition(partition) || !isAccountId(accountId) || !isRoleName(name)) return undefined;
  return { text: text as RoleArnText, partition, accountId, name };
}

/** The role of a bare name in an account. @throws {TypeError} for a name that `isRoleName` rejects. */
export function roleArnOf(partition: Partition, accountId: AccountId, name: string): RoleArn {
  const arn = parseRoleArn(`arn:${partition}:iam::${accountId}:role/${name}`);
  if (arn === undefined) throw new TypeError(`not the name of a role: ${JSON.stringify(name)}`);
  return arn;
}

/** The name of a role without its path, as IAM tells names apart. */
export function bareRoleName(arnOrName: string): string {
  return arnOrName.slice(arnOrName.lastIndexOf('/') + 1).toLowerCase();
}

/**
 * What a role is known by: within an account names are unique whatever their path and case, so two ARNs that differ in
 * these alone are never two roles.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (IAM name requirements)
 */
export function roleIdentity({ partition, accountId, name }: RoleArn): string {
  return `${partition}:${accountId}:${bareRoleName(name)}`;
}

export function isSameRole(one: RoleArn, other: RoleArn): boolean {
  return roleIdentity(one) === roleIdentity(other);
}
