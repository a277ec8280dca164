import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, isExecutable, TestbedMissing } from '../testbed/binaries.ts';

/** What pip installs, and where it goes: one virtual environment for all clones of a user. */
export const pythonRequirements = join(import.meta.dirname, 'requirements.txt');
export const pythonFolder = (): string => cacheFolder(import.meta.dirname, ['requirements.txt']);

/** Is written last. */
export const pythonMarker = 'installed';

/** An environment names the Python that it was made with, which may have been removed since. */
export function isPythonComplete(folder = pythonFolder()): boolean {
  return existsSync(join(folder, pythonMarker)) && isExecutable(join(folder, 'bin', 'python'));
}

/** A program of the virtual environment: `python` (with boto3 and ministack) or `aws` (AWS CLI 1). @throws {TestbedMissing} */
export function pythonProgram(name: 'python' | 'aws'): string {
  if (!isPythonComplete()) throw new TestbedMissing(`${pythonFolder()} is not complete: run "make testbed-aws" first`);
  return join(pythonFolder(), 'bin', name);
}
