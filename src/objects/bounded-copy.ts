/**
 * The first characters of a text, as a string of their own. A slice, match or split part of a long string keeps all of it
 * alive (V8's SlicedString: https://github.com/v8/v8/blob/main/src/objects/string.h): 2 kB sliced off an annotation of 250 kB
 * hold 250 kB. So whatever outlives its review, list or event goes through here.
 * @param longest characters that are kept. A surrogate pair that the cut parts becomes U+FFFD.
 */
export function boundedCopy(text: string, longest: number): string {
  return text.length <= longest ? text : Buffer.from(text.slice(0, longest)).toString();
}
