import type { AccountId } from '../../accounts/account-id.ts';
import type { Binding } from '../../accounts/binding.ts';
import { type RoleMapKind, roleMapNames } from '../../objects/role-map.ts';

/** What the words of a denial need to know besides the problem. */
export interface MessageContext {
  readonly namespace: string;
  readonly serviceAccountName: string;
  readonly binding: Binding | undefined;
  readonly ackSystemNamespace: string;
  /** Whether team ids bind. */
  readonly teamLevelCarm: boolean;
  /** The pod's `carm-webhook.dev/role-arn`, which a copied pod still has. */
  readonly roleArnAnnotation: string | undefined;
}

/**
 * Which mode softens a denial: that of the namespace; `--default-mode` alone, where the label is in the hands of whoever it
 * would free; or none.
 */
export type Softening = 'namespace' | 'default' | 'nothing';

/** Who can fix it: the user with what they may edit, or those who run the cluster. */
export type FixedBy = 'you' | 'platform team';

export interface Denial<P> {
  /** For `docs/reasons.md`: what is wrong, in general. */
  readonly cause: string;
  readonly fixedBy: FixedBy;
  /** For `docs/reasons.md`: what fixes it, in general. */
  readonly remedy: string;
  /** Default `namespace`. By the object where a pod that is created and something else can have the same problem. */
  readonly softenedBy?: Softening | { readonly pod: Softening; readonly others: Softening };
  /** The words for one case. No value that a user wrote stands unquoted in them. */
  readonly say: (problem: P, at: MessageContext) => Words;
  /** The same problem without the value of an environment variable, for the log: it may hold a secret. */
  readonly redact?: (problem: P) => P;
  /** The account of a role ARN that should not be there, for the log: whoever watches it looks for reaches into other accounts. */
  readonly foreignAccount?: (problem: P) => AccountId | undefined;
}

/** What stands in the log where a message holds the value of an environment variable. */
export const redactedValue = '(not logged)';

/** The denial of one reason, out of a union of problems: also where a problem has one of several reasons. */
export type DenialOf<P extends { readonly reason: string }, R extends string> = Denial<
  P extends { readonly reason: infer Q } ? (R extends Q ? P : never) : never
>;

/** What is wrong, and what fixes it; `fixedBy` where somebody else than the entry says can fix this case. */
export interface Words {
  readonly wrong: string;
  readonly remedy: string;
  /** What to paste; left out when the message has no room for it whole. */
  readonly command?: string | undefined;
  readonly fixedBy?: FixedBy;
}

/** Where an annotation stands, if not in the object's own metadata. */
export function inside(within: string | undefined): string {
  return within === undefined ? '' : ` in ${within}`;
}

/** How messages name a map. */
export function mapName(map: RoleMapKind, at: MessageContext): string {
  return `ConfigMap ${at.ackSystemNamespace}/${roleMapNames[map]}`;
}
