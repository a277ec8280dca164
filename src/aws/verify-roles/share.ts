/**
 * How replicas share roles: each role belongs to the replica that draws the highest number for it. A replica that joins or leaves
 * moves its own share only. https://en.wikipedia.org/wiki/Rendezvous_hashing
 */

/** FNV-1a, then the last steps of MurmurHash3, without which similar texts draw similar numbers. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

function mix(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Which of the replicas verifies roles. */
export class Share {
  /** In one order for all, so that an equal draw goes to the same one. */
  readonly #replicas: readonly (readonly [name: string, hash: number])[];

  /** @param replicas at least one; all of them, oneself included. */
  constructor(replicas: Iterable<string>) {
    this.#replicas = [...new Set(replicas)].sort().map(name => [name, hashText(name)]);
  }

  get size(): number {
    return this.#replicas.length;
  }

  /** @param roleHash `hashText` of the role's ARN. */
  ownerOf(roleHash: number): string | undefined {
    let owner: string | undefined;
    let highest = -1;
    for (const [name, hash] of this.#replicas) {
      const drawn = mix(roleHash ^ hash);
      if (drawn > highest) [owner, highest] = [name, drawn];
    }
    return owner;
  }
}
