import { serviceAliasOf } from '../../accounts/ack-service.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import { ApiProtocolError } from './api-errors.ts';
import { isFilledString } from './api-object.ts';
import { apiPaths } from './api-requests.ts';

/** A kind of an ACK service that the API server has. */
export interface AckKind {
  readonly group: string;
  /** The one to list it by comes first. */
  readonly versions: readonly [string, ...string[]];
  readonly kind: string;
  /** Its plural, as paths have it. */
  readonly resource: string;
}

/** GET of a path; undefined where there is no such group or version any more. */
export type Discover = (path: string) => Promise<JsonObject | undefined>;

function objectsIn(parent: JsonObject, key: string, path: string): readonly JsonObject[] {
  const items = parent[key];
  // Go writes an empty list as null.
  if (items === null) return [];
  if (!Array.isArray(items)) throw new ApiProtocolError(`the answer to ${path} has no ${key}`);
  return items.filter(isJsonObject);
}

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

/** The versions of ACK's services, of each group the preferred one first. */
function versionsIn(groups: readonly JsonObject[], wants: (group: string) => boolean): readonly GroupVersion[] {
  return groups.flatMap(item => {
    const { name: group, preferredVersion, versions } = item;
    if (!isFilledString(group) || serviceAliasOf(group) === undefined || !wants(group)) return [];
    const all = [preferredVersion, ...(Array.isArray(versions) ? versions : [])];
    const names = all.map(version => (isJsonObject(version) ? version['version'] : undefined)).filter(isFilledString);
    return Array.from(new Set(names), version => ({ group, version }));
  });
}

/**
 * The kinds of ACK's services that an API server has, by its discovery.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#unaggregated-discovery
 * @param wants of which groups; those of another are not asked for.
 * @throws {ApiProtocolError} and what `discover` throws.
 */
export async function discoverAckKinds(
  discover: Discover,
  wants: (group: string) => boolean = () => true,
): Promise<readonly AckKind[]> {
  const root = await discover(apiPaths.groups);
  if (root === undefined) throw new ApiProtocolError('there is no answer to /apis');
  const found = new Map<string, AckKind & { readonly versions: [string, ...string[]] }>();
  const read = versionsIn(objectsIn(root, 'groups', apiPaths.groups), wants).map(async ({ group, version }) => {
    const path = apiPaths.groupVersion(group, version);
    const document = await discover(path);
    return { group, version, items: document === undefined ? [] : objectsIn(document, 'resources', path) };
  });
  for (const { group, version, items } of await Promise.all(read)) {
    for (const { name: resource, kind } of items) {
      // `buckets/status` is no resource of its own.
      if (!isFilledString(resource) || !isFilledString(kind) || resource.includes('/')) continue;
      const key = `${group}/${resource}`;
      const known = found.get(key);
      if (known === undefined) found.set(key, { group, versions: [version], kind, resource });
      else known.versions.push(version);
    }
  }
  return [...found.values()];
}
