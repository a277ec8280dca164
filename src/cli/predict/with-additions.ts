import jsonPatch from 'fast-json-patch';
import type { Addition } from '../../objects/json-patch.ts';

/** `value` with the additions; the value itself stays as it is. */
export function withAdditions(value: unknown, additions: readonly Addition[]): unknown {
  // Values behind aliases are one object in memory: as JSON they are not.
  return jsonPatch.applyPatch(JSON.parse(JSON.stringify(value)), [...additions]).newDocument;
}
