import type { AccountId } from '../accounts/account-id.ts';
import type { Partition } from '../accounts/partition.ts';
import { parseRoleArn } from '../accounts/role-arn.ts';
import type { EnvVar } from '../objects/aws-variables.ts';
import type { Container, Pod } from '../objects/pod.ts';
import { credentialsModes } from './credentials-modes.ts';

/** `AWS_ROLE_ARN`, and whatever else a mode takes a role from. */
const roleVariableNames = [...new Set(credentialsModes.flatMap(({ roleVariables }) => roleVariables))];
const none: readonly EnvVar[] = [];

/** A container whose `AWS_ROLE_ARN` is not one that its namespace may have. */
export type BoundaryProblem =
  | {
      readonly reason: 'RoleOutsideAccount';
      readonly value: string;
      readonly accountId: AccountId;
      readonly partition: Partition | undefined;
      readonly at: { readonly container: Container; readonly variable: string };
    }
  | {
      readonly reason: 'RoleNotVerifiable';
      readonly value: string | undefined;
      readonly container: Container;
      readonly variable: string;
    };

/** The account of a namespace. */
export interface HomeAccount {
  readonly accountId: AccountId;
  /** Undefined where no map tells. */
  readonly partition: Partition | undefined;
}

/** Whether a role may be taken in a namespace: its own account's, or a source account's. */
export function roleAllowed(roleArn: string, home: HomeAccount, sourceAccounts: ReadonlySet<string>): boolean {
  const role = parseRoleArn(roleArn);
  if (role === undefined) return false;
  if (sourceAccounts.has(role.accountId)) return true;
  return role.accountId === home.accountId && (home.partition ?? role.partition) === role.partition;
}

/**
 * The variables of a container that may be its role: every spelling of the name wherever the pod may run on Windows, which
 * ignores case. https://learn.microsoft.com/en-us/windows/win32/procthread/environment-variables
 */
export function roleVariables(pod: Pod, { awsVariables }: Container): readonly EnvVar[] {
  let found = none;
  for (const name of roleVariableNames) {
    const variables = awsVariables.all(name, pod.windowsUse !== 'unlikely');
    found = found.length === 0 ? variables : [...found, ...variables];
  }
  return found;
}

/** Whether any of the containers names a role, so that the boundary has something to judge. */
export function namesRole(pod: Pod, containers: readonly Container[]): boolean {
  const ignoreCase = pod.windowsUse !== 'unlikely';
  return containers.some(({ awsVariables }) => roleVariableNames.some(name => awsVariables.has(name, ignoreCase)));
}

/** Names of the containers with an empty `AWS_ROLE_ARN`, which is nobody's role: AWS SDKs fall back to the node's. */
export function emptyRoles({ windows }: Pod, containers: readonly Container[]): readonly string[] {
  return containers
    .filter(({ awsVariables }) => roleVariableNames.some(name => awsVariables.literal(name, windows) === ''))
    .map(({ name }) => name);
}

/** Names of the containers that set `AWS_ROLE_ARN` in another case, in a pod that will hardly run on Windows: nothing reads it. */
export function misspelledRoles({ windowsUse }: Pod, containers: readonly Container[]): readonly string[] {
  if (windowsUse !== 'unlikely') return [];
  return containers
    .filter(({ awsVariables }) => roleVariableNames.some(name => awsVariables.otherSpellings(name).length > 0))
    .map(({ name }) => name);
}

/**
 * Holds every `AWS_ROLE_ARN` of the containers against the namespace's account: each must be a literal role ARN. One by
 * `valueFrom`, or with a reference that kubelet expands, cannot be known at admission.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 * An empty value passes: it takes no role.
 */
export function checkBoundary(
  pod: Pod,
  containers: readonly Container[],
  home: HomeAccount,
  sourceAccounts: ReadonlySet<string>,
): BoundaryProblem | undefined {
  for (const container of containers) {
    for (const { name: variable, value, hasValueFrom } of roleVariables(pod, container)) {
      if (hasValueFrom || value?.includes('$(')) return { reason: 'RoleNotVerifiable', value, container, variable };
      if (value && !roleAllowed(value, home, sourceAccounts)) {
        return { reason: 'RoleOutsideAccount', value, ...home, at: { container, variable } };
      }
    }
  }
  return undefined;
}
