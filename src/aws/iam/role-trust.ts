import type { RoleArn } from '../../accounts/role-arn.ts';
import { policyValues, type Statement } from './policy.ts';

/** A role that may assume another one. */
export interface TrustedRole {
  readonly role: RoleArn;
  /** Those that it shows; undefined among them where it shows none. */
  readonly externalIds: ReadonlySet<string | undefined>;
  /** Whether its sessions bring tags that follow them: those of EKS Pod Identity do. */
  readonly tagsSession: boolean;
}

/** What a role needs to assume another one; both sides must allow it. */
export function assumeActions(tagsSession: boolean): string | readonly string[] {
  return tagsSession ? ['sts:AssumeRole', 'sts:TagSession'] : 'sts:AssumeRole';
}

/**
 * That a role trusts another one, by its external ids where it shows some.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html
 */
export function roleTrust({ role, externalIds, tagsSession }: TrustedRole): Statement {
  const ids = [...externalIds].filter(id => id !== undefined);
  const trust = { Effect: 'Allow', Principal: { AWS: role.text }, Action: assumeActions(tagsSession) } as const;
  // Where one of those who come by this role shows none, a statement that asks for one would keep nobody out.
  if (ids.length === 0 || externalIds.has(undefined)) return trust;
  return { ...trust, Condition: { StringEquals: { 'sts:ExternalId': policyValues(ids) } } };
}
