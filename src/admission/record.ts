/** What became of one review: what metrics count and logs say. No token and no body is in it, and an env value in `message` alone. */

import type { AccountId } from '../accounts/account-id.ts';
import type { Reason, WarningReason } from './catalogue/reasons.ts';

/** What became of a review. `decision` in the audit annotations is what was decided; the outcome is what the user met. */
export const outcomes = ['allowed', 'mutated', 'denied', 'warned', 'audited', 'error'] as const;
export type Outcome = (typeof outcomes)[number];

/** The webhook entries of the two configurations, as kubectl prints them. */
export const webhookEntries = [
  'pods.carm-webhook.dev',
  'namespaces.carm-webhook.dev',
  'workloads.carm-webhook.dev',
  'resources.carm-webhook.dev',
  'status.carm-webhook.dev',
  'maps.carm-webhook.dev',
  'selectors.carm-webhook.dev',
  'keys.carm-webhook.dev',
] as const;
export type WebhookEntry = (typeof webhookEntries)[number];

/**
 * The paths that the webhook configurations name. `/keys` is a path of its own because it sees what `/validate` sees as well, and
 * a review does not say which entry it comes from.
 */
export const endpoints = ['mutate', 'validate', 'keys'] as const;
export type Endpoint = (typeof endpoints)[number];

export interface ReviewRecord {
  /** `unknown` for a resource that none of our webhook entries sends. */
  readonly webhook: WebhookEntry | 'unknown';
  readonly endpoint: Endpoint;
  readonly operation: string;
  readonly outcome: Outcome;
  readonly reason: Reason;
  readonly warnings: readonly WarningReason[];
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly kind: string;
  readonly dryRun: boolean;
  /** Who asks. */
  readonly user: string;
  readonly accountId: string | undefined;
  /** The account of a role ARN that is not in the namespace's account. */
  readonly foreignAccountId: AccountId | undefined;
  readonly roleArn: string | undefined;
  /** The denial's message, also where the mode softened it. */
  readonly message: string | undefined;
  /** The same for the log, which holds no value of an environment variable. */
  readonly loggedMessage: string | undefined;
  /** Whether the denial is never more than a warning, whatever the mode. */
  readonly advisory: boolean;
  /** What an unexpected exception said; only with reason `InternalError`. */
  readonly error: unknown;
}
