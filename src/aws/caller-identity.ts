import { type AccountId, isAccountId } from '../accounts/account-id.ts';
import type { RoleArn } from '../accounts/role-arn.ts';

/** Whom AWS takes a caller for. */
export interface CallerIdentity {
  readonly accountId: AccountId;
  readonly arn: string;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
const arnForm = /^arn:[a-z-]{1,20}:(?:sts|iam)::([0-9]{12}):[\w+=,.@/-]{1,2000}$/;

/** The identity of an ARN as STS answers it; undefined for another text. */
export function identityOf(arn: string | undefined): CallerIdentity | undefined {
  const accountId = arnForm.exec(arn ?? '')?.[1];
  return arn === undefined || accountId === undefined || !isAccountId(accountId) ? undefined : { accountId, arn };
}

/** Whether an identity is a session of a role. Its path is not in the ARN of a session. */
export function isSessionOf({ partition, accountId, name }: RoleArn, { arn }: CallerIdentity): boolean {
  const bareName = name.slice(name.lastIndexOf('/') + 1);
  return arn.startsWith(`arn:${partition}:sts::${accountId}:assumed-role/${bareName}/`);
}
