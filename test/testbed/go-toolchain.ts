import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { SupervisedProcess } from './supervised-process.ts';

/** The least Go that the modules of the test bed are written for. */
const leastGo = { major: 1, minor: 26 } as const;

/** What is compiled for tests is this machine's alone, whatever the surroundings ask for. */
const environment = { CGO_ENABLED: '0', GOWORK: 'off', GOFLAGS: '', GOOS: '', GOARCH: '' } as const;

/** An error to be thrown when there is no Go that can build the test bed. */
export class GoMissing extends Error {
  override readonly name = 'GoMissing';
  readonly code = 'GoMissing';
}

/** An error to be thrown when `go` fails; the message has the end of what it said. */
export class GoFailed extends Error {
  override readonly name = 'GoFailed';
  readonly code = 'GoFailed';
}

const goQueryLimitMs = 300_000;

/** Runs a `go` command that answers on stdout. @throws {GoFailed} */
export async function goQuery(folder: string, args: readonly string[]): Promise<string> {
  const go = new SupervisedProcess('go', args, { cwd: folder, env: environment });
  const output = Promise.all([go.stdout, go.stderr].map(stream => (stream === null ? '' : text(stream))));
  const end = await go.wait(goQueryLimitMs);
  if (end === undefined) {
    go.signal('SIGKILL');
  }
  const [stdout = '', stderr = ''] = await output;
  if (end?.code !== 0) {
    throw new GoFailed(`go ${args.join(' ')}: ${stderr.trim() || `exit code ${end?.code ?? 'none in time'}`}`);
  }
  return stdout.trim();
}

/**
 * Makes sure that `go` can build a module. A Go from 1.21 on fetches the toolchain that the module names, unless GOTOOLCHAIN says no.
 * https://go.dev/doc/toolchain
 * @throws {GoMissing}
 */
export async function requireGo(moduleFolder: string): Promise<void> {
  const wanted = `Go >= ${leastGo.major}.${leastGo.minor}`;
  let version: string;
  try {
    version = await goQuery(moduleFolder, ['env', 'GOVERSION']);
  } catch (error) {
    throw new GoMissing(`${wanted} is needed (${error instanceof Error ? error.message : String(error)})`);
  }
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) !== leastGo.major || Number(minor) < leastGo.minor) {
    throw new GoMissing(`${wanted} is needed, this one is ${version}`);
  }
}

/** How far a build is: what `go` named last, and how many packages it has compiled. */
export interface BuildProgress {
  compiled: number;
  latest: string;
}

export interface GoBuild {
  readonly moduleFolder: string;
  readonly package: string;
  readonly output: string;
  readonly linkerFlags: string;
  readonly tags: readonly string[];
}

/**
 * Compiles one program. `progress` is kept up to date meanwhile; `signal` ends it.
 * @throws {GoFailed}
 */
export async function goBuild(build: GoBuild, progress: BuildProgress, signal: AbortSignal): Promise<void> {
  const tags = `-tags=${build.tags.join(',')}`;
  const flags = ['-v', '-trimpath', '-buildvcs=false', tags, '-ldflags', build.linkerFlags, '-o', build.output];
  const go = new SupervisedProcess('go', ['build', ...flags, build.package], {
    cwd: build.moduleFolder,
    env: environment,
  });
  // Go removes its temporary folder on SIGINT only.
  const interrupt = (): boolean => go.signal('SIGINT');
  signal.addEventListener('abort', interrupt, { once: true });
  const said: string[] = [];
  try {
    go.stdout?.resume();
    if (go.stderr !== null) {
      for await (const line of createInterface({ input: go.stderr })) {
        said.push(line);
        // With -v go names each package as it compiles it; its other messages have blanks.
        progress.compiled += line.includes(' ') ? 0 : 1;
        progress.latest = line;
      }
    }
    const { code, signal: endedBy } = await go.ended;
    if (code !== 0) {
      throw new GoFailed(`go build ${build.package} ended (${code ?? endedBy}):\n${said.slice(-20).join('\n')}`);
    }
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}
