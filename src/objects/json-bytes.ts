import { boundedCopy } from './bounded-copy.ts';
import {
  backslash,
  closeBrace,
  closeBracket,
  colon,
  comma,
  isSpace,
  openBrace,
  openBracket,
  quote,
} from './json-syntax.ts';

/**
 * Finds its way in a JSON text without parsing it: a review, a list or an event may be megabytes of which decisions read a
 * few fields, and `JSON.parse` pays for every key (some 0.4 us for one it has not seen before) and every `{}` (64 bytes).
 * Nothing is checked but what the way needs: whoever needs a value parses its bytes.
 */

/** An error to be thrown when bytes are not JSON, as far as the way through them shows. */
export class JsonBytesError extends Error {
  override readonly name = 'JsonBytesError';
  readonly code = 'NotJson';
}

/** The bytes of a value, `end` excluded. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What the values that were passed over hold. */
export interface JsonCounts {
  /** Objects and arrays. */
  nested: number;
  members: number;
  depth: number;
}

/** Bytes of a string that are looked at one by one before it is searched as a whole. */
const nearBytes = 96;

/** A key, by its bytes with both quotes. @throws {SyntaxError} */
export function decodeKey(bytes: Buffer, { start, end }: Span): string {
  for (let at = start + 1; at < end - 1; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x80 || byte === backslash || byte < 0x20) return JSON.parse(bytes.toString('utf8', start, end));
  }
  return bytes.toString('latin1', start + 1, end - 1);
}

/** No character takes more bytes in JSON than its escape does. */
const mostBytesOfCharacter = 6;

/** So many bytes of a string, its first quote among them, hold at least so many characters of it. */
export function bytesOfString(characters: number): number {
  return characters * mostBytesOfCharacter + 2;
}

/**
 * At most so many characters of a string, by its bytes with both quotes. Of one that is longer than `bytesOfString` says,
 * no more bytes than that need to be there.
 * @throws {SyntaxError}
 */
