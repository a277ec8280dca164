import { type Binding, readBinding } from '../../accounts/binding.ts';
import type { FeatureGates } from '../../accounts/feature-gates.ts';
import { managementOf } from '../../accounts/managed-namespace.ts';
import { podKeys, podRoleOf } from '../../accounts/pod-role.ts';
import { type RoleAccessDefaults, resolveRoleAccess } from '../../accounts/role-access.ts';
import type { RoleArn } from '../../accounts/role-arn.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import { roleTakenByToken } from '../../accounts/token-role.ts';
import { credentialsAnnotation, hubRoleArnAnnotation } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { RoleMap } from '../../objects/role-map.ts';
import { bareServiceAccount, type ServiceAccount } from '../../objects/service-account.ts';

/** The part of the config that tells which role pods take. */
export interface RoleSettings extends RoleAccessDefaults {
  readonly ownNamespace: string;
  readonly featureGates: FeatureGates;
  readonly requirePodsKey: boolean;
}

/** A role that pods take by their tokens, and the namespaces that these pods are in. */
export interface TokenRole {
  readonly role: RoleArn;
  readonly namespaces: ReadonlySet<string>;
}

/** Of a role that more namespaces use, these many are told. */
const mostNamespacesOfRole = 1000;

/** Roles that only ServiceAccounts of one namespace name: those of others are to have their turn. */
const mostChosenInNamespace = 20;

/** Whether a ServiceAccount's pods may take another role by their token than those of one that says nothing. */
export function choosesAccess({ annotations }: ServiceAccount): boolean {
  return Boolean(annotations.get(credentialsAnnotation) || annotations.get(hubRoleArnAnnotation));
}

/**
 * Collects the roles that pods take by their tokens: the mapped role, or the hub role in chain mode. What a ServiceAccount requests
 * in place of the mapped role lies in the same account, or in a source account.
 */
export class RolesInUse {
  readonly #settings: RoleSettings;
  readonly #mapOf: (kind: Binding['kind']) => RoleMap | undefined;
  readonly #roles = new Map<string, { readonly role: RoleArn; readonly namespaces: Set<string> }>();
  /** How many roles ServiceAccounts have added, by namespace. */
  readonly #chosen = new Map<string, number>();

  constructor(settings: RoleSettings, mapOf: (kind: Binding['kind']) => RoleMap | undefined) {
    this.#settings = settings;
    this.#mapOf = mapOf;
  }

  /** By ARN. */
  get roles(): ReadonlyMap<string, TokenRole> {
    return this.#roles;
  }

  /** Adds what pods in a namespace take: those of a ServiceAccount that says nothing, or of one that does. */
  add(namespace: Namespace, serviceAccount: ServiceAccount = bareServiceAccount, serviceAccountName = 'default'): void {
    const settings = this.#settings;
    const { ownNamespace, featureGates, requirePodsKey } = settings;
    if (managementOf(namespace, ownNamespace, featureGates) !== 'managed') return;
    const binding = readBinding(namespace.annotations, featureGates);
    if (!binding?.ok) return;
    const mapped = lookUpRole(binding.value, this.#mapOf(binding.value.kind), podKeys(binding.value, requirePodsKey));
    if (!mapped.ok) return;
    const podRole = podRoleOf(mapped.value, undefined, settings);
    if (!podRole.ok) return;
    const access = resolveRoleAccess(podRole.value, { namespace, serviceAccountName, serviceAccount }, settings);
    const role = access.ok ? roleTakenByToken(access.value) : undefined;
    if (role === undefined) return;
    const known = this.#roles.get(role.text);
    if (known === undefined && serviceAccount !== bareServiceAccount) {
      const chosen = this.#chosen.get(namespace.name) ?? 0;
      if (chosen >= mostChosenInNamespace) return;
      this.#chosen.set(namespace.name, chosen + 1);
    }
    const namespaces = known?.namespaces ?? new Set<string>();
    if (namespaces.size < mostNamespacesOfRole) namespaces.add(namespace.name);
    if (known === undefined) this.#roles.set(role.text, { role, namespaces });
  }
}
