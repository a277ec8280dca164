import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TestbedMissing } from '../testbed/binaries.ts';
import { BuildLock } from '../testbed/build-lock.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';
import { isPythonComplete, pythonFolder, pythonMarker, pythonRequirements } from './aws-programs.ts';

const limitMs = 600_000;
/** ministack's. */
const leastPython = 'import sys; sys.exit(sys.version_info < (3, 10))';

async function run(program: string, args: readonly string[]): Promise<string | undefined> {
  const started = new SupervisedProcess(program, args, {
    env: { PIP_DISABLE_PIP_VERSION_CHECK: '1', PYTHONHOME: undefined },
  });
  const output = Promise.all([started.stdout, started.stderr].map(stream => (stream === null ? '' : text(stream))));
  const end = await started.wait(limitMs);
  if (end === undefined) started.signal('SIGKILL');
  const said = (await output).join('').trim();
  return end?.code === 0 ? undefined : said.slice(-2000) || `exit code ${end?.code ?? 'none in time'}`;
}

/**
 * Makes the virtual environment, if it is not there yet. It cannot be moved, so a marker says that it is whole.
 * @throws {TestbedMissing} when there is no Python for it, or pip fails.
 */
export async function installPython(report: (line: string) => void): Promise<void> {
  const folder = pythonFolder();
  if (isPythonComplete(folder)) return;
  if ((await run('python3', ['-c', leastPython])) !== undefined)
    throw new TestbedMissing('Python 3.10 or later is needed');
  let isWaiting = false;
  const lock = await BuildLock.acquire(`${folder}.lock`, pid => {
    if (!isWaiting) report(`waiting for the installation of process ${pid ?? '?'}`);
    isWaiting = true;
  });
  try {
    if (isPythonComplete(folder)) return;
    report('installing ministack, boto3 and AWS CLI');
    rmSync(folder, { recursive: true, force: true });
    const failure =
      (await run('python3', ['-m', 'venv', folder])) ??
      (await run(join(folder, 'bin', 'python'), [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--no-deps',
        '--only-binary=:all:',
        '-r',
        pythonRequirements,
      ]));
    if (failure !== undefined) throw new TestbedMissing(`the Python packages could not be installed: ${failure}`);
    writeFileSync(join(folder, pythonMarker), '');
  } finally {
    lock.release();
  }
}
