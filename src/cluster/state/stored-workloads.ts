import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import { type WorkloadKind, workloadKinds } from '../../objects/pod-template.ts';
import { type Placed, withPlace } from './placed.ts';

type Kind = Pick<WorkloadKind, 'group' | 'kind'>;

/** Objects of built-in kinds that hold a pod template. Nothing in them is read before someone asks for one. */
export class StoredWorkloads {
  /** By group, kind, namespace and name. */
  readonly #objects = new Map<string, Placed<JsonObject>>();

  /** Passes over other kinds, and what has no name. */
  add({ group, kind }: Kind, object: JsonObject, defaultNamespace: string): void {
    if (!workloadKinds.some(known => known.group === group && known.kind === kind)) return;
    const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
    const { name, namespace: written = '' } = metadata;
    if (typeof name !== 'string' || typeof written !== 'string') return;
    const namespace = written || defaultNamespace;
    this.#objects.set(`${group}/${kind}/${namespace}/${name}`, { namespace, name, value: object });
  }

  find({ group, kind }: Kind, namespace: string, name: string): JsonObject | undefined {
    return this.#objects.get(`${group}/${kind}/${namespace}/${name}`)?.value;
  }

  *inNamespace({ group, kind }: Kind, namespace: string): Iterable<Placed<JsonObject>> {
    yield* this.#startingWith(`${group}/${kind}/${namespace}/`);
  }

  /** In all namespaces. */
  *ofKind({ group, kind }: Kind): Iterable<JsonObject> {
    for (const workload of this.#startingWith(`${group}/${kind}/`)) yield withPlace(workload);
  }

  *#startingWith(prefix: string): Iterable<Placed<JsonObject>> {
    for (const [key, workload] of this.#objects) if (key.startsWith(prefix)) yield workload;
  }
}
