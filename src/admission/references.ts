import { type Fields, isFields } from '../injection/fields.ts';
import { sameJson } from './same-json.ts';

/** A reference from a resource to an object of another namespace. */
export interface ForeignReference {
  /** JSON Pointer of the field that names the namespace. */
  readonly path: string;
  readonly namespace: string;
  /** The whole reference: another name in it is another reference. */
  readonly target: unknown;
}

/** Whether two references are one: in the same field, be it at another place of a list, to the same thing. */
export function sameReference(a: ForeignReference, b: ForeignReference): boolean {
  const fieldOf = ({ path }: ForeignReference) => path.replaceAll(/\/[0-9]+(?=\/)/g, '/-');
  return fieldOf(a) === fieldOf(b) && sameJson(a.target, b.target);
}

function namespaceIn(value: unknown): string | undefined {
  return isFields(value) && typeof value['namespace'] === 'string' && value['namespace'] !== ''
    ? value['namespace']
    : undefined;
}

/** `{namespace, name, key}`: https://github.com/aws-controllers-k8s/runtime/blob/main/apis/core/v1alpha1/secret_key_reference.go */
function isSecretKeyReference(fields: Fields): boolean {
  return typeof fields['name'] === 'string' && typeof fields['key'] === 'string';
}

/**
 * The references of a resource's spec that name another namespace: `…Ref.from` and `…Refs[].from` of resource
 * references, references to a key of a Secret, FieldExport's `to`, AdoptedResource's `kubernetes.metadata`. ACK's
 * controllers follow them with rights over the whole cluster.
 * A stack of its own: a spec may be nested deeper than the engine's.
 */
export function foreignReferences(spec: unknown, kind: string, namespace: string): readonly ForeignReference[] {
  const references: ForeignReference[] = [];
  const note = (value: unknown, path: string): void => {
    const named = namespaceIn(value);
    if (named !== undefined && named !== namespace)
      references.push({ path: `${path}/namespace`, namespace: named, target: value });
  };
  if (isFields(spec)) {
    if (kind === 'FieldExport') note(spec['to'], '/spec/to');
    if (kind === 'AdoptedResource' && isFields(spec['kubernetes'])) {
      note(spec['kubernetes']['metadata'], '/spec/kubernetes/metadata');
    }
  }
  const pending: [unknown, string][] = [[spec, '/spec']];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [value, path] = next;
    if (typeof value !== 'object' || value === null) continue;
    if (isFields(value)) {
      if (isSecretKeyReference(value)) note(value, path);
      if (isFields(value['from'])) note(value['from'], `${path}/from`);
    }
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === 'object' && inner !== null) pending.push([inner, `${path}/${key}`]);
    }
  }
  const seen = new Set<string>();
  return references.filter(({ path }) => !seen.has(path) && seen.add(path));
}
