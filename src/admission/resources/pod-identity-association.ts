import type { AccountId } from '../../accounts/account-id.ts';
import { type Binding, readBinding } from '../../accounts/binding.ts';
import { isIgnoredByAck } from '../../accounts/managed-namespace.ts';
import { podKeys } from '../../accounts/pod-role.ts';
import { parseRoleArn, type RoleArn } from '../../accounts/role-arn.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import type { RoleMapKind } from '../../objects/role-map.ts';
import { sameJson } from '../../objects/same-json.ts';
import { findRoleOfAck } from '../pods/controller-role.ts';
import { allowedNamespaces } from './references.ts';
import type { ResourceAccountProblem, ResourceReview } from './resource-review.ts';

/** The fields by which an association names a role: pods get the second, by the first, if there is one. */
export type GrantedRoleField = 'roleARN' | 'targetRoleARN';

/** What a PodIdentityAssociation would hand out beyond what is its namespace's. */
export type RoleGrantProblem =
  /** To pods of another namespace. */
  | { readonly reason: 'RoleGrantNotAllowed'; readonly why: 'namespace'; readonly namespace: string }
  /** A role outside the account, or no role. */
  | {
      readonly reason: 'RoleGrantNotAllowed';
      readonly why: 'account';
      readonly field: GrantedRoleField;
      readonly value: string;
      /** The namespace that the role should be of. */
      readonly namespace: string;
      /** Its account; undefined where it is bound to none. */
      readonly accountId: AccountId | undefined;
    }
  /** A role that ACK provisions with. */
  | {
      readonly reason: 'RoleGrantNotAllowed';
      readonly why: 'controllers';
      readonly field: GrantedRoleField;
      readonly value: string;
      readonly map: RoleMapKind;
      readonly ackSystem: string;
    };

interface GrantedRole {
  readonly field: GrantedRoleField;
  readonly value: string;
  /** Undefined for a value of which nobody can say in which account it is. */
  readonly role: RoleArn | undefined;
}

/** The roles that a spec names by their ARNs. What is empty is none for AWS either. */
function grantedRoles(spec: JsonObject): readonly GrantedRole[] {
  return (['roleARN', 'targetRoleARN'] as const).flatMap(field => {
    const value = spec[field];
    return typeof value === 'string' && value !== '' ? [{ field, value, role: parseRoleArn(value) }] : [];
  });
}

/** All that an association says but its tags, which give nobody anything. */
function grantOf(spec: unknown): unknown {
  return isJsonObject(spec) ? { ...spec, tags: undefined } : spec;
}

/** The binding by which pods of a namespace get their role, whatever ACK goes by; undefined where there is none that is valid. */
function bindingOfPods({ view, config }: ResourceReview, namespace: string): Binding | undefined {
  const annotations = isIgnoredByAck(namespace) ? undefined : view.namespace(namespace)?.annotations;
  const binding = annotations === undefined ? undefined : readBinding(annotations, config.featureGates);
  return binding?.ok ? binding.value : undefined;
}

/** The account of a binding: a team's is that of the role of its pods. */
function accountOf(binding: Binding, { view, config }: ResourceReview): AccountId | undefined {
  if (binding.kind === 'account') return binding.id;
  const map = view.roleMap(binding.kind, config.ackSystems[0].namespace);
  const mapped = lookUpRole(binding, map, podKeys(binding, config.requirePodsKey));
  return mapped.ok ? mapped.value.accountId : undefined;
}

/** The roles that are in no account that they may be in. */
function* outsideAccount(
  resourceReview: ResourceReview,
  roles: readonly GrantedRole[],
  podsNamespace: string,
  ofPods: Binding | undefined,
): Generator<RoleGrantProblem | ResourceAccountProblem> {
  const { config, namespace } = resourceReview;
  for (const { field, value, role } of roles) {
    if (role !== undefined && config.sourceAccounts.has(role.accountId)) continue;
    const accountOfPods =
      field === 'targetRoleARN' && ofPods !== undefined ? accountOf(ofPods, resourceReview) : undefined;
    const accountId = accountOfPods ?? resourceReview.accountOfNamespace;
    if (role !== undefined && role.accountId === accountId) continue;
    if (accountId === undefined && role !== undefined) {
      const { account } = resourceReview;
      if (account !== undefined && !account.ok) {
        yield account.problem;
        continue;
      }
      // ACK works in its controllers' own account here. It can only pass on that account's roles: a role in another one is a target.
      // https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html
      if (field === 'roleARN') continue;
    }
    const of = accountOfPods === undefined ? namespace.name : podsNamespace;
    yield { reason: 'RoleGrantNotAllowed', why: 'account', field, value, namespace: of, accountId };
  }
}

/**
 * What is wrong with the roles that a PodIdentityAssociation gives to pods. EKS asks nobody else: whoever may write the
 * resource could have ACK give every role that it may pass on to the pods of any namespace. Which cluster it is for is
 * not known to be ours: the same rule holds for all.
 * A changed association is judged like a new one. Roles by `…Ref` are references, and judged as such.
 * https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html
 */
export function* roleGrantProblems(
  resourceReview: ResourceReview,
): Generator<RoleGrantProblem | ResourceAccountProblem> {
  const { request, resource, old, view, config, namespace } = resourceReview;
  if (request.kind !== 'PodIdentityAssociation' || request.resource.group !== 'eks.services.k8s.aws') return;
  const { spec } = resource;
  if (!isJsonObject(spec) || (old !== undefined && sameJson(grantOf(spec), grantOf(old.spec)))) return;
  const named = spec['namespace'];
  const podsNamespace = typeof named === 'string' ? named : namespace.name;
  if (podsNamespace !== namespace.name && !allowedNamespaces(namespace.name, config).has(podsNamespace)) {
    yield { reason: 'RoleGrantNotAllowed', why: 'namespace', namespace: podsNamespace };
    return;
  }
  const roles = grantedRoles(spec);
  if (roles.length === 0) return;
  const binding = bindingOfPods(resourceReview, podsNamespace);
  if (config.requirePodsKey) {
    const parsed = roles.flatMap(({ role, field, value }) =>
      role === undefined ? [] : [{ role, at: { field, value } }],
    );
    const found = findRoleOfAck(parsed, binding, view, config);
    if (found !== undefined) {
      const { kind: map, ackSystem, named: which } = found;
      yield { reason: 'RoleGrantNotAllowed', why: 'controllers', ...which.at, map, ackSystem };
    }
  }
  yield* outsideAccount(resourceReview, roles, podsNamespace, binding);
}
