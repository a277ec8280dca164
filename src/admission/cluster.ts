import type { AccountId } from '../accounts/account-id.ts';
import type { TeamId } from '../accounts/team-id.ts';
import type { KeySet } from '../objects/key-set.ts';
import type { Namespace } from '../objects/namespace.ts';
import type { RoleMap, RoleMapKind } from '../objects/role-map.ts';
import type { ResourceType, RoleSelector } from '../objects/role-selector.ts';
import type { ServiceAccount } from '../objects/service-account.ts';
import type { UserInfo } from './review.ts';

/** A stored ACK resource of a service, by its metadata. */
export interface StoredResource {
  readonly group: string;
  /** Every version that the API server has of its kind. */
  readonly versions: readonly string[];
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Of a search that reads the status: where ACK wrote down that it is. */
  readonly recorded?: RecordedPlace;
  /** Of a search that reads the status: the region that an annotation of its own names; for ACK an empty one is one too. */
  readonly region?: string | undefined;
}

/** What ACK wrote into the status of a resource. Neither is checked; undefined for one that ACK did not take up yet. */
export interface RecordedPlace {
  readonly accountId: string | undefined;
  readonly region: string | undefined;
}

/** A question about all ACK resources of services. */
export interface ResourceSearch {
  /** The types that can be wanted; empty for every type. */
  readonly types: readonly ResourceType[];
  /** Only in these namespaces. */
  readonly namespaces: readonly string[];
  /** Only with all of these labels. */
  readonly labels: ReadonlyMap<string, string>;
  /** The labels that `wanted` asks for. Without it, every label is read, and an object may have a hundred thousand. */
  readonly labelKeys?: KeySet;
  readonly wanted: (resource: StoredResource) => boolean;
  /** The search ends when so many are found. */
  readonly atMost: number;
  /** Whether whole objects are read, for what ACK wrote down about them; else only metadata. */
  readonly readsStatus?: boolean;
  /**
   * Resources to find besides, at most `atMost` for each. They do not end the search, and are no answer if it
   * fails.
   */
  readonly besides?: readonly ResourceSearch['wanted'][];
  /** Whether a search that fails or is late has the answer undefined, so that the decision is made without it. */
  readonly advisory?: boolean;
}

/** The API group that stands for accounts and teams in RBAC rules. No API has these resources. */
export const bindGroup = 'carm-webhook.dev';

/** What it takes to bind namespaces to one account or team: verb `bind` on it. */
export interface BindGrant {
  readonly resource: 'accounts' | 'teams';
  /** Undefined for every id, which a rule with `resourceNames` does not grant. */
  readonly id: AccountId | TeamId | undefined;
}

/** `unsure`: not granted, and the API server met an error while it looked. */
export type BindAnswer = 'granted' | 'denied' | 'unsure';

/** What a decision looks up. Every look-up is synchronous; undefined: no such object. */
export interface View {
  namespace(name: string): Namespace | undefined;
  serviceAccount(namespace: string, name: string): ServiceAccount | undefined;
  /** The account map or the team map of an ACK system namespace. */
  roleMap(kind: RoleMapKind, ackSystem: string): RoleMap | undefined;
  /** Every IAMRoleSelector; undefined where the cluster has no such kind. */
  roleSelectors(): readonly RoleSelector[] | undefined;
  namespaces(): Iterable<Namespace>;
  /**
   * Resources that are wanted; undefined where nobody knows without asking, and for an advisory search where nobody could
   * tell. A decision searches once at most, and only when it knows all that `wanted` rests on.
   */
  findResources(search: ResourceSearch): readonly StoredResource[] | undefined;
  /** Whether a user has a grant; undefined where nobody knows without asking. All of a decision are about one user. */
  mayBind(user: UserInfo, grant: BindGrant): BindAnswer | undefined;
}

/** One object that a decision looked up, all of a kind, a search, or what a user may do. */
export type Lookup =
  | { readonly kind: 'Namespace'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'RoleMap'; readonly map: RoleMapKind; readonly ackSystem: string }
  | { readonly kind: 'RoleSelectors' }
  | { readonly kind: 'Namespaces' }
  | { readonly kind: 'Resources'; readonly search: ResourceSearch }
  | { readonly kind: 'BindGrant'; readonly user: UserInfo; readonly grant: BindGrant };

interface LookupResults {
  readonly Namespace: Namespace | undefined;
  readonly ServiceAccount: ServiceAccount | undefined;
  readonly RoleMap: RoleMap | undefined;
  readonly RoleSelectors: readonly RoleSelector[] | undefined;
  readonly Namespaces: readonly Namespace[];
  readonly Resources: readonly StoredResource[] | undefined;
  readonly BindGrant: BindAnswer | undefined;
}

/** What stands for a reference: the object or objects, or undefined when there is none. */
export type LookupResult<R extends Lookup> = LookupResults[R['kind']];

export interface Cluster {
  /** The cache; undefined when nothing may be decided by it (not there yet, or stale). */
  readonly cache: View | undefined;
  /**
   * Reads what a reference stands for as it is now: never from a read that started before this call.
   * @param namespace whose budget of live reads it counts against.
   * @param deadline milliseconds of `performance.now()`.
   * @throws {UnverifiedError} when that could not be done in time or within the budget.
   */
  read<R extends Lookup>(lookup: R, namespace: string, deadline: number): Promise<LookupResult<R>>;
}

/** An error to be thrown when the cluster could not be asked: the review is answered `Unverified`, never guessed. */
export class UnverifiedError extends Error {
  override readonly name = 'UnverifiedError';
  readonly code = 'Unverified';
  /** 429: the budget of live reads is spent. 503: the API server did not answer in time. */
  readonly status: 429 | 503;

  constructor(status: 429 | 503, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}