export function decodeString(bytes: Buffer, span: Span, longest: number): string {
  const { start, end } = span;
  if (end - start - 2 <= longest) return decodeKey(bytes, span);
  if (end - start <= bytesOfString(longest)) {
    const text: string = JSON.parse(bytes.toString('utf8', start, end));
    return boundedCopy(text, longest);
  }
  let cut = start + 1 + longest * mostBytesOfCharacter;
  // Neither within an escape nor within a character: back to the last byte before which a character begins.
  const earliest = Math.max(start + 1, cut - 12);
  while (cut > earliest && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut--;
  cut = beforeEscape(bytes, start + 1, cut);
  const text: string = JSON.parse(`${bytes.toString('utf8', start, cut)}"`);
  return boundedCopy(text, longest);
}

/** The start of the escape that a place lies in; the place itself where it lies in none. */
function beforeEscape(bytes: Buffer, from: number, place: number): number {
  for (let at = from; at < place; ) {
    if (bytes[at] !== backslash) {
      at++;
      continue;
    }
    const next = at + (bytes[at + 1] === 0x75 ? 6 : 2);
    if (next > place) return at;
    at = next;
  }
  return place;
}

/** A place in a JSON text, which moves forward only: every byte is looked at once. */
export class JsonBytes {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, { start, end }: Span = { start: 0, end: bytes.length }) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** How far the way has come: behind the last value that was read or passed over. */
  get at(): number {
    return this.#at;
  }

  /** The first byte of the value here: `{`, `[`, `"` or that of a number or word; undefined at the end. */
  get first(): string | undefined {
    const byte = this.#peek();
    return byte === undefined ? undefined : String.fromCharCode(byte);
  }

  /**
   * Passes over the value here.
   * @param counts is added to.
   * @throws {JsonBytesError} when the bytes end within it.
   */
  skip(counts?: JsonCounts): Span {
    const bytes = this.#bytes;
    const end = this.#end;
    this.#peek();
    const start = this.#at;
    let at = start;
    let depth = 0;
    let nested = 0;
    let members = 0;
    let deepest = 0;
    do {
      const byte = bytes[at];
      if (at >= end || byte === undefined) throw new JsonBytesError('the text ends within a value');
      at++;
      if (byte === quote) {
        at = this.#endOfString(at);
      } else if (byte === openBrace || byte === openBracket) {
        nested++;
        depth++;
        if (depth > deepest) deepest = depth;
      } else if (byte === closeBrace || byte === closeBracket) {
        depth--;
      } else if (byte === colon) {
        members++;
      } else if (depth === 0) {
        at = this.#endOfWord(at);
      }
    } while (depth > 0);
    this.#at = at;
    if (counts !== undefined) {
      counts.nested += nested;
      counts.members += members;
      if (deepest > counts.depth) counts.depth = deepest;
    }
    return { start, end: at };
  }

  /**
   * Goes through the members of the object here; `visit` is called with each key, in front of its value. What it does not
   * read is passed over. Another value than an object has no members.
   * @throws {JsonBytesError}
   */
  members(visit: (key: string) => void, counts?: JsonCounts): void {
    if (this.#peek() !== openBrace) {
      this.skip(counts);
      return;
    }
    this.#at++;
    if (counts !== undefined) counts.nested++;
    if (this.#peek() === closeBrace) {
      this.#at++;
      return;
    }
    for (;;) {
      if (counts !== undefined) counts.members++;
      const key = this.#key();
      if (this.#peek() !== colon) throw new JsonBytesError('a key has no value');
      this.#at++;
      this.#peek();
      const before = this.#at;
      visit(key);
      if (this.#at === before) this.skip(counts);
      const next = this.#peek();
      this.#at++;
      if (next === closeBrace) return;
      if (next !== comma) throw new JsonBytesError('an object does not end');
    }
  }

  /** Parses the value here. Its size must be known to be bounded. @throws {JsonBytesError | SyntaxError} */
  value(): unknown {
    const { start, end } = this.skip();
    return JSON.parse(this.#bytes.toString('utf8', start, end));
  }

  /**
   * The string here, of at most so many characters; longer ones are cut, and a whole one is never decoded for it.
   * @returns undefined for another value, which is passed over.
   */
  string(longest: number): string | undefined {
    if (this.#peek() !== quote) {
      this.skip();
      return undefined;
    }
    return decodeString(this.#bytes, this.skip(), longest);
  }

  #key(): string {
    if (this.#peek() !== quote) throw new JsonBytesError('a key is not a string');
    const start = this.#at;
    this.#at = this.#endOfString(start + 1);
    return decodeKey(this.#bytes, { start, end: this.#at });
  }

  /** The byte here, white space passed over. */
  #peek(): number | undefined {
    let byte = this.#bytes[this.#at];
    while (byte !== undefined && isSpace(byte)) byte = this.#bytes[++this.#at];
    return this.#at < this.#end ? byte : undefined;
  }

  /** @param at behind the quote that opens it. @returns behind the one that closes it. */
  #endOfString(at: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let place = at;
    /** The next quote, escaped or not: looked for once, however many escapes stand in front of it. */
    let found = -1;
    for (;;) {
      // Most strings end soon; a long one is searched by the runtime, which is faster.
      const near = Math.min(place + nearBytes, end);
      while (place < near) {
        const byte = bytes[place++];
        if (byte === quote) return place;
        if (byte === backslash) place++;
      }
      if (place >= end) throw new JsonBytesError('the text ends within a string');
      if (found < place) found = bytes.indexOf(quote, place);
      if (found < 0) throw new JsonBytesError('the text ends within a string');
      const escaped = bytes.subarray(place, found).indexOf(backslash);
      if (escaped < 0) {
        if (found >= end) throw new JsonBytesError('the text ends within a string');
        return found + 1;
      }
      place += escaped;
    }
  }

  #endOfWord(at: number): number {
    const bytes = this.#bytes;
    let place = at;
    while (place < this.#end) {
      const byte = bytes[place] ?? 0;
      if (byte === comma || byte === closeBrace || byte === closeBracket || isSpace(byte)) return place;
      place++;
    }
    return place;
  }
}
