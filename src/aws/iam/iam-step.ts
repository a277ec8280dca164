import type { AccountId } from '../../accounts/account-id.ts';
import type { Partition } from '../../accounts/partition.ts';
import type { RoleArn } from '../../accounts/role-arn.ts';
import type { JsonObject } from '../../objects/json.ts';
import type { PolicyDocument, Statement } from './policy.ts';
import type { ResourceArn } from './resource-arn.ts';

/** What is to be created in AWS, in one account. Steps stand in the order in which AWS takes them. */
export type IamStep =
  | {
      readonly kind: 'oidc-provider';
      readonly partition: Partition;
      readonly accountId: AccountId;
      readonly url: string;
      /** The audiences of tokens. */
      readonly clientIds: readonly string[];
    }
  | {
      readonly kind: 'role';
      readonly role: RoleArn;
      readonly trust: PolicyDocument;
      /** Roles that the trust policy names: IAM takes none that does not exist. */
      readonly trusts: readonly RoleArn[];
    }
  | { readonly kind: 'role-policy'; readonly role: RoleArn; readonly name: string; readonly policy: PolicyDocument }
  | {
      readonly kind: 'resource-policy';
      readonly resource: ResourceArn;
      /** The whole policy: what AWS has for the resource is replaced by it. */
      readonly policy: PolicyDocument<Statement | JsonObject>;
      readonly trusts: readonly RoleArn[];
    };
