import type { ToStringOptions } from 'yaml';

/** A line that opens a collection on the lines after it: `key:`, also behind `- `. */
const opening = /^(?:\s*- )*(\s*)[^\s#-][^#]*:\s*$/;

/** Columns of a key that opens a collection, and of the line after it. */
interface Step {
  readonly key: number;
  readonly next: number;
  readonly isList: boolean;
}

function stepsIn(text: string): readonly Step[] {
  // Comments and empty lines may be indented as they like.
  const lines = text
    .split('\n')
    .map(line => line.replace(/\s+#.*$/, ''))
    .filter(line => /^\s*[^\s#]/.test(line) && !line.startsWith('---'));
  return lines.flatMap((line, index) => {
    const next = lines[index + 1];
    if (next === undefined || !opening.test(line)) return [];
    return [{ key: line.search(/[^\s-]/), next: next.search(/\S/), isList: /^\s*- /.test(next) }];
  });
}

/** How a text is written, so that what changes in it looks like the rest. */
export function styleOf(text: string): ToStringOptions {
  const steps = stepsIn(text);
  const map = steps.find(({ key, next, isList }) => !isList && next > key);
  const list = steps.find(({ isList }) => isList);
  return {
    lineWidth: 0,
    indent: map === undefined ? 2 : map.next - map.key,
    indentSeq: list === undefined || list.next > list.key,
    flowCollectionPadding: !/[{[](?![\s}\]])/.test(text),
  };
}
