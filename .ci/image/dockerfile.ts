/**
 * The Dockerfile as stages and steps. What it does not know is an error, never skipped: an image that lacks a step would
 * look finished. https://docs.docker.com/reference/dockerfile/
 */

interface At {
  readonly line: number;
}

export type Step = At &
  (
    | { readonly instruction: 'WORKDIR'; readonly path: string }
    | {
        readonly instruction: 'COPY';
        /** The earlier stage that it copies from; without it, the context. */
        readonly from?: string;
        readonly sources: readonly string[];
        readonly destination: string;
      }
    | { readonly instruction: 'RUN'; readonly command: string }
    | { readonly instruction: 'ENV'; readonly variables: ReadonlyMap<string, string> }
    | { readonly instruction: 'USER'; readonly user: string }
    | { readonly instruction: 'EXPOSE'; readonly ports: readonly string[] }
    | { readonly instruction: 'ENTRYPOINT' | 'CMD'; readonly words: readonly string[] }
  );

export interface Stage extends At {
  readonly base: string;
  readonly platform?: string;
  /** In lower case, as it is compared. */
  readonly name?: string;
  readonly steps: readonly Step[];
}

/** An error to be thrown for what the Dockerfile holds and we do not know, or what no Dockerfile may hold. */
export class DockerfileError extends Error {
  override readonly name = 'DockerfileError';
  readonly code = 'InvalidDockerfile';
  readonly line: number;
  readonly instruction: string;

  constructor({ line, instruction }: { line: number; instruction: string }, problem: string) {
    super(`Dockerfile:${line}: ${instruction}: ${problem}`);
    this.line = line;
    this.instruction = instruction;
  }
}

/** An instruction with its continuation lines joined, and the line that it begins in. */
interface Instruction extends At {
  readonly instruction: string;
  readonly rest: string;
}

/** @throws {DockerfileError} */
export function parseDockerfile(text: string): Stage[] {
  const stages: (Stage & { steps: Step[] })[] = [];
  for (const each of instructionsOf(text)) {
    if (each.instruction === 'FROM') {
      const stage = stageOf(each);
      if (stage.name !== undefined && stages.some(({ name }) => name === stage.name)) {
        throw new DockerfileError(each, `two stages are named ${stage.name}`);
      }
      stages.push(stage);
      continue;
    }
    const stage = stages.at(-1);
    const step = stepOf(each);
    if (stage === undefined) throw new DockerfileError(each, 'comes before the first FROM');
    if (step.instruction === 'COPY' && step.from !== undefined) {
      const earlier = stages.slice(0, -1).some(({ name }) => name === step.from);
      if (!earlier) throw new DockerfileError(each, `--from=${step.from} is not the name of an earlier stage`);
    }
    stage.steps.push(step);
  }
  if (stages.length === 0) throw new DockerfileError({ line: 1, instruction: 'FROM' }, 'there is none');
  return stages;
}

function* instructionsOf(text: string): Generator<Instruction> {
  let begun: { line: number; text: string } | undefined;
  for (const [index, whole] of text.split(/\r?\n/).entries()) {
    const line = whole.trim();
    if (line.startsWith('#')) {
      // Other directives, such as `# syntax`, change nothing of what is understood here.
      if (/^#\s*escape\s*=/i.test(line)) {
        throw new DockerfileError({ line: index + 1, instruction: '# escape' }, 'is not understood');
      }
      continue;
    }
    // Docker skips empty lines within an instruction too, with a warning.
    if (line === '') continue;
    begun ??= { line: index + 1, text: '' };
    if (line.endsWith('\\')) {
      begun.text += whole.trimEnd().slice(0, -1);
      continue;
    }
    yield instructionOf(begun.line, begun.text + whole);
    begun = undefined;
  }
  if (begun !== undefined) {
    throw new DockerfileError(instructionOf(begun.line, begun.text), 'ends with a backslash, and no line follows');
  }
}

function instructionOf(line: number, text: string): Instruction {
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(text.trim()) ?? [];
  return { line, instruction: word.toUpperCase(), rest: rest.trim() };
}

/** The flags at the beginning of an instruction, only those that are known, and the rest. */
function flagsOf(each: Instruction, known: string): { flag?: string; words: string[] } {
  const words = each.rest.split(/\s+/).filter(word => word !== '');
  let flag: string | undefined;
  for (;;) {
    const [word] = words;
    if (word === undefined || !word.startsWith('--')) break;
    if (flag !== undefined || !word.startsWith(`--${known}=`)) {
      throw new DockerfileError(each, `the flag ${word} is not understood`);
    }
    flag = word.slice(`--${known}=`.length);
    words.shift();
  }
  return flag === undefined ? { words } : { flag, words };
}

