import { ackSystemOf } from '../accounts/ack-system.ts';
import type { UserInfo } from './review.ts';
import type { Rules } from './rules.ts';

/** Who sends a request: a user name, or with `prefix` every one that starts so (the sessions of an assumed role). */
export interface Identity {
  readonly username: string;
  readonly prefix: boolean;
}

const serviceAccountForm = /^(?:system:serviceaccount:)?([a-z0-9-]{1,63})[:/]([a-z0-9.-]{1,253})$/;
const assumedRoleForm = /^arn:[a-z-]+:sts::[0-9]{12}:assumed-role\/[\w+=,.@-]+\/$/;

/** What `parseIdentity` takes, for messages. */
export const identityForms =
  'NAMESPACE/NAME of a ServiceAccount, or arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/ with the slash at its end';

/**
 * Reads an identity: `NAMESPACE/NAME` or `system:serviceaccount:NAMESPACE:NAME`, matched exactly; or the sessions of an
 * assumed role, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/`: the slash keeps `ROLE-evil` out.
 * @returns undefined for anything else.
 */
export function parseIdentity(text: string): Identity | undefined {
  const [, namespace, name] = serviceAccountForm.exec(text) ?? [];
  if (namespace !== undefined && name !== undefined) {
    return { username: `system:serviceaccount:${namespace}:${name}`, prefix: false };
  }
  return assumedRoleForm.test(text) ? { username: text, prefix: true } : undefined;
}

export function isOneOf({ username }: UserInfo, identities: readonly Identity[]): boolean {
  return identities.some(identity =>
    identity.prefix ? username.startsWith(identity.username) : username === identity.username,
  );
}

const ackControllerForm = /^system:serviceaccount:([^:]+):ack-([a-z0-9]+)-controller$/;

/**
 * Whether a user is one of ACK's controllers: the ServiceAccount that ACK's charts make for a service, in the ACK system
 * namespace that serves it, or one of `--ack-identities`. Both parts count: anyone may name a ServiceAccount of his own
 * namespace like ACK's.
 * https://github.com/aws-controllers-k8s/s3-controller/blob/main/helm/values.yaml (serviceAccount.name)
 */
export function isAckController(user: UserInfo, rules: Rules): boolean {
  const [, namespace, alias] = ackControllerForm.exec(user.username) ?? [];
  if (namespace !== undefined && alias !== undefined && ackSystemOf(rules.ackSystems, alias).namespace === namespace) {
    return true;
  }
  return isOneOf(user, rules.ackIdentities);
}

const namespaceController = 'system:serviceaccount:kube-system:namespace-controller';

/** The controller that empties and finalizes a namespace that is being deleted. */
export function isNamespaceController({ username }: UserInfo): boolean {
  return username === namespaceController;
}

/** Kubernetes' own controllers that delete: nothing of ours may hold them up. */
const deletingControllers: ReadonlySet<string> = new Set([
  'system:serviceaccount:kube-system:generic-garbage-collector',
  namespaceController,
]);

export function isDeletingController({ username }: UserInfo): boolean {
  return deletingControllers.has(username);
}
