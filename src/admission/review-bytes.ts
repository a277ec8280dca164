import { setImmediate as nextTurn } from 'node:timers/promises';
import { isJsonObject } from '../objects/json.ts';
import { JsonBytes, type JsonCounts, type Span } from '../objects/json-bytes.ts';
import { type Excess, type Measured, sizeLimits } from '../objects/object-size.ts';

/**
 * Up to here a review is parsed as it is: nothing of this size holds up the event loop. Nearly all reviews are smaller.
 */
export const smallReviewBytes = 128 * 1024;

/** Objects and arrays, or fields, of a review without its objects. kube-apiserver sends some dozens. */
const envelopeLimit = 50_000;

/** An error to be thrown when a review holds more beside its objects than any that an API server sends. */
export class EnvelopeTooLargeError extends Error {
  override readonly name = 'EnvelopeTooLargeError';
  readonly code = 'EnvelopeTooLarge';

  constructor() {
    super(`the AdmissionReview has more than ${envelopeLimit} fields or lists beside its objects`);
  }
}

/** An object in a review that was not parsed yet. */
interface Part {
  readonly span: Span;
  readonly counts: JsonCounts;
  /** `metadata.managedFields`, which nobody reads: a fifth of most objects, and half of those that are made to be large. */
  readonly managedFields: Span | undefined;
  readonly terminating: boolean;
}

function noCounts(): JsonCounts {
  return { nested: 0, members: 0, depth: 0 };
}

/** Walks an object whose `metadata.managedFields` is left out of the counts. */
function readPart(json: JsonBytes, start: number): Part {
  const counts = noCounts();
  let managedFields: Span | undefined;
  let terminating = false;
  json.members(key => {
    if (key !== 'metadata') return;
    json.members(name => {
      // Of several the first: those that are not cut out are counted, for they are parsed.
      if (name === 'managedFields') managedFields ??= json.skip();
      else if (name === 'deletionTimestamp') terminating = json.first === '"';
    }, counts);
  }, counts);
  return { span: { start, end: json.at }, counts, managedFields, terminating };
}

/** What a review holds, found without parsing it. */
interface Outline {
  readonly object: Part | undefined;
  readonly oldObject: Part | undefined;
  /** Every part, also one that a later member of the same name replaces. */
  readonly parts: readonly Span[];
  /** What is beside the parts. */
  readonly rest: JsonCounts;
}

function outlineOf(bytes: Buffer): Outline {
  const json = new JsonBytes(bytes);
  const found = new Map<string, Part>();
  const parts: Span[] = [];
  const rest = noCounts();
  json.members(key => {
    if (key !== 'request') return;
    // JSON.parse takes the last member of a name.
    found.clear();
    json.members(name => {
      if (name !== 'object' && name !== 'oldObject') return;
      const part = readPart(json, json.at);
      found.set(name, part);
      parts.push(part.span);
    }, rest);
  }, rest);
  return { object: found.get('object'), oldObject: found.get('oldObject'), parts, rest };
}

/** The text of a range with `null` in place of what is cut out. */
function textWithout(bytes: Buffer, { start, end }: Span, cut: readonly Span[]): string {
  let text = '';
  let at = start;
  for (const span of cut) {
    text += `${bytes.toString('utf8', at, span.start)}null`;
    at = span.end;
  }
  return text + bytes.toString('utf8', at, end);
}

function excessOf({ span, counts, managedFields }: Part): Excess | undefined {
  const cut = managedFields === undefined ? 0 : managedFields.end - managedFields.start;
  const measured: readonly (readonly [Measured, number])[] = [
    ['bytes of JSON', span.end - span.start - cut],
    ['objects and arrays', counts.nested],
    ['fields', counts.members],
    // The object itself is one.
    ['levels of nesting', counts.depth + 1],
  ];
  const found = measured.find(([what, count]) => count > sizeLimits[what]);
  return found && { what: found[0], atLeast: found[1] };
}

export interface ParsedReview {
  readonly body: unknown;
  /** What its object, or the old one, holds too much of: then neither of the two is parsed. */
  readonly excess: Excess | undefined;
  /** Whether `oldObject` is being deleted, where it is too large to be parsed. */
  readonly terminating: boolean;
}

function parsePart(bytes: Buffer, { span, managedFields }: Part): unknown {
  return JSON.parse(textWithout(bytes, span, managedFields === undefined ? [] : [managedFields]));
}

/**
 * Parses the body of a large review: first without its objects, then each object by itself with a turn of the event loop in
 * between, if it is within the limits.
 * @throws {SyntaxError | JsonBytesError | EnvelopeTooLargeError}
 */
async function parseLargeReview(bytes: Buffer): Promise<ParsedReview> {
  const { object, oldObject, parts, rest } = outlineOf(bytes);
  if (Math.max(rest.nested, rest.members, rest.depth) > envelopeLimit) throw new EnvelopeTooLargeError();
  const body: unknown = JSON.parse(textWithout(bytes, { start: 0, end: bytes.length }, parts));
  const excess = (object && excessOf(object)) ?? (oldObject && excessOf(oldObject));
  const terminating = oldObject?.terminating ?? false;
  const request = isJsonObject(body) ? body['request'] : undefined;
  if (excess !== undefined || !isJsonObject(body) || !isJsonObject(request)) return { body, excess, terminating };
  const parsed: Record<string, unknown> = {};
  for (const [name, part] of [
    ['object', object],
    ['oldObject', oldObject],
  ] as const) {
    if (part === undefined) continue;
    await nextTurn();
    parsed[name] = parsePart(bytes, part);
  }
  return { body: { ...body, request: { ...request, ...parsed } }, excess, terminating };
}

/**
 * Parses the body of a review, in time and memory that no body can raise past a stated bound.
 * @returns at once for a review of the usual size.
 * @throws {SyntaxError | JsonBytesError | EnvelopeTooLargeError}
 */
export function parseReview(bytes: Buffer): ParsedReview | Promise<ParsedReview> {
  if (bytes.length > smallReviewBytes) return parseLargeReview(bytes);
  return { body: JSON.parse(bytes.toString()), excess: undefined, terminating: false };
}
