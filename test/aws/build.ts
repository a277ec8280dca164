/*
 * Installs what `make aws-e2e` needs and this user does not have yet: ministack, boto3 and AWS CLI 1 by pip, the client in Go, what
 * evaluates Terraform files, and with AWS_TESTS=all the client in Java. `node test/aws/build.ts`; exit code 0 when all is there, 1 when
 * a build fails, 2 when something to build with is missing.
 */
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isExecutable, TestbedMissing } from '../testbed/binaries.ts';
import { buildModule, type ModulePlan } from '../testbed/build-module.ts';
import { GoFailed, GoMissing } from '../testbed/go-toolchain.ts';
import {
  goClientFolder,
  goClientModule,
  javaClientFiles,
  javaClientFolder,
  javaClientProject,
  pythonFolder,
  pythonRequirements,
  terraformFolder,
  terraformModule,
} from './aws-programs.ts';
import { installOnce, runInstaller } from './install-once.ts';

/** What ministack needs. */
const leastPython = 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed")';

const report = (line: string): void => void process.stdout.write(`testbed-aws: ${line}\n`);

async function installPython(): Promise<void> {
  report('installing ministack, boto3 and AWS CLI');
  const folder = pythonFolder();
  await runInstaller('python3', ['-c', leastPython]);
  await runInstaller('python3', ['-m', 'venv', folder]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
  await runInstaller(join(folder, 'bin', 'python'), [...pip, '-r', pythonRequirements]);
}

async function installJavaClient(): Promise<void> {
  report('building the client in Java');
  const folder = javaClientFolder();
  for (const file of javaClientFiles) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(javaClientProject, file), join(folder, file));
  }
  await runInstaller('mvn', ['--quiet', '--batch-mode', 'package', 'dependency:copy-dependencies'], { cwd: folder });
}

function goPlans(): readonly ModulePlan[] {
  const identity = {
    moduleFolder: goClientModule,
    targetFolder: goClientFolder(),
    programs: new Map([['identity', '.']]),
    linkerFlags: '-s -w',
  };
  const terraform = {
    moduleFolder: terraformModule,
    targetFolder: terraformFolder(),
    programs: new Map([['terraform-policies', '.']]),
    linkerFlags: '-s -w',
  };
  return [identity, terraform];
}

async function buildGoPrograms(): Promise<void> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, interrupt);
  for (const plan of goPlans()) await buildModule(plan, report, interruption.signal);
  for (const signal of signals) process.off(signal, interrupt);
}

async function main(): Promise<number> {
  try {
    // Its Python may have been removed.
    await installOnce(pythonFolder(), installPython, report);
    if (!isExecutable(join(pythonFolder(), 'bin', 'python'))) await installPython();
    await buildGoPrograms();
    if (process.env['AWS_TESTS'] === 'all') await installOnce(javaClientFolder(), installJavaClient, report);
    report('complete');
    return 0;
  } catch (error) {
    if (!(error instanceof TestbedMissing || error instanceof GoMissing || error instanceof GoFailed)) throw error;
    process.stderr.write(`testbed-aws: ${error.message}\n`);
    return error instanceof GoMissing ? 2 : 1;
  }
}

process.exitCode = await main();
