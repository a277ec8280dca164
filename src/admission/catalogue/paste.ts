/** What a shell takes as one plain word and no tool takes for a flag. */
const plainWord = /^[A-Za-z0-9][A-Za-z0-9._:/@+,-]{0,252}$/;

/**
 * A command that a reader may paste. Every value is checked: one with a character that a shell could read as more
 * than a word leaves the whole command out.
 */
export function toPaste(parts: TemplateStringsArray, ...values: readonly string[]): string | undefined {
  return values.every(value => plainWord.test(value)) ? String.raw({ raw: parts }, ...values) : undefined;
}
