import { isJsonObject, type JsonObject, pointerSegment } from '../../objects/json.ts';
import type { Config } from '../config.ts';

/** The other namespaces to which resources of a namespace may refer. */
export function allowedNamespaces(
  namespace: string,
  { crossNamespaceReferences }: Pick<Config, 'crossNamespaceReferences'>,
): ReadonlySet<string> {
  return new Set(crossNamespaceReferences.filter(({ from }) => from === '*' || from === namespace).map(({ to }) => to));
}

export interface CrossNamespaceReference {
  readonly namespace: string;
  /** JSON Pointer of the field that names the namespace. Made when it is asked for: there may be thousands. */
  readonly path: string;
  /** The same for the same thing in the same field, be it at another place of a list. */
  readonly identity: string;
}

/** A value in a spec, and the way to it. */
interface Node {
  readonly value: unknown;
  readonly key: string;
  /** The name of the field that it is in: `subnetRefs` for what `subnetRefs[1].from` holds. */
  readonly field: string;
  readonly parent: Node | undefined;
}

function pathOf(node: Node): string {
  const segments: string[] = [];
  for (let at: Node | undefined = node; at !== undefined; at = at.parent) segments.push(pointerSegment(at.key));
  return `/${segments.reverse().join('/')}`;
}

class FoundReference implements CrossNamespaceReference {
  readonly namespace: string;
  readonly identity: string;
  readonly #node: Node;

  constructor(node: Node, target: JsonObject, namespace: string) {
    const { kind, name, key } = target;
    this.namespace = namespace;
    // What is no string ACK could not read; a list may be nested deeper than the engine's stack.
    const parts = [kind, name, key].map(part => (typeof part === 'string' ? part : null));
    this.identity = JSON.stringify([node.field, namespace, ...parts]);
    this.#node = node;
  }

  get path(): string {
    return `${pathOf(this.#node)}/namespace`;
  }
}

/** `{namespace, name, key}`: https://github.com/aws-controllers-k8s/runtime/blob/main/apis/core/v1alpha1/secret_key_reference.go */
function isSecretKeyReference(fields: JsonObject): boolean {
  return typeof fields['name'] === 'string' && typeof fields['key'] === 'string';
}

/** Whether a value is a reference by where it stands: FieldExport's `to`, AdoptedResource's `kubernetes.metadata`, `from`. */
function isReferenceByPlace({ key, parent }: Node, kind: string): boolean {
  if (key === 'from') return true;
  if (kind === 'FieldExport') return key === 'to' && parent?.parent === undefined;
  return kind === 'AdoptedResource' && key === 'metadata' && parent?.key === 'kubernetes' && !parent.parent?.parent;
}

/** Whether anything in a spec names another namespace at all: most have nothing of the kind, and this costs little. */
function namesAnother(spec: unknown, namespace: string): boolean {
  const pending: unknown[] = [spec];
  while (pending.length > 0) {
    const value = pending.pop();
    if (Array.isArray(value)) {
      for (const item of value) if (typeof item === 'object' && item !== null) pending.push(item);
    } else if (isJsonObject(value)) {
      const named = value['namespace'];
      if (typeof named === 'string' && named !== '' && named !== namespace) return true;
      for (const key in value) {
        const inner = value[key];
        if (typeof inner === 'object' && inner !== null) pending.push(inner);
      }
    }
  }
  return false;
}

/**
 * The references of a resource's spec that name another namespace: `…Ref.from` and `…Refs[].from` of resource
 * references, references to a key of a Secret, FieldExport's `to`, AdoptedResource's `kubernetes.metadata`. ACK's
 * controllers follow them with rights over the whole cluster.
 * In time linear in the spec, and with a stack of its own: a spec may hold thousands, nested deeper than the engine's stack.
 */
export function* findCrossNamespaceReferences(
  spec: unknown,
  kind: string,
  namespace: string,
): Generator<CrossNamespaceReference> {
  if (!namesAnother(spec, namespace)) return;
  const pending: Node[] = [{ value: spec, key: 'spec', field: 'spec', parent: undefined }];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const { value } = node;
    if (typeof value !== 'object' || value === null) continue;
    if (isJsonObject(value) && (isReferenceByPlace(node, kind) || isSecretKeyReference(value))) {
      const named = value['namespace'];
      if (typeof named === 'string' && named !== '' && named !== namespace)
        yield new FoundReference(node, value, named);
    }
    const inList = Array.isArray(value);
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner !== 'object' || inner === null) continue;
      const field = inList || key === 'from' ? node.field : key;
      pending.push({ value: inner, key, field, parent: node });
    }
  }
}
