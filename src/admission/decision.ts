import type { AccountId } from '../accounts/account-id.ts';
import type { RoleSource } from '../accounts/pod-role.ts';
import type { RoleArn } from '../accounts/role-arn.ts';
import type { Addition } from '../objects/json-patch.ts';
import type { Reason } from './catalogue/reasons.ts';
import type { Warning } from './catalogue/warnings.ts';

/** What was decided on one object, before the namespace's mode has its say. */
export interface Decision {
  readonly verdict: 'allow' | 'mutate' | 'deny';
  readonly reason: Reason;
  /** The namespace's account, the role and where it came from, as far as the decision got. */
  readonly accountId?: AccountId;
  readonly role?: RoleArn;
  readonly source?: RoleSource;
  /** Only with the verdict `mutate`. */
  readonly patch?: readonly Addition[];
  readonly warnings?: readonly Warning[];
  /** Only with the verdict `deny`: what is wrong, who can fix it and how. */
  readonly message?: string;
  /** The message as the log may hold it, where that is another: without the value of an environment variable. */
  readonly loggedMessage?: string;
  /** Only with the verdict `deny`: it is never more than a warning, whatever the mode. */
  readonly advisory?: boolean;
  /** Only with the verdict `deny`: the namespace's mode has no say. */
  readonly ignoresMode?: boolean;
  /**
   * Whether other state of the cluster could make it another decision for the worse of the user: then it is not
   * spoken before that state was read again. (A role that was just replaced is another matter: the cache may be as old
   * as the watch.)
   */
  readonly confirmLive: boolean;
}
