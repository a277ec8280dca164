import type { RoleArn } from '../../accounts/role-arn.ts';
import { type OidcIssuer, providerArn } from './oidc-issuer.ts';
import { type Conditions, policyValues, type Statement } from './policy.ts';
import { type Subject, tokenSubject, withoutCovered } from './subject.ts';

function statement(role: RoleArn, issuer: OidcIssuer, condition: Conditions): Statement {
  return {
    Effect: 'Allow',
    Principal: { Federated: providerArn(issuer, role.partition, role.accountId) },
    Action: 'sts:AssumeRoleWithWebIdentity',
    Condition: condition,
  };
}

/**
 * That a role trusts ServiceAccounts of every one of the clusters, by `aud` and `sub`. All subjects of one statement are
 * exact, or all are wildcards: two conditions of one statement must both hold.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_multi-value-conditions.html
 */
export function webIdentityTrust(
  role: RoleArn,
  issuers: readonly OidcIssuer[],
  audience: string,
  trusted: readonly Subject[],
): readonly Statement[] {
  const subjects = withoutCovered(trusted);
  const exact = subjects.filter(({ serviceAccount }) => serviceAccount !== undefined).map(tokenSubject);
  const wild = subjects.filter(({ serviceAccount }) => serviceAccount === undefined).map(tokenSubject);
  return issuers.flatMap(issuer => {
    const [aud, sub] = [`${issuer.name}:aud`, `${issuer.name}:sub`];
    const statements: Statement[] = [];
    if (exact.length > 0) {
      statements.push(statement(role, issuer, { StringEquals: { [aud]: audience, [sub]: policyValues(exact) } }));
    }
    if (wild.length > 0) {
      const condition = { StringEquals: { [aud]: audience }, StringLike: { [sub]: policyValues(wild) } };
      statements.push(statement(role, issuer, condition));
    }
    return statements;
  });
}
