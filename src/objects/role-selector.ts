import { type JsonObject, optionalArray, optionalObject, optionalString, requiredObject } from './json.ts';
import { readLabels } from './metadata.ts';
import { checkSize } from './object-size.ts';

type Labels = ReadonlyMap<string, string>;

/** One entry of `resourceTypeSelector`; an empty field matches everything. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/**
 * An IAMRoleSelector.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/apis/core/v1alpha1/iam_role_selector.go
 */
export interface RoleSelector {
  readonly name: string;
  readonly arn: string;
  readonly namespaceNames: readonly string[];
  readonly namespaceLabels: Labels;
  readonly resourceTypes: readonly ResourceType[];
  readonly resourceLabels: Labels;
}

function matchLabels(parent: JsonObject, key: string, path: string): ReadonlyMap<string, string> {
  const selector = optionalObject(parent, key, path);
  return selector === undefined ? new Map() : readLabels(selector, 'matchLabels', `${path}/${key}`);
}

/** Reads an IAMRoleSelector. @throws {MalformedObjectError} */
export function readRoleSelector(object: unknown): RoleSelector {
  const fields = requiredObject(object, '');
  const metadata = optionalObject(fields, 'metadata', '') ?? {};
  const spec = optionalObject(fields, 'spec', '') ?? {};
  const namespaces = optionalObject(spec, 'namespaceSelector', '/spec') ?? {};
  const names = optionalArray(namespaces, 'names', '/spec/namespaceSelector') ?? [];
  const types = optionalArray(spec, 'resourceTypeSelector', '/spec') ?? [];
  checkSize('entries of a selector', names.length + types.length);
  return {
    name: optionalString(metadata, 'name', '/metadata') ?? '',
    arn: optionalString(spec, 'arn', '/spec') ?? '',
    namespaceNames: names.filter(name => typeof name === 'string'),
    namespaceLabels: matchLabels(namespaces, 'labelSelector', '/spec/namespaceSelector'),
    resourceTypes: types.map((item, index) => {
      const path = `/spec/resourceTypeSelector/${index}`;
      const type = requiredObject(item, path);
      const text = (key: string) => optionalString(type, key, path) ?? '';
      return { group: text('group'), version: text('version'), kind: text('kind') };
    }),
    resourceLabels: matchLabels(spec, 'resourceLabelSelector', '/spec'),
  };
}
