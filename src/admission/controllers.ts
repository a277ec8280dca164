import { ackSystemsOf } from '../accounts/ack-system.ts';
import type { Config } from './config.ts';
import { isOneOf } from './identity.ts';
import type { UserInfo } from './review.ts';

const ackControllerForm = /^system:serviceaccount:([^:]+):ack-([a-z0-9]+)-controller$/;

/**
 * Whether a user is one of ACK's controllers: the ServiceAccount that ACK's charts make for a service, in an ACK system
 * namespace that serves it, or one of `--ack-identities`. Both parts count: anyone may name a ServiceAccount of their own
 * namespace like ACK's.
 * https://github.com/aws-controllers-k8s/s3-controller/blob/main/helm/values.yaml (serviceAccount.name)
 */
export function isAckController(user: UserInfo, config: Config): boolean {
  const [, namespace, alias] = ackControllerForm.exec(user.username) ?? [];
  const serving = alias === undefined ? [] : ackSystemsOf(config.ackSystems, alias);
  return serving.some(system => system.namespace === namespace) || isOneOf(user, config.ackIdentities);
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
