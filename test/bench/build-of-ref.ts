import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const limitMs = 300_000;

/**
 * Builds what stands at a commit, beside the checkout, which stays as it is.
 * @param folder of the caller's, where everything is made; the caller removes it.
 * @returns the path of the built program.
 */
export async function buildOfRef(ref: string, root: string, folder: string): Promise<string> {
  const tree = join(folder, 'tree');
  const archive = join(folder, 'tree.tar');
  await mkdir(tree);
  const options = { cwd: root, timeout: limitMs };
  await run('git', ['archive', '--format=tar', `--output=${archive}`, ref], options);
  await run('tar', ['-xf', archive, '-C', tree], options);
  const locks = [root, tree].map(place => readFile(join(place, 'package-lock.json'), 'utf8'));
  const [ours, theirs] = await Promise.all(locks);
  const within = { ...options, cwd: tree };
  if (ours === theirs) await symlink(join(root, 'node_modules'), join(tree, 'node_modules'));
  else await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], within);
  await run(process.execPath, ['.ci/bundle.ts'], within);
  return join(tree, 'dist', 'carm-webhook.mjs');
}

/** The program that `--against` names: a file, or a commit to be built. */
export async function programOf(against: string, root: string, folder: string): Promise<string> {
  return existsSync(against) ? against : buildOfRef(against, root, folder);
}
