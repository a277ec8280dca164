import type { DenialReason, Reason } from './catalogue/reasons.ts';
import type { View } from './cluster.ts';
import type { Config } from './config.ts';
import type { Allowed, Denied, Mutated } from './decision.ts';
import type { Endpoint, WebhookEntry } from './record.ts';
import type { AdmissionRequest, Operation } from './review.ts';

/** In place of a group: `services.k8s.aws` and the groups of ACK's services. A webhook configuration must list them. */
export const everyAckGroup = '*.services.k8s.aws';

/** Requests that a rule decides on, in the words of a webhook configuration. */
export interface RuleMatch {
  readonly group: string;
  /** `*` for each that no other rule names. */
  readonly resource: string;
  readonly subResource?: string;
  readonly operations: readonly Operation[];
  /** The kind in manifests; left out where there are many. */
  readonly kind?: string;
  /** The fields that lead to a pod template, in a kind that has one. */
  readonly template?: readonly string[];
}

/** What a rule can give, besides what the failure of any review is answered with. */
export interface RuleReasons {
  readonly allow: readonly Reason[];
  readonly mutate: readonly Reason[];
  readonly deny: readonly DenialReason[];
  /** Denials that are given only where the mode softens them. */
  readonly soften?: readonly DenialReason[];
}

/** A decision by one of the reasons that are declared for its verdict. */
export type DecisionBy<R extends RuleReasons> =
  | Allowed<R['allow'][number]>
  | Mutated<R['mutate'][number]>
  | Denied<R['deny'][number]>
  | (R['soften'] extends readonly DenialReason[] ? Denied<R['soften'][number]> : never);

/** What decides on one kind of object, at one endpoint. */
export interface Rule<R extends RuleReasons = RuleReasons> {
  readonly webhook: WebhookEntry | 'unknown';
  readonly endpoint: Endpoint;
  readonly matches: readonly RuleMatch[];
  readonly reasons: R;
  readonly decide: (request: AdmissionRequest, view: View, config: Config) => DecisionBy<R>;
  /** The decision when the cluster could not be asked; without one, the review is denied as `Unverified`. */
  readonly unverified?: (
    request: AdmissionRequest,
    config: Config,
    words: string,
  ) => DecisionBy<R> | Denied<'Unverified'> | undefined;
  /** Nobody is held up for it: what it cannot verify, or is too large for it, is a warning. */
  readonly advisory?: boolean;
  /** Its warnings are about the pods that the object makes. */
  readonly warnsOfPods?: boolean;
}

/** A rule, held to the reasons that it declares: a decision by another one does not compile. */
export function defineRule<const R extends RuleReasons>(rule: Rule<R>): Rule {
  return rule;
}
