import type { RoleMap, RoleMapKind } from '../accounts/role-map.ts';
import type { Namespace } from '../accounts/served-namespace.ts';

export interface ServiceAccount {
  readonly annotations: ReadonlyMap<string, string>;
}

/** What a decision looks up. Every look-up is synchronous; undefined: no such object. */
export interface View {
  namespace(name: string): Namespace | undefined;
  serviceAccount(namespace: string, name: string): ServiceAccount | undefined;
  /** The maps of the ACK system namespace that pods use. */
  roleMap(kind: RoleMapKind): RoleMap | undefined;
}

/** One object that a decision looked up. */
export type Reference =
  | { readonly kind: 'Namespace'; readonly name: string }
  | { readonly kind: 'ServiceAccount'; readonly namespace: string; readonly name: string }
  | { readonly kind: 'RoleMap'; readonly map: RoleMapKind };

/** What stands for a reference: the object, or undefined when it does not exist. */
export type Referent<R extends Reference> = R extends { kind: 'Namespace' }
  ? Namespace | undefined
  : R extends { kind: 'ServiceAccount' }
    ? ServiceAccount | undefined
    : RoleMap | undefined;

/** What admission asks of the cluster. */
export interface Cluster {
  /** What is remembered; undefined when nothing may be decided by it (not there yet, or stale). */
  readonly memory: View | undefined;
  /**
   * Reads one object as it is now: never from a read that started before this call.
   * @param namespace whose budget of live reads it counts against.
   * @param deadline milliseconds of `performance.now()`.
   * @throws {UnverifiedError} when that could not be done in time or within the budget.
   */
  read<R extends Reference>(reference: R, namespace: string, deadline: number): Promise<Referent<R>>;
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
