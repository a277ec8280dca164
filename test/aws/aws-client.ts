import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { SupervisedProcess } from '../testbed/supervised-process.ts';
import { goClientProgram, hasJavaClient, javaClientFolder, pythonProgram } from './aws-programs.ts';

export type ClientName = 'boto3' | 'cli' | 'js' | 'go' | 'java';

/** Those that are installed: Java where someone asked for it. */
export const clientNames: readonly ClientName[] = [
  'boto3',
  'cli',
  'js',
  'go',
  ...(hasJavaClient() ? (['java'] as const) : []),
];

/** Who a client is, or why it does not know. */
export type ClientAnswer =
  | { readonly arn: string; readonly error?: undefined }
  | { readonly arn?: undefined; readonly error: string };

/** A folder as a volume of a container. */
export interface ClientMount {
  readonly folder: string;
  /** Below /run, which is /var/run. */
  readonly path: string;
}

export interface ClientSurroundings {
  /** All of its environment but HOME. */
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly ClientMount[];
  /** A folder for what it writes; it starts there and has it as HOME. */
  readonly home: string;
}

const answerLimitMs = 90_000;
const clients = join(import.meta.dirname, 'clients');

function commandOf(name: ClientName): readonly string[] {
  switch (name) {
    case 'boto3':
      return [pythonProgram('python'), join(clients, 'identity.py')];
    case 'cli':
      // Python runs the script even where its path is too long for a #! line.
      return [pythonProgram('python'), pythonProgram('aws'), 'sts', 'get-caller-identity', '--output', 'json'];
    case 'js':
      return [process.execPath, join(clients, 'identity.ts')];
    case 'go':
      return [goClientProgram()];
    case 'java':
      return [
        '/usr/bin/env',
        'java',
        '-XX:TieredStopAtLevel=1',
        '-XX:+UseSerialGC',
        '-cp',
        javaClassPath(),
        'Identity',
      ];
  }
}

function javaClassPath(): string {
  const target = join(javaClientFolder(), 'target');
  return `${join(target, 'classes')}:${join(target, 'dependency', '*')}`;
}

/** A real AWS SDK in a process of its own, in the surroundings of a container: it is asked who it is. */
export class AwsClient {
  readonly name: ClientName;
  readonly #surroundings: ClientSurroundings;
  #running:
    | { readonly process: SupervisedProcess; readonly lines: AsyncIterator<string>; readonly said: Promise<string> }
    | undefined;

  constructor(name: ClientName, surroundings: ClientSurroundings) {
    this.name = name;
    this.#surroundings = surroundings;
  }

  /** The program and its credentials stay between questions; AWS CLI starts each time, as it does for its users. */
  async ask(): Promise<ClientAnswer> {
    if (this.name === 'cli') return this.#askOnce();
    this.#running ??= this.#startReader();
    const { process, lines, said } = this.#running;
    process.stdin?.write('\n');
    const limit = setTimeout(() => process.signal('SIGKILL'), answerLimitMs);
    const { value, done } = await lines.next();
    clearTimeout(limit);
    if (done === true) throw new Error(`${this.name} ended without an answer: ${await said}`);
    return JSON.parse(value) as ClientAnswer;
  }

  async stop(): Promise<void> {
    await this.#running?.process.stop();
  }

  #startReader() {
    const process = this.#start(true);
    if (process.stdout === null || process.stderr === null) throw new Error(`${this.name} has no output`);
    const reader: Interface = createInterface({ input: process.stdout });
    return { process, lines: reader[Symbol.asyncIterator](), said: text(process.stderr) };
  }

  async #askOnce(): Promise<ClientAnswer> {
    const process = this.#start(false);
    const output = Promise.all([process.stdout, process.stderr].map(stream => (stream === null ? '' : text(stream))));
    if ((await process.wait(answerLimitMs)) === undefined) process.signal('SIGKILL');
    const [stdout = '', stderr = ''] = await output;
    if (stdout === '') return { error: stderr.trim() };
    return { arn: (JSON.parse(stdout) as { readonly Arn: string }).Arn };
  }

  #start(openInput: boolean): SupervisedProcess {
    return startMounted(commandOf(this.name), this.#surroundings, openInput);
  }
}

/** A command with a container's environment and volumes, and nothing else of this process's. */
export function startMounted(
  command: readonly string[],
  { env, mounts, home }: ClientSurroundings,
  openInput = false,
): SupervisedProcess {
  const nothing = Object.fromEntries(Object.keys(process.env).map(name => [name, undefined]));
  const folders = mounts.flatMap(({ folder, path }) => [folder, path]);
  const mounted = [join(clients, 'mounted.sh'), String(mounts.length), ...folders, ...command];
  return new SupervisedProcess('unshare', ['--mount', '--propagation', 'private', '--', 'sh', ...mounted], {
    cwd: home,
    openInput,
    env: { ...nothing, HOME: home, ...env },
  });
}

/** A folder for one client's HOME or volume, below the system's temporary folder. */
export function clientFolder(): string {
  return mkdtempSync(join(tmpdir(), 'carm-webhook-client-'));
}
