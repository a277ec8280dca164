/** Bytes of a value that come in several pieces, up to a limit. */
export class HeldBytes {
  #bytes = Buffer.allocUnsafe(1024);
  length = 0;

  /** @returns all that is held. */
  add(chunk: Buffer, start: number, end: number, most: number): Buffer {
    const wanted = Math.min(end - start, most - this.length);
    const needed = this.length + wanted;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, Math.min(this.#bytes.length * 2, most)));
      this.#bytes.copy(larger, 0, 0, this.length);
      this.#bytes = larger;
    }
    chunk.copy(this.#bytes, this.length, start, start + wanted);
    this.length = needed;
    return this.#bytes;
  }

  clear(): void {
    this.length = 0;
    // One long value must not be paid for as long as a watch lasts.
    if (this.#bytes.length > 65_536) this.#bytes = Buffer.allocUnsafe(1024);
  }
}
