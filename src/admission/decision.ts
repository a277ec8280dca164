import type { AccountId } from '../accounts/account-id.ts';
import type { RoleSource } from '../accounts/pod-role.ts';
import type { RoleAccess } from '../accounts/role-access.ts';
import type { RoleArn } from '../accounts/role-arn.ts';
import type { Addition } from '../objects/json-patch.ts';
import type { Reason } from './catalogue/reasons.ts';
import type { Warning } from './catalogue/warnings.ts';

interface Decided<V extends string, R extends Reason> {
  readonly verdict: V;
  readonly reason: R;
  /** The namespace's account, the role and where it came from, as far as the decision got. */
  readonly accountId?: AccountId | undefined;
  readonly role?: RoleArn | undefined;
  readonly source?: RoleSource;
  /** How a pod gets its role. */
  readonly access?: RoleAccess;
  /** Whom the pod's containers present their tokens to: the account, and the audience of the tokens. */
  readonly tokenFor?: { readonly accountId: AccountId; readonly audience: string } | undefined;
  readonly warnings?: readonly Warning[];
  /**
   * Whether other state of the cluster could make it another decision for the worse of the user: then it is not
   * spoken before that state was read again. (A role that was just replaced is another matter: the cache may be as old
   * as the watch.)
   */
  readonly confirmLive: boolean;
  /**
   * Nobody is held up for what could not be verified: without the cluster, the decision by the cache is spoken. A denial is
   * never more than a warning then, whatever the mode.
   */
  readonly advisory?: boolean;
}

export type Allowed<R extends Reason = Reason> = Decided<'allow', R>;

export interface Mutated<R extends Reason = Reason> extends Decided<'mutate', R> {
  readonly patch: readonly Addition[];
}

export interface Denied<R extends Reason = Reason> extends Decided<'deny', R> {
  /** What is wrong, who can fix it and how. Composed when it is spoken, as most denials by the cache never are. */
  readonly message: () => string;
  /** The message as the log may hold it, where that is another: without the value of an environment variable. */
  readonly loggedMessage?: () => string;
  /** The account of a role ARN that the object names, and that is not the namespace's. */
  readonly foreignAccountId?: AccountId | undefined;
  /** The namespace's mode has no say. */
  readonly ignoresMode?: boolean;
}

/** What was decided on one object, before the namespace's mode has its say. */
export type Decision = Allowed | Mutated | Denied;

type Details = Partial<Omit<Allowed, 'verdict' | 'reason'>>;

export function allow<R extends Reason>(reason: R, details?: Details): Allowed<R> {
  return { verdict: 'allow', reason, confirmLive: false, ...details };
}

export function mutate<R extends Reason>(reason: R, patch: readonly Addition[], details?: Details): Mutated<R> {
  return { verdict: 'mutate', reason, patch, confirmLive: false, ...details };
}
