import { ackServices } from '../../accounts/ack-services.ts';
import { podsPrefix } from '../../accounts/pod-role.ts';
import { nearestName } from '../../objects/edit-distance.ts';
import type { RoleMapKind } from '../../objects/role-map.ts';
import type { IgnoredKey } from '../catalogue/warnings.ts';
import { readMapKey } from './map-entries.ts';

const prefixes = [podsPrefix, ...ackServices];
const known: ReadonlySet<string> = new Set(prefixes);

/** Whether a key has a prefix that nobody is known to look up: a typo, or a service that is younger than this release. */
export function hasUnknownPrefix(kind: RoleMapKind, key: string): boolean {
  const prefix = readMapKey(kind, key)?.prefix;
  return prefix !== undefined && !known.has(prefix);
}

/** Keys that are named, and those that are looked at: a map may have ten thousand. */
const mostNamed = 8;
const mostMeasured = 64;

/** Keys such as `pod.111122223333`, which nobody looks up: the prefix was meant to be another. */
export function misspelledMapKeys(kind: RoleMapKind, keys: Iterable<string>): readonly IgnoredKey[] {
  const misspelled: IgnoredKey[] = [];
  let measured = 0;
  for (const key of keys) {
    if (misspelled.length === mostNamed || measured === mostMeasured) break;
    const { prefix, binding } = readMapKey(kind, key) ?? {};
    if (prefix === undefined || binding === undefined || known.has(prefix)) continue;
    measured += 1;
    const meant = nearestName(prefix, prefixes);
    if (meant === undefined) continue;
    misspelled.push({ reason: 'MisspelledKey', key, as: 'key', on: `${kind} map`, meant: `${meant}.${binding.id}` });
  }
  return misspelled;
}
