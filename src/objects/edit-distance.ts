/**
 * How many letters must be added, removed, replaced or swapped with their neighbour to make one text of another: Damerau's and
 * Levenshtein's distance, in which each letter is touched once ("optimal string alignment").
 * @param most texts that are further apart are not told apart: their distance is `most + 1`.
 */
export function editDistance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row.push(best);
      least = Math.min(least, best);
    }
    if (least > most) return most + 1;
    [beforeLast, last] = [last, row];
  }
  return Math.min(last[b.length] ?? 0, most + 1);
}

/**
 * How far apart a name and a known one may be for a slip of the hand: two letters, or one where the known name is short. Of the
 * shortest every second one is another name: `ecr`, `ecs`, `efs`, `eks`.
 */
export function slipsAllowed(known: string): number {
  if (known.length < 4) return 0;
  return known.length < 8 ? 1 : 2;
}

/** The known name that a written one is nearest to, if it is near enough for a slip. */
export function nearestName(written: string, known: readonly string[]): string | undefined {
  let nearest: { readonly name: string; readonly distance: number } | undefined;
  for (const name of known) {
    const most = slipsAllowed(name);
    const distance = editDistance(written, name, most);
    if (distance <= most && (nearest === undefined || distance < nearest.distance)) nearest = { name, distance };
  }
  return nearest?.name;
}
