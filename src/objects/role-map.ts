import type { JsonObject } from './json.ts';
import { readData } from './metadata.ts';

/** Which of the two maps: by account id or by team id. */
export type RoleMapKind = 'account' | 'team';

/** https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/cache/account.go */
export const roleMapNames: Readonly<Record<RoleMapKind, string>> = {
  account: 'ack-role-account-map',
  team: 'ack-role-team-map',
};

/** `.data` of the account map or the team map: key -> role ARN, as it was written. A Map, for a key may be `__proto__`. */
export type RoleMap = ReadonlyMap<string, string>;

/** Reads the map of a ConfigMap. @throws {MalformedObjectError | ObjectTooLargeError} */
export function readRoleMap(configMap: JsonObject): RoleMap {
  return readData(configMap);
}
