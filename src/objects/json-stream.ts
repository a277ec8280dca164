import { HeldBytes } from './held-bytes.ts';
import { bytesOfString, decodeKey, decodeString, JsonBytesError } from './json-bytes.ts';
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
 * Reads JSON as it comes, piece by piece, and holds nothing of it but what is taken: a page of a list or an event of a
 * watch may be many megabytes that tenants wrote, of which decisions read a few fields. What is not taken is not decoded,
 * and, as with JsonBytes, not checked either.
 */

/** What is done with the value that comes next. A value of another type than is asked for is passed over. */
export type Taking = TakenObject | TakenArray | TakenString | TakenBytes | undefined;

export interface TakenObject {
  readonly kind: 'object';
  /**
   * Asked for each member, in front of its value. Keys of more than 512 bytes are passed over without being asked for.
   * @param first character of the value: `{`, `[`, `"` or that of a number or word.
   */
  readonly member: (key: string, first: string) => Taking;
  readonly end?: () => void;
  /** Asked first, with the bytes of the key without its quotes: of what is not wanted, keys are not even decoded. */
  readonly mayWant?: (bytes: Buffer, start: number, end: number) => boolean;
}

export interface TakenArray {
  readonly kind: 'array';
  readonly item: (first: string) => Taking;
}

export interface TakenString {
  readonly kind: 'string';
  /** Characters; what is longer is cut. */
  readonly longest: number;
  /** Gets a string of its own; undefined for another value. */
  readonly take: (text: string | undefined) => void;
}

export interface TakenBytes {
  readonly kind: 'bytes';
  readonly most: number;
  /** Gets the text of any value; undefined for a longer one. */
  readonly take: (text: string | undefined) => void;
}

const longestKeyBytes = 512;

/** What may come next. */
type Phase = 'value' | 'item-or-end' | 'key-or-end' | 'key' | 'colon' | 'comma-or-end' | 'within-key' | 'within-value';

function isOfWord(byte: number): boolean {
  // Digits and lower-case letters, `E`, `+`, `-`, `.`.
  return (
    (byte >= 0x61 && byte <= 0x7a) ||
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x2b ||
    byte === 0x45
  );
}

/** A row of JSON values, one behind the other. */
export class JsonStream {
  readonly #root: (first: string) => Taking;
  readonly #frames: (TakenObject | TakenArray)[] = [];
  readonly #held = new HeldBytes();
  #phase: Phase = 'value';
  #key: string | undefined;
  #taking: TakenString | TakenBytes | undefined;
  /** Bytes of the value being passed over that are wanted at most, and how many there were. */
  #most = 0;
  #passed = 0;
  #depth = 0;
  #quoted = false;
  #escaped = false;
  #values = 0;

  /** @param root asked for each value of the row. What it and those behind it throw comes out of `write`. */
  constructor(root: (first: string) => Taking) {
    this.#root = root;
  }

  /** Values of the row that ended. */
  get values(): number {
    return this.#values;
  }

  /** Whether a value has begun, and has not ended. */
  get isWithin(): boolean {
    return this.#frames.length > 0 || this.#phase !== 'value';
  }

