import { type RoleAccess, resolveRoleAccess } from '../../accounts/role-access.ts';
import type { View } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { PodReview, readPodOf, resolvePod, reviewPod } from '../../admission/pods/pod-review.ts';
import { ruleFor } from '../../admission/rules.ts';
import { stsRegionFor } from '../../aws/sts-region.ts';
import { readTokenSettings } from '../../injection/token-settings.ts';
import { defaultRegionAnnotation } from '../../objects/keys.ts';
import { quote } from '../../objects/quote.ts';
import { podResource, reviewOf } from '../inject/synthetic-review.ts';
import { messageOf, sourceInWords } from '../why/explain.ts';

/** Whose way to a role is verified: that of pods of a ServiceAccount. */
export interface Target {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** How the pods get to their role, as they would be injected now. */
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

/** Why pods have no role that could be verified: they are denied, or get nothing. */
export interface UnresolvedTarget {
  readonly result: 'denied' | 'not managed';
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
  if (decision.verdict === 'deny') {
    return { result: 'denied', reason: decision.reason, message: messageOf(asked, decision.message()) };
  }
  const podReview = reviewPod(readPodOf(request), namespace, view, config);
  if (!(podReview instanceof PodReview)) {
    const message = `the webhook injects nothing in namespace ${quote(namespace)}: it is not bound to an account, or opted out`;
    return { result: 'not managed', reason: podReview.reason, message };
  }
  const resolved = resolvePod(podReview);
  if (!resolved.ok) throw new TypeError(`a pod was admitted in spite of ${resolved.problem.reason}`);
  const { podRole, serviceAccount: found } = resolved.value;
  const user = { namespace: podReview.namespace, serviceAccountName: serviceAccount, serviceAccount: found };
  const access = resolveRoleAccess(podRole, user, config);
  if (!access.ok) {
    const message = `${asked.called} in namespace ${quote(namespace)}: how they get to their role is not settled (${access.problem.reason})`;
    return { result: 'denied', reason: access.problem.reason, message };
  }
  return {
    access: access.value,
    roleFrom: sourceInWords(podRole.source, asked, config),
    region: stsRegionFor(podRole.role.partition, {
      ofNamespace: podReview.namespace.annotations.get(defaultRegionAnnotation),
      ofFlag: config.defaultRegion,
    }),
    audience: readTokenSettings(new Map(), found.annotations, config.tokenExpirationSeconds).audience,
    sessionName: config.roleSessionName?.nameFor({ account: podRole.accountId, namespace, serviceAccount }),
  };
}
