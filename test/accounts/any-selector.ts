import fc from 'fast-check';
import type { SelectedResource } from '../../src/accounts/role-selector.ts';
import type { ResourceType, RoleSelector } from '../../src/objects/role-selector.ts';

/** Selectors to write in a table, and any. */

export const labelMap = (strings: Readonly<Record<string, string>> = {}) => new Map(Object.entries(strings));
export const type = (group: string, version: string, kind: string): ResourceType => ({ group, version, kind });

export function selector(parts: Partial<RoleSelector> = {}): RoleSelector {
  return {
    name: 's',
    arn: 'arn:aws:iam::111111111111:role/r',
    namespaceNames: [],
    namespaceLabels: labelMap(),
    resourceTypes: [],
    resourceLabels: labelMap(),
    ...parts,
  };
}

const word = fc.constantFrom('a', 'b', 'A');
const key = fc.constantFrom('x', 'y', 'kubernetes.io/metadata.name');
const labels = fc.array(fc.tuple(key, fc.constantFrom('a', 'b', '')), { maxLength: 2 }).map(items => new Map(items));
const part = fc.constantFrom('', '', 'g', 'h');
const types = fc.oneof(
  fc.constant([]),
  fc.array(fc.record({ group: part, version: part, kind: part }), { maxLength: 2 }),
);
const someLabels = fc.oneof(fc.constant(new Map<string, string>()), labels);
export const anySelector: fc.Arbitrary<RoleSelector> = fc.record({
  name: fc.constant('s'),
  arn: fc.constant('arn:aws:iam::111111111111:role/r'),
  namespaceNames: fc.array(word, { maxLength: 2 }),
  namespaceLabels: someLabels,
  resourceTypes: types,
  resourceLabels: someLabels,
});
/** Labels by name. Every namespace has the label of its own name. */
export const anyNamespaces = fc.tuple(labels, labels, labels).map(each => {
  const names = ['a', 'b', 'A'];
  return new Map(
    each.map((own, index) => {
      const name = names[index] ?? '';
      return [name, new Map([...own, ['kubernetes.io/metadata.name', name]])] as const;
    }),
  );
});

const named = fc.constantFrom('g', 'h', 'i');
/** Namespaces, and a resource in one of them. */
export const inNamespaces = fc
  .tuple(anyNamespaces, word, named, named, named, labels)
  .map(([namespaces, namespace, group, version, kind, own]) => {
    const one: SelectedResource = {
      group,
      version,
      kind,
      namespace,
      namespaceLabels: namespaces.get(namespace) ?? new Map(),
      labels: own,
    };
    return { namespaces, one };
  });