  /** @throws {JsonBytesError | SyntaxError} for what is not JSON; there is no going on then. */
  write(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#phase === 'within-value' || this.#phase === 'within-key') {
        at = this.#pass(chunk, at);
      } else {
        const byte = chunk[at] ?? 0;
        if (isSpace(byte)) at++;
        else at = this.#step(byte, at);
      }
    }
  }

  #step(byte: number, at: number): number {
    switch (this.#phase) {
      case 'item-or-end':
        return byte === closeBracket ? this.#close(at) : this.#open(byte, at);
      case 'value':
        return this.#open(byte, at);
      case 'key-or-end':
        return byte === closeBrace ? this.#close(at) : this.#openKey(byte, at);
      case 'key':
        return this.#openKey(byte, at);
      case 'colon':
        if (byte !== colon) throw new JsonBytesError('a key has no value');
        this.#phase = 'value';
        return at + 1;
      default: {
        const inObject = this.#frames.at(-1)?.kind === 'object';
        if (byte === (inObject ? closeBrace : closeBracket)) return this.#close(at);
        if (byte !== comma) throw new JsonBytesError(`an ${inObject ? 'object' : 'array'} does not end`);
        this.#phase = inObject ? 'key' : 'value';
        return at + 1;
      }
    }
  }

  #openKey(byte: number, at: number): number {
    if (byte !== quote) throw new JsonBytesError('a key is not a string');
    this.#begin('within-key', longestKeyBytes);
    return at;
  }

  #open(byte: number, at: number): number {
    if (byte !== quote && byte !== openBrace && byte !== openBracket && !isOfWord(byte)) {
      throw new JsonBytesError('there is no value where one belongs');
    }
    const taking = this.#ask(String.fromCharCode(byte));
    if (taking?.kind === 'object' && byte === openBrace) {
      this.#frames.push(taking);
      this.#phase = 'key-or-end';
      return at + 1;
    }
    if (taking?.kind === 'array' && byte === openBracket) {
      this.#frames.push(taking);
      this.#phase = 'item-or-end';
      return at + 1;
    }
    this.#taking = taking?.kind === 'string' || taking?.kind === 'bytes' ? taking : undefined;
    let most = 0;
    if (taking?.kind === 'bytes') most = taking.most;
    // One more, which shows that a string is longer.
    else if (taking?.kind === 'string' && byte === quote) most = bytesOfString(taking.longest) + 1;
    this.#begin('within-value', most);
    return at;
  }

  #ask(first: string): Taking {
    const frame = this.#frames.at(-1);
    if (frame === undefined) return this.#root(first);
    if (frame.kind === 'array') return frame.item(first);
    return this.#key === undefined ? undefined : frame.member(this.#key, first);
  }

  #close(at: number): number {
    const frame = this.#frames.pop();
    if (frame?.kind === 'object') frame.end?.();
    this.#ended();
    return at + 1;
  }

  #ended(): void {
    this.#phase = this.#frames.length === 0 ? 'value' : 'comma-or-end';
    if (this.#frames.length === 0) this.#values++;
  }

  #begin(phase: Phase, most: number): void {
    this.#phase = phase;
    this.#most = most;
    this.#passed = 0;
    this.#depth = 0;
    this.#quoted = false;
    this.#escaped = false;
  }

  /** Passes over the value or key that has begun, as far as the chunk holds it. */
  #pass(chunk: Buffer, from: number): number {
    const { length } = chunk;
    let at = from;
    let depth = this.#depth;
    let quoted = this.#quoted;
    let escaped = this.#escaped;
    let done = false;
    while (at < length && !done) {
      if (quoted) {
        if (escaped) {
          escaped = false;
          at++;
        }
        // The two loops that all bytes of hostile objects go through.
        while (at < length) {
          const byte = chunk[at++] as number;
          if (byte === quote) {
            quoted = false;
            done = depth === 0;
            break;
          }
          if (byte !== backslash) continue;
          // What follows belongs to the escape; it may come with the next chunk.
          if (at < length) at++;
          else escaped = true;
        }
      } else if (depth === 0) {
        const byte = chunk[at] as number;
        if (at > from || this.#passed > 0) {
          // Within a number or word, which ends in front of what is no part of it.
          if (isOfWord(byte)) at++;
          else done = true;
        } else {
          at++;
          if (byte === quote) quoted = true;
          else if (byte === openBrace || byte === openBracket) depth = 1;
        }
      } else {
        while (at < length) {
          const byte = chunk[at++] as number;
          if (byte === quote) {
            quoted = true;
            break;
          }
          // Most bytes between strings are commas, colons and digits.
          if (byte < openBracket) continue;
          if (byte === openBrace || byte === openBracket) {
            depth++;
          } else if (byte === closeBrace || byte === closeBracket) {
            depth--;
            if (depth === 0) {
              done = true;
              break;
            }
          }
        }
      }
    }
    this.#depth = depth;
    this.#quoted = quoted;
    this.#escaped = escaped;
    if (done) this.#take(chunk, from, at);
    else if (this.#most > 0) this.#held.add(chunk, from, at, this.#most);
    this.#passed += at - from;
    return at;
  }

  /** The value or key ends at `end` of the chunk. */
  #take(chunk: Buffer, from: number, end: number): void {
    const length = this.#passed + end - from;
    const isLonger = length > this.#most;
    let bytes = chunk;
    let span = { start: from, end };
    // What lies in one chunk is read where it is.
    if (this.#held.length > 0) {
      bytes = this.#held.add(chunk, from, end, this.#most);
      span = { start: 0, end: this.#held.length };
    }
    if (this.#phase === 'within-key') {
      const frame = this.#frames.at(-1);
      const mayWant = frame?.kind === 'object' ? frame.mayWant : undefined;
      const isWanted = !isLonger && (mayWant === undefined || mayWant(bytes, span.start + 1, span.end - 1));
      this.#key = isWanted ? decodeKey(bytes, span) : undefined;
      this.#phase = 'colon';
    } else {
      const taking = this.#taking;
      if (taking?.kind === 'string') {
        // Without a limit it was begun as another value than a string.
        taking.take(this.#most === 0 ? undefined : decodeString(bytes, span, taking.longest));
      } else if (taking !== undefined) {
        taking.take(isLonger ? undefined : bytes.toString('utf8', span.start, span.end));
      }
      this.#ended();
    }
    this.#held.clear();
  }

  /** @throws {JsonBytesError} when the bytes ended within a value. */
  end(): void {
    if (this.isWithin) throw new JsonBytesError('the text ends within a value');
  }
}
