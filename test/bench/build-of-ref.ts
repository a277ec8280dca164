import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const limitMs = 300_000;

/**
 * Builds what stands at a commit, beside the checkout, which stays as it is.
 * @param folder of the caller's, where everything is made.
 * @returns the path of the built program.
 */
export async function buildOfRef(ref: string, root: string, folder: string): Promise<string> {
  const tree = join(folder, 'tree');
  const options = { cwd: root, timeout: limitMs };
  await run('git', ['worktree', 'add', '--quiet', '--detach', tree, ref], options);
  try {
    const [ours, theirs] = await Promise.all(
      [root, tree].map(place => readFile(join(place, 'package-lock.json'), 'utf8')),
    );
    const install = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
    if (ours === theirs) await symlink(join(root, 'node_modules'), join(tree, 'node_modules'));
    else await run('npm', install, { ...options, cwd: tree });
    await run(process.execPath, ['.ci/bundle.ts'], { ...options, cwd: tree });
    await cp(join(tree, 'dist'), join(folder, 'dist'), { recursive: true });
    return join(folder, 'dist', 'carm-webhook.mjs');
  } finally {
    await run('git', ['worktree', 'remove', '--force', tree], options);
  }
}

/** The program that `--against` names: a file, or a commit to be built. */
export async function programOf(against: string, root: string, folder: string): Promise<string> {
  return existsSync(against) ? against : buildOfRef(against, root, folder);
}