function stageOf(each: Instruction): Stage & { steps: Step[] } {
  const { flag: platform, words } = flagsOf(each, 'platform');
  const [base, as, name, ...more] = words;
  if (
    base === undefined ||
    more.length > 0 ||
    (as !== undefined && (as.toUpperCase() !== 'AS' || name === undefined))
  ) {
    throw new DockerfileError(each, 'is not of the form [--platform=PLATFORM] IMAGE [AS NAME]');
  }
  plain(each, base);
  return {
    line: each.line,
    base,
    ...(platform === undefined ? {} : { platform }),
    ...(name === undefined ? {} : { name: name.toLowerCase() }),
    steps: [],
  };
}

function stepOf(each: Instruction): Step {
  const { line, instruction, rest } = each;
  switch (instruction) {
    case 'WORKDIR':
    case 'USER': {
      const [word, ...more] = plain(each, rest).split(/\s+/);
      if (word === undefined || word === '' || more.length > 0) throw new DockerfileError(each, 'takes one word');
      return instruction === 'USER' ? { line, instruction, user: word } : { line, instruction, path: word };
    }
    case 'COPY':
      return { line, instruction, ...copyOf(each) };
    case 'RUN':
      if (rest === '' || /^(?:--|\[)|<</.test(rest)) {
        throw new DockerfileError(each, 'only a command line is understood: no flags, JSON or here-documents');
      }
      return { line, instruction, command: rest };
    case 'ENV':
      return { line, instruction, variables: variablesOf(each) };
    case 'EXPOSE': {
      const ports = rest.split(/\s+/);
      const bad = ports.find(port => !/^\d+(?:\/(?:tcp|udp))?$/.test(port));
      if (bad !== undefined) throw new DockerfileError(each, `${JSON.stringify(bad)} is not a port`);
      return { line, instruction, ports };
    }
    case 'ENTRYPOINT':
    case 'CMD':
      return { line, instruction, words: jsonWordsOf(each) };
    default:
      throw new DockerfileError(each, 'is an instruction that is not understood');
  }
}

function copyOf(each: Instruction): { from?: string; sources: string[]; destination: string } {
  const { flag, words: sources } = flagsOf(each, 'from');
  plain(each, each.rest);
  if (/[*?[\]]|<</.test(each.rest)) {
    throw new DockerfileError(each, 'only plain paths are understood: no wildcards, JSON or here-documents');
  }
  const destination = sources.pop();
  if (destination === undefined || sources.length === 0) {
    throw new DockerfileError(each, 'is not of the form [--from=STAGE] SOURCE... DESTINATION');
  }
  if (sources.length > 1 && !isFolderPath(destination)) {
    throw new DockerfileError(each, 'with several sources, the destination must end with a slash');
  }
  return { ...(flag === undefined ? {} : { from: flag.toLowerCase() }), sources, destination };
}

/** Whether a path can only be that of a folder. */
export function isFolderPath(path: string): boolean {
  return /(?:^|\/)\.{0,2}$/.test(path);
}

function variablesOf(each: Instruction): Map<string, string> {
  const variables = new Map<string, string>();
  let rest = plain(each, each.rest);
  while (rest !== '') {
    const found = /^(\w+)=(?:"([^"]*)"|'([^']*)'|([^\s"']*))(?:\s+|$)/.exec(rest);
    if (found === null) throw new DockerfileError(each, `only NAME=VALUE is understood, at ${JSON.stringify(rest)}`);
    const [all, name = '', double, single, bare] = found;
    variables.set(name, double ?? single ?? bare ?? '');
    rest = rest.slice(all.length);
  }
  if (variables.size === 0) throw new DockerfileError(each, 'names no variable');
  return variables;
}

/** Variables and escapes would have to be replaced as Docker does it; we need neither. */
function plain(each: Instruction, text: string): string {
  if (/[$\\]/.test(text)) throw new DockerfileError(each, 'variables and backslashes are not understood');
  return text;
}

function jsonWordsOf(each: Instruction): string[] {
  let words: unknown;
  try {
    words = JSON.parse(each.rest);
  } catch {
    // Then it is the form that a shell would run.
  }
  if (!Array.isArray(words) || words.length === 0 || !words.every(word => typeof word === 'string')) {
    throw new DockerfileError(each, 'only the JSON form is understood, ["PROGRAM", "ARGUMENT"]');
  }
  return words;
}
