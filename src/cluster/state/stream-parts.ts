/** Behind the JSON object that opens at `start`; undefined when nothing closes it. */
function endOfObject(text: string, start: number): number | undefined {
  const marks = /["\\{}]/g;
  marks.lastIndex = start;
  let depth = 0;
  let quoted = false;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    if (mark[0] === '\\') marks.lastIndex += 1;
    else if (mark[0] === '"') quoted = !quoted;
    else if (!quoted) depth += mark[0] === '{' ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Where something else begins behind each of the JSON objects that a text begins with, as `jq -c` writes them. */
function startsBehindObjects(text: string): readonly number[] {
  const starts: number[] = [];
  const space = /[^\S\uFEFF]*(?=(\s*))/y;
  for (let next: number | undefined = 0; next !== undefined; ) {
    space.lastIndex = next;
    const mark: string = space.exec(text)?.[1] ?? '';
    if (next > 0) starts.push(space.lastIndex);
    const start: number = space.lastIndex + mark.length;
    next = text[start] === '{' ? endOfObject(text, start) : undefined;
    if (next !== undefined && !isJson(text.slice(start, next))) next = undefined;
  }
  return starts;
}

/** A byte order mark that begins a document, where files were written one behind the other. */
const marked = /\uFEFF(?<=^---[^\n]*\n\uFEFF)/gm;

/**
 * Where the parts of a text begin that are streams of their own: each JSON object of a row, and what begins with a byte
 * order mark. kubectl reads so. https://github.com/kubernetes/apimachinery/blob/master/pkg/util/yaml/decoder.go
 */
export function partsOf(text: string): readonly number[] {
  const starts = new Set([0, ...startsBehindObjects(text), ...[...text.matchAll(marked)].map(({ index }) => index)]);
  return [...starts].sort((a, b) => a - b);
}
