import type { RoleArn } from '../../accounts/role-arn.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import type { IamStep } from './iam-step.ts';
import { type PolicyDocument, policyOf, policyValues, type Statement } from './policy.ts';
import { bucketActions, registryAction, resourceActions } from './resource-actions.ts';
import type { ResourceArn, ResourceService } from './resource-arn.ts';

/** Names our statements, so that they are replaced and not doubled. ECR and KMS take letters and digits. */
const sid = 'CarmWebhook';

/**
 * What stands for the resource in its own policy: `*` for KMS and Secrets Manager, nothing for ECR.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html,
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/auth-and-access_resource-policies.html,
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html
 */
function resourceInOwnPolicy({ service, text }: ResourceArn): Pick<Statement, 'Resource'> {
  if (service === 'ecr') return {};
  return { Resource: service === 'kms' || service === 'secretsmanager' ? '*' : text };
}

function actionsOf(service: ResourceService, write: boolean): string | readonly string[] {
  const actions = resourceActions[service];
  return policyValues([...actions.read, ...(write ? actions.write : [])]);
}

/** The statements of a resource's policy by which it lets roles in. */
export function resourceStatements(
  resource: ResourceArn,
  roles: readonly RoleArn[],
  write: boolean,
): readonly Statement[] {
  const Principal = { AWS: policyValues(roles.map(({ text }) => text)) };
  const { service, text } = resource;
  const Action = actionsOf(service, write);
  if (service !== 's3') return [{ Sid: sid, Effect: 'Allow', Principal, Action, ...resourceInOwnPolicy(resource) }];
  return [
    { Sid: `${sid}Bucket`, Effect: 'Allow', Principal, Action: bucketActions, Resource: text },
    { Sid: `${sid}Objects`, Effect: 'Allow', Principal, Action, Resource: `${text}/*` },
  ];
}

/** What a role needs of its own: across accounts both sides must allow. */
export function callerPolicy({ service, text }: ResourceArn, write: boolean): PolicyDocument {
  const Action = actionsOf(service, write);
  const all: Statement = { Effect: 'Allow', Action, Resource: service === 's3' ? `${text}/*` : text };
  if (service === 's3') return policyOf([{ Effect: 'Allow', Action: bucketActions, Resource: text }, all]);
  if (service === 'ecr') return policyOf([{ Effect: 'Allow', Action: registryAction, Resource: '*' }, all]);
  return policyOf([all]);
}

/**
 * A key whose policy does not let its account administer it cannot be administered any more.
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
 */
function keyAdministration({ partition, accountId }: ResourceArn): JsonObject {
  return {
    Sid: 'EnableIAMUserPermissions',
    Effect: 'Allow',
    Principal: { AWS: `arn:${partition}:iam::${accountId}:root` },
    Action: 'kms:*',
    Resource: '*',
  };
}

function statementsOf({ Statement: statements }: JsonObject): readonly JsonObject[] {
  return [statements].flat().filter(isJsonObject);
}

const isOurs = ({ Sid }: JsonObject) => [sid, `${sid}Bucket`, `${sid}Objects`].includes(String(Sid));

/**
 * The whole policy of a resource: what it has, with our statements in place of earlier ones of ours.
 * @param existing its policy as AWS has it, if it has one.
 */
export function resourcePolicy(
  resource: ResourceArn,
  roles: readonly RoleArn[],
  write: boolean,
  existing: JsonObject | undefined,
): PolicyDocument<Statement | JsonObject> {
  const ofAccount = existing === undefined && resource.service === 'kms' ? [keyAdministration(resource)] : [];
  const kept = existing === undefined ? ofAccount : statementsOf(existing).filter(statement => !isOurs(statement));
  return policyOf([...kept, ...resourceStatements(resource, roles, write)]);
}

export interface ResourceAccess {
  readonly resource: ResourceArn;
  /** Whether roles may write, too. */
  readonly write: boolean;
  readonly existing: JsonObject | undefined;
}

/** What lets roles use a resource of any account: their own policies, and the resource's, which names them. */
export function planResource(
  roles: readonly RoleArn[],
  { resource, write, existing }: ResourceAccess,
): readonly IamStep[] {
  const ofRoles = roles.map(
    (role): IamStep => ({
      kind: 'role-policy',
      role,
      name: `carm-webhook-${resource.service}-${resource.name.replaceAll(/[^\w.-]/g, '-')}`.slice(0, 128),
      policy: callerPolicy(resource, write),
    }),
  );
  const policy = resourcePolicy(resource, roles, write, existing);
  return [...ofRoles, { kind: 'resource-policy', resource, policy, trusts: roles }];
}

/** What of AWS's own rules stands against a resource that roles of other accounts use. */
export function resourceDoubts(roles: readonly RoleArn[], { resource, existing }: ResourceAccess): readonly string[] {
  const { service, text, accountId, partition } = resource;
  const isForeign = roles.some(role => role.accountId !== accountId);
  const other = roles.find(role => role.partition !== partition);
  return [
    ...(existing === undefined
      ? [
          `this policy replaces the one that ${text} may have. To keep its statements, pass that one with --resource-policy FILE`,
        ]
      : []),
    ...(service === 'secretsmanager' && isForeign
      ? [
          'other accounts can read a secret only if a customer managed KMS key encrypts it, and the policy of that key lets them in too',
        ]
      : []),
    ...(other === undefined ? [] : [`${other.text} is in another partition than ${text}: no policy lets it in`]),
  ];
}
