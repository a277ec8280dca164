/** What a JSON merge patch makes of an object. https://www.rfc-editor.org/rfc/rfc7386#section-2 */
export function mergePatch(before: object, patch: object): object {
  const result: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(patch)) {
    const old = result[key];
    if (value === null) delete result[key];
    else if (typeof value !== 'object' || Array.isArray(value)) result[key] = value;
    else result[key] = mergePatch(typeof old === 'object' && old !== null ? old : {}, value);
  }
  return result;
}
