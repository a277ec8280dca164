import type { Container, Pod } from '../objects/pod.ts';
import type { VolumeContent } from '../objects/volume-content.ts';

/** The volumes of a pod by their names. Few pods need to know, so each list is made when it is asked for, and once. */
export class PodVolumes {
  readonly #pod: Pick<Pod, 'volumes' | 'containers'>;
  #contents: ReadonlyMap<string, VolumeContent> | undefined;
  #writers: ReadonlyMap<string, ReadonlySet<Container>> | undefined;

  constructor(pod: Pick<Pod, 'volumes' | 'containers'>) {
    this.#pod = pod;
  }

  /** What a volume holds; undefined for one that the pod does not have. */
  contentOf(name: string): VolumeContent | undefined {
    this.#contents ??= new Map(this.#pod.volumes?.map(volume => [volume.name, volume.content]));
    return this.#contents.get(name);
  }

  /** Whether another container of the pod can write a volume. */
  isWrittenBeside(name: string, container: Container): boolean {
    this.#writers ??= writersIn(this.#pod.containers);
    const writers = this.#writers.get(name);
    return writers !== undefined && writers.size > (writers.has(container) ? 1 : 0);
  }
}

function writersIn(containers: readonly Container[]): ReadonlyMap<string, ReadonlySet<Container>> {
  const writers = new Map<string, Set<Container>>();
  for (const container of containers) {
    for (const { name, readOnly } of container.mounts ?? []) {
      if (readOnly) continue;
      const known = writers.get(name);
      if (known === undefined) writers.set(name, new Set([container]));
      else known.add(container);
    }
  }
  return writers;
}
