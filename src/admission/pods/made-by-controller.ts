import { optionalObject, optionalString, requiredObject } from '../../objects/json.ts';
import { readOwnerReferences } from '../../objects/metadata.ts';
import type { AdmissionRequest } from '../review.ts';

/**
 * Kubernetes' controllers that make a workload out of the template of another one, which was answered already.
 * https://github.com/kubernetes/kubernetes/blob/master/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/controller_policy.go
 */
const makers = [
  { owner: 'Deployment', resource: 'replicasets', group: 'apps', controller: 'deployment-controller' },
  { owner: 'CronJob', resource: 'jobs', group: 'batch', controller: 'cronjob-controller' },
] as const;

/**
 * Who all controllers are, where kube-controller-manager runs without `--use-service-account-credentials`.
 * https://kubernetes.io/docs/reference/access-authn-authz/rbac/#controller-roles
 */
const controllerManager = 'system:kube-controller-manager';

/**
 * Whether a request comes from the controller that makes such workloads, for an owner of the kind that it makes them for.
 * Both count: anyone may name any object of theirs as the controller of a workload. Those of other projects (Argo
 * Rollouts, JobSet) are judged, for nobody has seen their templates yet.
 * @throws {MalformedObjectError}
 */
export function isMadeByController({ resource, userInfo, object }: AdmissionRequest): boolean {
  const maker = makers.find(({ group, resource: makes }) => group === resource.group && makes === resource.resource);
  if (maker === undefined) return false;
  const { username } = userInfo;
  if (username !== controllerManager && username !== `system:serviceaccount:kube-system:${maker.controller}`)
    return false;
  const metadata = optionalObject(requiredObject(object, ''), 'metadata', '') ?? {};
  const owners = readOwnerReferences(metadata);
  return owners.some((each, index) => {
    const path = `/metadata/ownerReferences/${index}`;
    const owner = requiredObject(each, path);
    const [group, version] = (optionalString(owner, 'apiVersion', path) ?? '').split('/');
    return owner['controller'] === true && owner['kind'] === maker.owner && group === maker.group && Boolean(version);
  });
}
