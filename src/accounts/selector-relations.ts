import type { KeyedStrings } from '../objects/keys.ts';
import type { ResourceType, RoleSelector } from '../objects/role-selector.ts';
import { hasLabels } from './role-selector.ts';

/** What two selectors are to one another, whatever resources there are. */

type Labels = ReadonlyMap<string, string>;

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-metadata-name */
const namespaceNameLabel = 'kubernetes.io/metadata.name';

function compatible(a: Labels, b: Labels): boolean {
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other !== undefined && other !== value) return false;
  }
  return true;
}

const typeFields = ['group', 'version', 'kind'] as const;

/** Which fields of a type say something, a bit each. */
function maskOf(type: ResourceType): number {
  return typeFields.reduce((mask, field, bit) => (type[field] === '' ? mask : mask | (1 << bit)), 0);
}

function keyOf(type: ResourceType, mask: number): string {
  return JSON.stringify(typeFields.filter((_, bit) => mask & (1 << bit)).map(field => type[field]));
}

/**
 * Whether some type is one of both lists. Two types meet where the fields agree that both name; a list has eight combinations
 * of named fields at most, so this takes time linear in both: a selector may list thousands.
 */
function typesMeet(a: readonly ResourceType[], b: readonly ResourceType[]): boolean {
  if (a.length === 0 || b.length === 0) return true;
  const ofB = Map.groupBy(b, maskOf);
  const keysOfB = new Map<string, ReadonlySet<string>>();
  return a.some(type => {
    const mask = maskOf(type);
    return [...ofB].some(([maskOfB, types]) => {
      const common = mask & maskOfB;
      const place = `${maskOfB} ${common}`;
      const keys = keysOfB.get(place) ?? new Set(types.map(other => keyOf(other, common)));
      keysOfB.set(place, keys);
      return keys.has(keyOf(type, common));
    });
  });
}

/**
 * Whether some resource could be matched by both: then ACK stops at it, even if both name the same role. Two selectors
 * are apart when no namespace name, no type or no value of a common label can fit both.
 * @param labelsOf the labels of a namespace that is known, for selectors that name namespaces.
 */
export function selectorsOverlap(
  a: RoleSelector,
  b: RoleSelector,
  labelsOf: (namespace: string) => KeyedStrings<never> | undefined,
): boolean {
  if (!typesMeet(a.resourceTypes, b.resourceTypes) || !compatible(a.resourceLabels, b.resourceLabels)) return false;
  const names = a.namespaceNames.length > 0 ? a.namespaceNames : b.namespaceNames;
  if (names.length === 0) return compatible(a.namespaceLabels, b.namespaceLabels);
  const ofB = new Set(b.namespaceNames);
  return names.some(name => {
    if (ofB.size > 0 && !ofB.has(name)) return false;
    const labels = labelsOf(name);
    if (labels === undefined) {
      // A namespace that is not there yet may get any labels but one, which is its name.
      const own = new Map([[namespaceNameLabel, name]]);
      const fits = [a, b].every(({ namespaceLabels }) => compatible(own, namespaceLabels));
      return fits && compatible(a.namespaceLabels, b.namespaceLabels);
    }
    return hasLabels(labels, a.namespaceLabels) && hasLabels(labels, b.namespaceLabels);
  });
}

function typeKey(group: string, version: string, kind: string): string {
  return JSON.stringify([group, version, kind]);
}

/** Whether every type is one of the wide ones, or a part of one. In time linear in both: a selector may list thousands. */
function typesCover(wide: readonly ResourceType[], narrow: readonly ResourceType[]): boolean {
  const keys = new Set(wide.map(({ group, version, kind }) => typeKey(group, version, kind)));
  return narrow.every(type =>
    [type.group, ''].some(group =>
      [type.version, ''].some(version => [type.kind, ''].some(kind => keys.has(typeKey(group, version, kind)))),
    ),
  );
}

/** Whether a selector matches, by what is written in both alone, all that another one matches. */
export function selectorCovers(wide: RoleSelector, narrow: RoleSelector): boolean {
  const names = new Set(wide.namespaceNames);
  const coversNames =
    names.size === 0 || (narrow.namespaceNames.length > 0 && narrow.namespaceNames.every(name => names.has(name)));
  const coversTypes =
    wide.resourceTypes.length === 0 ||
    (narrow.resourceTypes.length > 0 && typesCover(wide.resourceTypes, narrow.resourceTypes));
  return (
    coversNames &&
    coversTypes &&
    hasLabels(narrow.namespaceLabels, wide.namespaceLabels) &&
    hasLabels(narrow.resourceLabels, wide.resourceLabels)
  );
}
