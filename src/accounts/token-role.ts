import type { RoleAccess } from './role-access.ts';
import type { RoleArn } from './role-arn.ts';

/** The role that a pod's token is exchanged for; undefined where EKS Pod Identity gives the first credentials. */
export function roleTakenByToken(access: RoleAccess): RoleArn | undefined {
  return access.mode === 'web-identity' ? access.role : access.hub;
}
