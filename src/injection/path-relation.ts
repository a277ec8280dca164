const slash = 0x2f;
const backslash = 0x5c;
const dot = 0x2e;

/** Where one path lies to another: above it is an ancestor, the root included. */
export type PathRelation = 'same' | 'above' | 'below' | 'apart';

export interface PathPlace {
  readonly relation: PathRelation;
  /** How many segments the paths share from the root on; for one that is above: how deep it is. */
  readonly shared: number;
}

/** The segments of an absolute path that is normal already. */
export function segmentsOf(path: string): readonly string[] {
  return path.split('/').slice(1);
}

/**
 * Where a path lies to another one, of our own, given by its segments. `.`, `..`, doubled and trailing slashes count for nothing;
 * on Windows neither do case, drive C: and which slash it is. In one walk, without a list of segments: a path may be as long as
 * a pod. (node:path takes quadratic time.)
 */
export function placeOf(path: string, target: readonly string[], windows: boolean): PathPlace {
  const text = windows ? path.toLowerCase() : path;
  const start = windows && text.startsWith('c:') ? 2 : 0;
  /** How deep the path has come, and how many of its first segments are the target's. */
  let depth = 0;
  let matching = 0;
  let from = start;
  for (let at = start; at <= text.length; at++) {
    const code = at === text.length ? slash : text.charCodeAt(at);
    if (code !== slash && !(windows && code === backslash)) continue;
    const length = at - from;
    if (length === 2 && text.charCodeAt(from) === dot && text.charCodeAt(from + 1) === dot) {
      if (depth > 0) depth--;
      if (matching > depth) matching = depth;
    } else if (length > 0 && !(length === 1 && text.charCodeAt(from) === dot)) {
      const segment = matching === depth ? target[depth] : undefined;
      if (segment !== undefined && segment.length === length && text.startsWith(segment, from)) matching++;
      depth++;
    }
    from = at + 1;
  }
  return { relation: relationOf(matching, depth, target.length), shared: matching };
}

function relationOf(matching: number, depth: number, targetDepth: number): PathRelation {
  if (matching === targetDepth) return depth === targetDepth ? 'same' : 'below';
  return matching === depth ? 'above' : 'apart';
}
