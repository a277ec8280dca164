import { type AccountId, isAccountId } from '../../accounts/account-id.ts';
import { podKeys } from '../../accounts/pod-role.ts';
import { lookUpRole } from '../../accounts/role-map.ts';
import type { Config } from '../../admission/config.ts';
import { configFileVariable, roleArnVariable } from '../../injection/credential-variables.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import { injectLabel, modeLabel, ownerAccountIdAnnotation } from '../../objects/keys.ts';
import type { RoleMap } from '../../objects/role-map.ts';

/** An account whose pods get a role by the map and the flags alone; undefined where there is none. */
export function accountWithRole(map: RoleMap, config: Config): AccountId | undefined {
  // Hub roles may all be named by namespaces and ServiceAccounts.
  if (config.credentials === 'chain' && config.hubRoleArn === undefined) return undefined;
  for (const key of map.keys()) {
    const id = key.replace(/^pods\./, '');
    if (!isAccountId(id)) continue;
    const binding = { kind: 'account', id } as const;
    if (lookUpRole(binding, map, podKeys(binding, config.requirePodsKey)).ok) return id;
  }
  return undefined;
}

/** A merge patch that binds the namespace of the check, or unbinds it. In `enforce`, so that a denial is one whatever the default. */
export function bindingPatch(account: AccountId | undefined, isManaged: boolean): JsonObject {
  return {
    metadata: {
      annotations: { [ownerAccountIdAnnotation]: account ?? null },
      labels: { [injectLabel]: isManaged ? 'enabled' : null, [modeLabel]: isManaged ? 'enforce' : null },
    },
  };
}

/** A pod that meets the Pod Security Standard `restricted`. It is never stored. */
export const probePod: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'startup-check' },
  spec: {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: 'probe',
        image: 'carm-webhook/startup-check',
        resources: { requests: { cpu: '1m', memory: '1Mi' }, limits: { cpu: '1m', memory: '1Mi' } },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  },
};

/** Whether the pod that the API server answers with has a role. */
export function isInjected(pod: JsonObject): boolean {
  const spec = isJsonObject(pod['spec']) ? pod['spec'] : {};
  const containers = Array.isArray(spec['containers']) ? spec['containers'] : [];
  return containers.some(container => {
    const env = isJsonObject(container) && Array.isArray(container['env']) ? container['env'] : [];
    return env.some(
      variable => isJsonObject(variable) && [roleArnVariable, configFileVariable].includes(String(variable['name'])),
    );
  });
}

/** What the API server says of a pod of an unbound namespace, once it calls the webhook. */
export function isDeniedAsUnbound(message: string): boolean {
  return message.includes('"pods.carm-webhook.dev" denied the request') && message.includes('(NamespaceNotBound)');
}
