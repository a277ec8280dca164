/** V8 makes no slice shorter than this: https://github.com/v8/v8/blob/main/src/objects/string.h (SlicedString::kMinLength) */
const shortestSlice = 13;

/**
 * The first characters of a text, as a string of their own. A slice, match or split part of a long string keeps all of it
 * alive (V8's SlicedString): 2 kB sliced off an annotation of 250 kB hold 250 kB, and a short text may be such a slice
 * itself. So whatever outlives its review, list or event goes through here.
 * @param longest characters that are kept. A surrogate pair that the cut parts becomes U+FFFD.
 */
export function boundedCopy(text: string, longest: number): string {
  return text.length < shortestSlice && text.length <= longest ? text : Buffer.from(text.slice(0, longest)).toString();
}
