import { join } from 'node:path';
import { cacheFolder, isExecutable, TestbedMissing } from '../testbed/binaries.ts';
import { isInstalled } from './install-once.ts';

/** What pip installs, and the virtual environment that it goes into. */
export const pythonRequirements = join(import.meta.dirname, 'requirements.txt');
export const pythonFolder = (): string => cacheFolder(import.meta.dirname, ['requirements.txt']);

/** The Go module of a client, and where its program (`identity`) goes. */
export const goClientModule = join(import.meta.dirname, 'clients', 'go');
export const goClientFolder = (): string => cacheFolder(goClientModule, ['go.mod', 'go.sum', 'main.go']);

/** The Go module that evaluates Terraform files, and where its program (`terraform-policies`) goes. */
export const terraformModule = join(import.meta.dirname, 'terraform');
export const terraformFolder = (): string => cacheFolder(terraformModule, ['go.mod', 'go.sum', 'main.go']);

/** The Maven project of a client, and the copy of it that is built. */
export const javaClientProject = join(import.meta.dirname, 'clients', 'java');
export const javaClientFiles = ['pom.xml', 'src/main/java/Identity.java'] as const;
export const javaClientFolder = (): string => cacheFolder(javaClientProject, javaClientFiles);

/** Java takes long to install: it is there where someone asked for it. */
export const hasJavaClient = (): boolean => isInstalled(javaClientFolder());

const missing = (path: string): TestbedMissing =>
  new TestbedMissing(`${path} is not there: run "make testbed-aws" first`);

/** A program of the virtual environment: `python` (with boto3 and ministack) or `aws` (AWS CLI 1). @throws {TestbedMissing} */
export function pythonProgram(name: 'python' | 'aws'): string {
  const path = join(pythonFolder(), 'bin', name);
  // The environment names the Python that it was made with, which may have been removed since.
  if (!isInstalled(pythonFolder()) || !isExecutable(path)) throw missing(path);
  return path;
}

/** @throws {TestbedMissing} */
export function goClientProgram(): string {
  const path = join(goClientFolder(), 'identity');
  if (!isExecutable(path)) throw missing(path);
  return path;
}

/** @throws {TestbedMissing} */
export function terraformProgram(): string {
  const path = join(terraformFolder(), 'terraform-policies');
  if (!isExecutable(path)) throw missing(path);
  return path;
}
