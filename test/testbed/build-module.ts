import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isExecutable } from './binaries.ts';
import { BuildLock } from './build-lock.ts';
import { type BuildProgress, goBuild, requireGo } from './go-toolchain.ts';

/** One Go module of the test bed, and what its cache folder holds when it is complete. */
export interface ModulePlan {
  readonly moduleFolder: string;
  readonly targetFolder: string;
  /** Program name -> Go package. */
  readonly programs: ReadonlyMap<string, string>;
  readonly linkerFlags: string;
  /** https://pkg.go.dev/cmd/go#hdr-Build_constraints */
  readonly tags?: readonly string[];
  /** Files beside the programs: their name in the folder, and what writes them into the folder it is given. */
  readonly extra?: { readonly name: string; readonly write: (folder: string) => Promise<void> };
}

const progressMs = 10_000;

function missingPrograms(plan: ModulePlan): [string, string][] {
  return [...plan.programs].filter(([name]) => !isExecutable(join(plan.targetFolder, name)));
}

function isExtraMissing({ extra, targetFolder }: ModulePlan): boolean {
  return extra !== undefined && !existsSync(join(targetFolder, extra.name));
}

export function isComplete(plan: ModulePlan): boolean {
  return missingPrograms(plan).length === 0 && !isExtraMissing(plan);
}

function elapsed(sinceMs: number): string {
  const seconds = Math.round((Date.now() - sinceMs) / 1_000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * Builds what the module's folder lacks. The folder holds finished files only: they are made in a folder beside it and moved.
 * @throws {GoMissing}
 * @throws {GoFailed}
 */
export async function buildModule(
  plan: ModulePlan,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (isComplete(plan)) {
    return;
  }
  await requireGo(plan.moduleFolder);
  let saidAt = 0;
  const lock = await BuildLock.acquire(`${plan.targetFolder}.lock`, pid => {
    signal.throwIfAborted();
    if (Date.now() - saidAt >= progressMs) {
      saidAt = Date.now();
      report(`waiting for the build of process ${pid ?? '?'}`);
    }
  });
  const partial = `${plan.targetFolder}.partial-${process.pid}`;
  try {
    removeAbandoned(plan.targetFolder);
    mkdirSync(partial, { recursive: true });
    // What another process finished while this one waited is not missing any more.
    await buildPrograms(plan, partial, report, signal);
    if (plan.extra !== undefined && isExtraMissing(plan)) {
      await plan.extra.write(join(partial, plan.extra.name));
    }
    moveInto(partial, plan.targetFolder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
    lock.release();
  }
}

async function buildPrograms(
  plan: ModulePlan,
  folder: string,
  report: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const missing = missingPrograms(plan);
  for (const [index, [name, goPackage]] of missing.entries()) {
    const startMs = Date.now();
    const progress: BuildProgress = { compiled: 0, latest: 'nothing compiled yet' };
    const title = `${name} (${index + 1} of ${missing.length})`;
    report(`${title}: building ${goPackage}`);
    const timer = setInterval(() => {
      report(`${title}: ${elapsed(startMs)}, ${progress.compiled} packages compiled, now ${progress.latest}`);
    }, progressMs);
    try {
      const output = join(folder, name);
      const { moduleFolder, linkerFlags, tags = [] } = plan;
      await goBuild({ moduleFolder, package: goPackage, output, linkerFlags, tags }, progress, signal);
      signal.throwIfAborted();
      report(`${title}: built in ${elapsed(startMs)}`);
    } finally {
      clearInterval(timer);
    }
  }
}

/** Removes what killed builds have left; whoever holds the lock is the only one that builds. */
function removeAbandoned(targetFolder: string): void {
  const parent = dirname(targetFolder);
  for (const entry of readdirSync(parent)) {
    if (entry.startsWith(`${basename(targetFolder)}.partial-`)) {
      rmSync(join(parent, entry), { recursive: true, force: true });
    }
  }
}

function moveInto(partial: string, target: string): void {
  if (existsSync(target)) {
    for (const entry of readdirSync(partial)) {
      renameSync(join(partial, entry), join(target, entry));
    }
  } else {
    renameSync(partial, target);
  }
}
