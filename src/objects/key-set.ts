import { backslash } from './json-syntax.ts';

/** Keys, and ends of keys, that are known by their bytes: an object may have a hundred thousand others, each of which costs more to decode. */
export class KeySet {
  readonly #keys: ReadonlySet<string>;
  readonly #byLength: ReadonlyMap<number, readonly Buffer[]>;
  readonly #suffixes: readonly { readonly text: string; readonly bytes: Buffer }[];

  constructor(keys: Iterable<string>, suffixes: readonly string[] = []) {
    this.#keys = new Set(keys);
    const bytesOfKeys = Array.from(this.#keys, key => Buffer.from(key));
    this.#suffixes = suffixes.map(text => ({ text, bytes: Buffer.from(text) }));
    this.#byLength = Map.groupBy(bytesOfKeys, ({ length }) => length);
  }

  has(key: string): boolean {
    return this.#keys.has(key) || this.#suffixes.some(({ text }) => key.endsWith(text));
  }

  /**
   * Whether a key as it stands in JSON, without its quotes, may be one of these.
   * @returns true too for one that is written with an escape, which only decoding shows.
   */
  mayHave(bytes: Buffer, start: number, end: number): boolean {
    for (let at = start; at < end; at++) if (bytes[at] === backslash) return true;
    const candidates = this.#byLength.get(end - start);
    if (candidates?.some(candidate => isSame(candidate, bytes, start))) return true;
    return this.#suffixes.some(({ bytes: suffix }) => {
      const from = end - suffix.length;
      return from >= start && isSame(suffix, bytes, from);
    });
  }
}

/** From the end: keys have their prefixes in common. */
function isSame(key: Buffer, bytes: Buffer, start: number): boolean {
  for (let at = key.length - 1; at >= 0; at--) if (key[at] !== bytes[start + at]) return false;
  return true;
}
