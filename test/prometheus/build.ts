/*
 * Gets a Prometheus to test with: `node test/prometheus/build.ts`. Exit code 0 when it is there, or when this machine has no way to get
 * it, which is said; with PROMETHEUS=required that is exit code 2.
 */
import { TestbedMissing } from '../testbed/binaries.ts';
import { unpackPrometheus } from './programs.ts';

function report(line: string): void {
  process.stdout.write(`testbed: ${line}\n`);
}

try {
  await unpackPrometheus(report);
} catch (error) {
  if (!(error instanceof TestbedMissing)) throw error;
  const required = process.env['PROMETHEUS'] === 'required';
  report(`no Prometheus${required ? '' : ', so the tests that need it are left out'}: ${error.message}`);
  if (required) process.exitCode = 2;
}
