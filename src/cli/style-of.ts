import type { ToStringOptions } from 'yaml';

/** Spaces between a line and the deeper line after it, where the deeper one is no item of a list. */
function indentOf(lines: readonly string[]): number {
  for (const [index, line] of lines.entries()) {
    const [, spaces = ''] = /^( *)[^\s#-][^#]*:\s*(?:#.*)?$/.exec(line) ?? [];
    const next = lines.slice(index + 1).find(candidate => /^\s*[^\s#]/.test(candidate));
    if (next === undefined || !/^\s*[^\s#]/.test(line) || !/:\s*(?:#.*)?$/.test(line)) continue;
    const deeper = next.search(/\S/) - spaces.length;
    if (deeper > 0 && !/^\s*- /.test(next)) return deeper;
  }
  return 2;
}

/** How a text is written, so that what changes in it looks like the rest. */
export function styleOf(text: string): ToStringOptions {
  const lines = text.split('\n');
  const listLine = lines.findIndex((line, index) => /^\s*- /.test(line) && /:\s*$/.test(lines[index - 1] ?? ''));
  const item = lines[listLine]?.search(/\S/) ?? 0;
  const key = lines[listLine - 1]?.search(/[^\s-]/) ?? -1;
  return {
    lineWidth: 0,
    indent: indentOf(lines),
    indentSeq: listLine < 0 || item > key,
    flowCollectionPadding: !/[{[](?![\s}\]])/.test(text),
  };
}
