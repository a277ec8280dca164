/** Which of the two maps: by account id or by team id. */
export type RoleMapKind = 'account' | 'team';

/** https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/cache/account.go */
export const roleMapNames: Readonly<Record<RoleMapKind, string>> = {
  account: 'ack-role-account-map',
  team: 'ack-role-team-map',
};

/** `.data` of the account map or the team map: key -> role ARN, as it was written. A Map, for a key may be `__proto__`. */
export type RoleMap = ReadonlyMap<string, string>;

/** Reads `.data` of a ConfigMap. Values of another type than string cannot be (the API server refuses them). */
export function readRoleMap(data: unknown): RoleMap {
  if (typeof data !== 'object' || data === null) return new Map();
  return new Map(Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
