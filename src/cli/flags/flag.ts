import { parseArgs } from 'node:util';
import { nearestName } from '../../objects/edit-distance.ts';
import { UsageError } from '../usage-error.ts';

/** An error to be thrown when a value of a flag is not allowed; the message says what is, without the value. */
class FlagValueError extends Error {
  override readonly name = 'FlagValueError';
  readonly code = 'FlagValue';
  readonly value: string;

  constructor(value: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.value = value;
  }
}

/** @throws {FlagValueError} */
function parseValue<T>(value: string, parse: (value: string) => T): T {
  try {
    return parse(value);
  } catch (cause) {
    throw new FlagValueError(value, cause);
  }
}

/** A flag of a command: `--NAME VALUE`, `--NAME=VALUE`, or the environment variable `CARM_WEBHOOK_NAME`. */
export interface Flag<T> {
  /** Without the dashes. */
  readonly name: string;
  /** One letter, for `-f`. */
  readonly short: string | undefined;
  /** What stands for the value in the help; a switch has none. */
  readonly placeholder: string | undefined;
  readonly help: string;
  /** As the help tells it. */
  readonly defaultText: string | undefined;
  /** All that its value can be, where that is a few words. */
  readonly words?: readonly string[];
  /** Reads what was given, in its order; nothing: the default. @throws {FlagValueError} */
  readonly read: (given: readonly string[]) => T;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;
export type FlagValues<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

/** How the help spells a flag: `-f, --filename FILE`, with or without the letter. A switch has no placeholder. */
type Spelling = `--${string}` | `-${string}, --${string}`;

function readSpelling(spelling: Spelling): Pick<Flag<unknown>, 'name' | 'short' | 'placeholder'> {
  const [, short, name = '', placeholder] = /^(?:-(\w), )?--(\S+)(?: (.+))?$/.exec(spelling) ?? [];
  return { name, short, placeholder };
}

/**
 * A flag with one value; the last one given wins.
 * @param parse throws an Error that says what is allowed, and leaves it to the flag to quote the value.
 * @param defaultText as a user would write it.
 */
export function valueFlag<T>(
  spelling: Spelling,
  help: string,
  parse: (value: string) => T,
  defaultText: string,
): Flag<T> {
  const read = (given: readonly string[]) => parseValue(given.at(-1) ?? defaultText, parse);
  return { ...readSpelling(spelling), help, defaultText, read, ...wordsOf(parse) };
}

/** A flag as `valueFlag` makes it, without a default. */
export function optionalFlag<T>(spelling: Spelling, help: string, parse: (value: string) => T): Flag<T | undefined> {
  const read = (given: readonly string[]) => {
    const last = given.at(-1);
    return last === undefined ? undefined : parseValue(last, parse);
  };
  return { ...readSpelling(spelling), help, defaultText: undefined, read, ...wordsOf(parse) };
}

/** A flag without a default whose value is taken as it is. */
export function textFlag(spelling: Spelling, help: string): Flag<string | undefined> {
  return optionalFlag(spelling, help, value => value);
}

/**
 * A flag with many values, by comma or by repeating it.
 * @param parse one value; throws as that of `valueFlag`.
 * @param collect all of them, or none.
 */
export function listFlag<T, L>(
  spelling: Spelling,
  help: string,
  parse: (value: string) => T,
  collect: (values: readonly T[]) => L,
  defaultText?: string,
): Flag<L> {
  const items = (given: readonly string[]) =>
    given.flatMap(value => value.split(',').map(item => item.trim())).filter(item => item !== '');
  const read = (given: readonly string[]) => collect(items(given).map(item => parseValue(item, parse)));
  return { ...readSpelling(spelling), help, defaultText, read, ...wordsOf(parse) };
}

/** A flag that may be repeated; a comma is a part of its value. */
export function repeatedFlag(spelling: Spelling, help: string): Flag<readonly string[]> {
  return { ...readSpelling(spelling), help, defaultText: undefined, read: given => given };
}

/** A flag that is on or off: `--NAME`, `--NAME=true`, `--NAME=false`. */
export function switchFlag(spelling: Spelling, help: string): Flag<boolean> {
  const read = (given: readonly string[]) => parseValue(given.at(-1) ?? 'false', oneOf(['true', 'false'])) === 'true';
  return { ...readSpelling(spelling), help, defaultText: undefined, read };
}

/** A parser that says what is allowed where `read` finds nothing of that. */
export function parserOf<T>(read: (value: string) => T | undefined, otherwise: string): (value: string) => T {
  return value => {
    const parsed = read(value);
    if (parsed === undefined) throw new Error(otherwise);
    return parsed;
  };
}

/** A parser that takes nothing but these words. */
type WordParser<T> = ((value: string) => T) & { readonly words: readonly string[] };

/** A parser for a flag that takes one of a few words. */
export function oneOf<T extends string>(allowed: readonly T[]): WordParser<T> {
  const parse = parserOf(value => allowed.find(word => word === value), `is not one of: ${allowed.join(', ')}`);
  return Object.assign(parse, { words: allowed });
}

function wordsOf(parse: ((value: string) => unknown) | WordParser<unknown>): Pick<Flag<unknown>, 'words'> {
  return 'words' in parse ? { words: parse.words } : {};
}

export function environmentVariable(flag: Flag<unknown>): string {
  return `CARM_WEBHOOK_${flag.name.toUpperCase().replaceAll('-', '_')}`;
}

const longestEcho = 200;

/** A word of the command line, quoted, of a length that fits in a message. */
export function echo(value: string): string {
  const shown = JSON.stringify(value.length > longestEcho ? `${value.slice(0, longestEcho)}...` : value);
  // A terminal takes some of what JSON leaves as it is for commands.
  return shown.replaceAll(/[^ -~]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function readFlag(flag: Flag<unknown>, given: readonly string[], fromEnvironment: boolean): unknown {
  try {
    return flag.read(given);
  } catch (cause) {
    if (!(cause instanceof FlagValueError)) throw cause;
    const where = fromEnvironment ? environmentVariable(flag) : `--${flag.name}`;
    throw new UsageError(`${where} ${echo(cause.value)} ${cause.message}`, { cause });
  }
}

/** Longer than any flag. */
const longestFlag = 64;

/** The flag that was probably meant by a name that is none; undefined where none is near. */
function probablyMeant(name: string, flags: readonly Flag<unknown>[]): string | undefined {
  if (name.length > longestFlag) return undefined;
  const known = flags.map(flag => flag.name);
  return nearestName(name.toLowerCase().replaceAll('_', '-'), known);
}

function splitArguments(argv: readonly string[], flags: readonly Flag<unknown>[], command: string) {
  const known = new Map(flags.map(flag => [flag.name, flag]));
  const options = Object.fromEntries(
    flags.map(({ name, short, placeholder }) => {
      const type = placeholder === undefined ? 'boolean' : 'string';
      return [name, { type, multiple: true, ...(short !== undefined && { short }) } as const];
    }),
  );
  const { tokens } = parseArgs({ args: [...argv], options, strict: false, allowPositionals: true, tokens: true });
  const byFlag = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    const flag = known.get(token.name);
    if (flag === undefined) {
      const meant = probablyMeant(token.name, flags);
      const hint = meant === undefined ? '' : ` Did you mean --${meant}?`;
      throw new UsageError(
        `unknown flag ${echo(token.rawName)}.${hint} \`carm-webhook ${command} --help\` lists the flags`,
      );
    }
    if (flag.placeholder !== undefined && token.value === undefined) {
      throw new UsageError(`--${flag.name} needs a value: --${flag.name} ${flag.placeholder}`);
    }
    // `-o=json`: kubectl takes it, parseArgs makes the value `=json` of it.
    const isShort = token.inlineValue === true && !token.rawName.startsWith('--');
    const value = isShort ? token.value?.replace(/^=/, '') : token.value;
    byFlag.set(flag.name, [...(byFlag.get(flag.name) ?? []), value ?? 'true']);
  }
  return { byFlag, positionals };
}

/**
 * kubelet writes a variable NAME_PORT for each Service of a pod's namespace: beside our own Service, which is named
 * carm-webhook, `--port` would be `tcp://10.96.0.7:443`.
 * https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 */
function isServiceLink(value: string): boolean {
  return /^(?:tcp|udp|sctp):\/\//.test(value);
}

/**
 * Reads the arguments of a command. A flag wins over its environment variable; an empty variable is none.
 * @param command whose help is named in a message.
 * @throws {UsageError} one line that quotes what is wrong and names what is allowed.
 */
export function readFlags<F extends Flags>(
  flags: F,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  command = 'COMMAND',
): { readonly values: FlagValues<F>; readonly positionals: readonly string[] } {
  const { byFlag, positionals } = splitArguments(argv, Object.values(flags), command);
  const values = Object.entries(flags).map(([key, flag]) => {
    const given = byFlag.get(flag.name);
    const fromEnvironment = env[environmentVariable(flag)] ?? '';
    const isGiven = fromEnvironment !== '' && !isServiceLink(fromEnvironment);
    if (given === undefined && isGiven) return [key, readFlag(flag, [fromEnvironment], true)];
    return [key, readFlag(flag, given ?? [], false)];
  });
  return { values: Object.fromEntries(values) as FlagValues<F>, positionals };
}

/**
 * For a command that takes flags only.
 * @param hint at the end of the message.
 * @throws {UsageError}
 */
export function rejectArguments(command: string, [first]: readonly string[], hint = ''): void {
  if (first !== undefined) throw new UsageError(`${command} takes no argument ${echo(first)}${hint}`);
}

const helpWidth = 100;

/** Breaks a text between words. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** The end of a help text: the flags, at most 100 columns wide. @param example one of them. */
export function describeFlags(flags: Flags, example: Flag<unknown>): string {
  const rows = Object.values(flags).map(flag => {
    const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
    const left = `  ${short}--${flag.name}${flag.placeholder === undefined ? '' : ` ${flag.placeholder}`}`;
    return { left, right: flag.help + (flag.defaultText === undefined ? '' : ` (default: ${flag.defaultText})`) };
  });
  const width = Math.min(40, Math.max(...rows.map(({ left }) => left.length)));
  const indent = `\n${' '.repeat(width + 2)}`;
  const lines = rows.map(({ left, right }) => {
    const text = wrapped(right, helpWidth - width - 2).join(indent);
    return left.length > width ? `${left}${indent}${text}` : `${left.padEnd(width)}  ${text}`;
  });
  const heading = `Flags (each has an environment variable: --${example.name} is ${environmentVariable(example)}):`;
  return `${[heading, ...lines].join('\n')}\n`;
}
