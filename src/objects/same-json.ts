import { isJsonObject } from './json.ts';

/**
 * Whether two parsed JSON values are equal, whatever the order of their keys. With a stack of its own: what users send may be
 * nested deeper than the engine's. Only what is nested goes on the stack.
 */
export function sameJson(a: unknown, b: unknown): boolean {
  const lefts: object[] = [];
  const rights: object[] = [];
  /** Whether two values may still be equal: those that are nested wait on the stack. */
  const mayBeSame = (left: unknown, right: unknown): boolean => {
    if (left === right) return true;
    if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
    lefts.push(left);
    rights.push(right);
    return true;
  };
  if (!mayBeSame(a, b)) return false;
  for (let left = lefts.pop(), right = rights.pop(); left && right; left = lefts.pop(), right = rights.pop()) {
    if (Array.isArray(left)) {
      if (!Array.isArray(right) || left.length !== right.length) return false;
      for (let index = 0; index < left.length; index++) if (!mayBeSame(left[index], right[index])) return false;
      continue;
    }
    if (!isJsonObject(left) || !isJsonObject(right)) return false;
    let members = 0;
    for (const key in left) {
      members++;
      if (!Object.hasOwn(right, key) || !mayBeSame(left[key], right[key])) return false;
    }
    for (const _ in right) members--;
    if (members !== 0) return false;
  }
  return true;
}
