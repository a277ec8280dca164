import type { RoleAccess } from '../../accounts/role-access.ts';
import type { View } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { ruleFor } from '../../admission/rules.ts';
import { stsRegionFor } from '../../aws/sts-region.ts';
import { readTokenSettings } from '../../injection/token-settings.ts';
import { defaultRegionAnnotation } from '../../objects/keys.ts';
import { quote } from '../../objects/quote.ts';
import { podResource, reviewOf } from '../predict/synthetic-review.ts';
import { messageOf, sourceInWords } from '../why/explain.ts';

/** Whose way to a role is verified: that of pods of a ServiceAccount. */
export interface Target {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** How the pods get their role, as they would be injected now. */
export interface ResolvedTarget {
  readonly access: RoleAccess;
  /** In words. */
  readonly roleFrom: string;
  /** Whose STS they call. */
  readonly region: string;
  readonly audience: string;
  /** Undefined where SDKs name their sessions. */
  readonly sessionName: string | undefined;
}

/** Why there is no way to go: pods are denied, get nothing, or start from what only they are given. */
export interface UnresolvedTarget {
  readonly result: 'denied' | 'not managed' | 'unverified';
  readonly reason: string;
  readonly message: string;
}

/** Resolves the role of a plain pod by the decision of admission, with all that it can be denied for. */
export function resolveTarget(target: Target, view: View, config: Config): ResolvedTarget | UnresolvedTarget {
  const { namespace, serviceAccount } = target;
  const object = { spec: { serviceAccountName: serviceAccount, containers: [{ name: 'any' }] } };
  const asked = { namespace, name: 'any', object, called: `pods of ServiceAccount ${quote(serviceAccount)}` };
  const request = reviewOf({ resource: podResource, kind: 'Pod', ...asked });
  const decision = ruleFor('mutate', request).decide(request, view, config);
  const { reason, access, source, accountId } = decision;
  if (decision.verdict === 'deny') {
    if (reason === 'HubRoleMissing') return { result: 'unverified', reason, message: onlyInPods };
    return { result: 'denied', reason, message: messageOf(asked, decision.message()) };
  }
  const found = view.serviceAccount(namespace, serviceAccount);
  if (access === undefined || source === undefined || accountId === undefined || found === undefined) {
    const message = `the webhook injects nothing in namespace ${quote(namespace)}: it is not bound to an account, or opted out`;
    return { result: 'not managed', reason, message };
  }
  return {
    access,
    roleFrom: sourceInWords(source, asked, config),
    region: stsRegionFor(access.role.partition, {
      ofNamespace: view.namespace(namespace)?.annotations.get(defaultRegionAnnotation),
      ofFlag: config.defaultRegion,
    }),
    audience: readTokenSettings(new Map(), found.annotations, config.tokenExpirationSeconds).audience,
    sessionName: config.roleSessionName?.nameFor({ account: accountId, namespace, serviceAccount }),
  };
}

const onlyInPods =
  'there is no hub role, so the first credentials come from EKS Pod Identity, which gives them to pods only: this cannot be verified from here. Run `aws sts get-caller-identity` in a pod; pods that EKS Pod Identity does not serve are denied (HubRoleMissing)';
