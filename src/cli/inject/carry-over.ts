import { diffArrays } from 'diff';
import { parseDocument } from 'yaml';
import { kubectlYaml } from '../../cluster/state/kubectl-yaml.ts';
import { sameJson } from '../../objects/same-json.ts';

type Lines = readonly string[];

/** Lines that are added or removed at most: beyond, comparing takes long, and the library's rendering must do. */
const mostEdits = 4_000;

/** Lines that differ in their spaces only are the same line. */
function withoutSpaces(lines: Lines): string[] {
  return lines.map(line => line.replaceAll(/\s/g, ''));
}

/** For each line of the one text, its place in the other; undefined where it has none. */
function alignLines(lines: Lines, others: Lines): readonly (number | undefined)[] {
  const places: (number | undefined)[] = [];
  const options = { maxEditLength: mostEdits };
  let place = 0;
  for (const { value, added, removed } of diffArrays(withoutSpaces(lines), withoutSpaces(others), options) ?? []) {
    if (added) place += value.length;
    else for (const _ of value) places.push(removed ? undefined : place++);
  }
  return places;
}

/** The changes from `before` to `after`, made in `written`; undefined where one has no place there. */
function changeLines(written: Lines, before: Lines, after: Lines): Lines | undefined {
  const places = alignLines(before, written);
  const dropped = new Set<number>();
  const inserted = new Map<number, Lines>();
  let line = 0;
  let start = 0;
  const changes = diffArrays([...before], [...after], { maxEditLength: mostEdits });
  if (changes === undefined) return undefined;
  for (const { value, added, removed } of changes) {
    if (added) {
      const last = places[start - 1];
      const place = last === undefined ? places[start] : last + 1;
      if (place === undefined) return undefined;
      inserted.set(place, value);
      continue;
    }
    start = removed ? line : line + value.length;
    if (removed) {
      for (const index of value.keys()) {
        const place = places[line + index];
        if (place === undefined) return undefined;
        dropped.add(place);
      }
    }
    line += value.length;
  }
  const changed = written.flatMap((text, index) => [
    ...(inserted.get(index) ?? []),
    ...(dropped.has(index) ? [] : [text]),
  ]);
  return [...changed, ...(inserted.get(written.length) ?? [])];
}

function plain(text: string): unknown {
  const document = parseDocument(text, kubectlYaml);
  return document.errors.length > 0 ? undefined : JSON.parse(JSON.stringify(document.toJS() ?? null));
}

/**
 * Carries what changed between two renderings of a document by the library over to the text as a person wrote it, so
 * that all other lines stay as they were. What comes out must mean the same as the second rendering.
 * @returns undefined when it cannot be done.
 */
export function carryOver(written: string, before: string, after: string): string | undefined {
  const lines = changeLines(written.split('\n'), before.split('\n'), after.split('\n'));
  if (lines === undefined) return undefined;
  const text = lines.join('\n');
  const now = plain(text);
  return now !== undefined && sameJson(now, plain(after)) ? text : undefined;
}
