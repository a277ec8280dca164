import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';

/** A file's text, or more of it; a folder has the mode alone. */
export type Entry = string | { readonly text?: string; readonly mode?: number } | { readonly link: string };

/** A folder with these files, until the test has ended. */
export async function folderOf(t: TestContext, entries: Readonly<Record<string, Entry>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-webhook-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [path, entry] of Object.entries(entries)) {
    const place = join(folder, path);
    await makeFolders(folder, dirname(path));
    if (typeof entry === 'string') {
      await writeFile(place, entry);
      await chmod(place, 0o644);
    } else if ('link' in entry) {
      await symlink(entry.link, place);
    } else {
      if (entry.text === undefined) await mkdir(place);
      else await writeFile(place, entry.text);
      await chmod(place, entry.mode ?? (entry.text === undefined ? 0o755 : 0o644));
    }
  }
  return folder;
}

/** Whatever the umask is. */
async function makeFolders(folder: string, path: string): Promise<void> {
  let place = folder;
  for (const part of path.split('/')) {
    place = join(place, part);
    if (existsSync(place)) continue;
    await mkdir(place);
    await chmod(place, 0o755);
  }
}
