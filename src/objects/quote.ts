/** Messages and warnings hold values that users wrote: quoted, so that nobody can forge a line, a header or a terminal sequence. */

/** Characters, with the quotes. */
export const longestQuote = 64;
const cutMark = '...';

/** A UTF-16 unit as JSON escapes it, in ASCII. */
function escaped(unit: string): string {
  if (unit === '"' || unit === '\\') return `\\${unit}`;
  return unit >= ' ' && unit <= '~' ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** JSON-escaped and ASCII, with its quotes; at most 64 characters, cut with `...`. */
export function quote(value: string): string {
  const room = longestQuote - 2;
  // A value may be megabytes long, and every unit needs one character at least.
  const units = value
    .slice(0, room + 1)
    .split('')
    .map(escaped);
  const whole = units.join('');
  if (whole.length <= room) return `"${whole}"`;
  let shown = '';
  for (const unit of units) {
    if (shown.length + unit.length > room - cutMark.length) break;
    shown += unit;
  }
  return `"${shown}${cutMark}"`;
}

/** Names that a message lists. */
export const mostNames = 5;

/** Names quoted and joined; at most five, then how many more there are. */
export function quoteNames(names: readonly string[]): string {
  const shown = names.slice(0, mostNames).map(quote).join(', ');
  return names.length > mostNames ? `${shown} and ${names.length - mostNames} more` : shown;
}
