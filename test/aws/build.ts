/*
 * Installs what `make aws-e2e` needs and this user does not have yet. `node test/aws/build.ts`; exit code 0 when all is there, 1 when
 * something cannot be had.
 */
import { TestbedMissing } from '../testbed/binaries.ts';
import { installPython } from './install-python.ts';

const report = (line: string): void => void process.stdout.write(`testbed-aws: ${line}\n`);

try {
  await installPython(report);
  report('complete');
} catch (error) {
  if (!(error instanceof TestbedMissing)) throw error;
  process.stderr.write(`testbed-aws: ${error.message}\n`);
  process.exitCode = 1;
}
