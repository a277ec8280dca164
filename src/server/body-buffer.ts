const leastBytes = 4096;

/**
 * The bytes of one body in one buffer, which grows by doubling: what it holds depends on the bytes alone, not on the
 * chunks that they came in. Old memory is freed at once, not by the garbage collector, which knows nothing of the room that is left.
 * https://developer.mozilla.org/en-US/docs/Web/JavaScript/Reference/Global_Objects/ArrayBuffer/transfer
 */
export class BodyBuffer {
  #memory = new ArrayBuffer(0);
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** What the buffer has to hold to take this many bytes more. */
  capacityFor(moreBytes: number, limitBytes: number): number {
    const needed = this.#sizeBytes + moreBytes;
    let capacity = Math.max(this.#memory.byteLength, leastBytes);
    while (capacity < needed) capacity *= 2;
    return Math.max(needed, Math.min(capacity, limitBytes));
  }

  get capacity(): number {
    return this.#memory.byteLength;
  }

  /** @param capacity at least what the bytes need. */
  add(chunk: Buffer, capacity: number): void {
    if (capacity > this.#memory.byteLength) this.#memory = this.#memory.transfer(capacity);
    new Uint8Array(this.#memory).set(chunk, this.#sizeBytes);
    this.#sizeBytes += chunk.length;
  }

  /** The bytes, not copied: they are gone after `free`. */
  bytes(): Buffer {
    return Buffer.from(this.#memory, 0, this.#sizeBytes);
  }

  free(): void {
    if (this.#memory.byteLength > 0) this.#memory.transfer(0);
    this.#memory = new ArrayBuffer(0);
    this.#sizeBytes = 0;
  }
}
