import type { IamStep } from '../../aws/iam/iam-step.ts';

/** The account that a step is taken in; undefined for a bucket, whose ARN names none. */
export function accountOf(step: IamStep): string | undefined {
  if (step.kind === 'oidc-provider') return step.accountId;
  return step.kind === 'resource-policy' ? step.resource.accountId : step.role.accountId;
}

/** Name and path as IAM takes them apart: `team/s3-reader` is `/team/` and `s3-reader`. */
export function splitRoleName(name: string): { readonly path: string; readonly name: string } {
  const slash = name.lastIndexOf('/');
  return { path: slash < 0 ? '/' : `/${name.slice(0, slash + 1)}`, name: name.slice(slash + 1) };
}
