import type { Command, LazyCommand } from '../command.ts';
import type { Flag } from '../flags/flag.ts';

/**
 * What a shell does beside the candidates, in Cobra's numbers, which kubectl reads.
 * https://github.com/spf13/cobra/blob/main/site/content/completions/_index.md
 */
const directives = { files: 0, nothing: 4, folders: 16 } as const;
type Beside = keyof typeof directives;

interface Candidate {
  readonly word: string;
  readonly help?: string;
}

interface Completions {
  readonly candidates: readonly Candidate[];
  readonly beside: Beside;
}

const nothing: Completions = { candidates: [], beside: 'nothing' };

const helpFlag: Candidate = { word: '--help', help: 'Help on this command' };

function startingWith(current: string, candidates: readonly Candidate[]): Completions {
  return { candidates: candidates.filter(({ word }) => word.startsWith(current)), beside: 'nothing' };
}

function asCandidates(words: readonly string[]): readonly Candidate[] {
  return words.map(word => ({ word }));
}

/** What the value of a flag may be. @param prefix of each word: `--output=`. */
function valuesOf({ words, placeholder = '' }: Flag<unknown>, current: string, prefix = ''): Completions {
  if (words !== undefined) return startingWith(prefix + current, asCandidates(words.map(word => prefix + word)));
  if (/\bFILE\b/.test(placeholder)) return { candidates: [], beside: 'files' };
  return placeholder === 'DIR' ? { candidates: [], beside: 'folders' } : nothing;
}

/** The flag that a word is: `--output` or `-o`. */
function flagOf(word: string, flags: readonly Flag<unknown>[]): Flag<unknown> | undefined {
  return flags.find(({ name, short }) => word === `--${name}` || (short !== undefined && word === `-${short}`));
}

function completeArguments(words: readonly string[], current: string, command: Command): Completions {
  const flags = Object.values(command.flags);
  const before = words.at(-1);
  const asked = before === undefined ? undefined : flagOf(before, flags);
  if (asked?.placeholder !== undefined) return valuesOf(asked, current);
  const at = current.indexOf('=');
  if (current.startsWith('--') && at > 0) {
    const flag = flagOf(current.slice(0, at), flags);
    return flag === undefined ? nothing : valuesOf(flag, current.slice(at + 1), current.slice(0, at + 1));
  }
  if (current.startsWith('-')) {
    return startingWith(current, [...flags.map(({ name, help }) => ({ word: `--${name}`, help })), helpFlag]);
  }
  // Of several arguments only the first is one of a few words.
  const isFirst = words.every((word, index) => word.startsWith('-') || isValue(words[index - 1], flags));
  return isFirst ? startingWith(current, asCandidates(command.words ?? [])) : nothing;
}

/** Whether a word is the value of the flag before it. */
function isValue(before: string | undefined, flags: readonly Flag<unknown>[]): boolean {
  return before !== undefined && flagOf(before, flags)?.placeholder !== undefined;
}

async function completionsFor(words: readonly string[], commands: readonly LazyCommand[]): Promise<Completions> {
  const [name, ...rest] = words.slice(0, -1);
  const current = words.at(-1) ?? '';
  const all = commands.map(command => ({ word: command.name, help: command.summary }));
  if (name === undefined) return startingWith(current, [...all, { word: 'help', help: 'Help on a command' }]);
  if (name === 'help') return rest.length === 0 ? startingWith(current, all) : nothing;
  const command = commands.find(candidate => candidate.name === name);
  return command === undefined ? nothing : completeArguments(rest, current, (await command.load()).command);
}

/**
 * What may stand in place of the last word, one a line with its help behind a tab, and a last line for what the shell adds.
 * @param words what was typed after the name of the program; the last one is empty behind a space.
 */
export async function complete(words: readonly string[], commands: readonly LazyCommand[]): Promise<string> {
  const { candidates, beside } = await completionsFor(words, commands);
  const lines = candidates.map(({ word, help }) => (help === undefined ? word : `${word}\t${help}`));
  return `${[...lines, `:${directives[beside]}`].join('\n')}\n`;
}
