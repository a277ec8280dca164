/**
 * Caches what a reader made of an object, for as long as somebody holds the object: a decision that is made again, by
 * other state, does not read the same review again.
 * @param read must be pure.
 */
export function readOnce<K extends object, T extends NonNullable<unknown>>(read: (object: K) => T): (object: K) => T {
  const results = new WeakMap<K, T>();
  return object => {
    const known = results.get(object);
    if (known !== undefined) return known;
    const result = read(object);
    results.set(object, result);
    return result;
  };
}
