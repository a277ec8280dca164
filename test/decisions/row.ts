import type { Endpoint } from '../../src/admission/admit.ts';
import type { Reason, WarningReason } from '../../src/admission/catalogue/reasons.ts';
import type { Outcome } from '../../src/admission/record.ts';
import type { FlagSet } from './flag-sets.ts';
import type { ReviewOptions } from './review.ts';

/** One decision: what is asked of which server, and what must come of it. */
export interface Row {
  /** The sentence of the contract that the row proves, in plain words. Unique: it names the test. */
  readonly proves: string;
  /** Default `mutate`. */
  readonly endpoint?: Endpoint;
  /** Default `plain`. */
  readonly server?: FlagSet;
  readonly review: ReviewOptions;
  readonly reason: Reason;
  readonly outcome: Outcome;
  /** `status.code` of what is not allowed. Default 403. */
  readonly code?: number;
  /** Parts of the message, of a denial or of the warning that it became. */
  readonly says?: readonly string[];
  /** What must stand nowhere in the answer. */
  readonly neverSays?: readonly string[];
  /** Reasons of the warnings, in their order. Default none. */
  readonly warnings?: readonly WarningReason[];
  /** Parts of the object after the patch, by JSON Pointer; undefined: nothing there. */
  readonly after?: Readonly<Record<string, unknown>>;
  readonly accountId?: string;
  readonly roleArn?: string;
}
