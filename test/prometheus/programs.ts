import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { installOnce, isInstalled, runInstaller } from '../aws/install-once.ts';
import { isExecutable, TestbedMissing } from '../testbed/binaries.ts';

const programNames = ['prometheus', 'promtool'] as const;
type Program = (typeof programNames)[number];

/** Debian's package, unpacked: to install it would start its service on this machine. https://packages.debian.org/stable/prometheus */
const folder = join(
  process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'),
  'carm-webhook',
  'testbed',
  'debian-prometheus',
);

function onPath(program: Program): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(each => each !== '');
  return folders.map(each => join(each, program)).find(isExecutable);
}

/** Where a program is: on the PATH, or unpacked by `make testbed-prometheus`. @throws {TestbedMissing} */
export function prometheusProgram(program: Program): string {
  const found = onPath(program) ?? (isInstalled(folder) ? join(folder, 'usr', 'bin', program) : undefined);
  if (found !== undefined) return found;
  throw new TestbedMissing(
    `${program} is not there: run "make testbed-prometheus" (on Debian or Ubuntu), or put it on the PATH`,
  );
}

/** Why the tests that need a real Prometheus are left out; undefined where it is there, or must be. */
export function whyNoPrometheus(): string | undefined {
  if (process.env['PROMETHEUS'] === 'required') return undefined;
  try {
    for (const program of programNames) prometheusProgram(program);
    return undefined;
  } catch (error) {
    if (error instanceof TestbedMissing) return error.message;
    throw error;
  }
}

/** Downloads Debian's package, and unpacks it for this user alone. @throws {TestbedMissing} */
export async function unpackPrometheus(report: (line: string) => void): Promise<void> {
  if (programNames.every(onPath)) return;
  await installOnce(
    folder,
    async () => {
      report("downloading Debian's package prometheus");
      const download = join(folder, 'download');
      mkdirSync(download, { recursive: true });
      const get = () => runInstaller('apt-get', ['download', 'prometheus'], { cwd: download });
      // What apt knows may be old, or nothing yet; only root may ask for more.
      await get().catch(async () => {
        await runInstaller('apt-get', ['update']);
        await get();
      });
      const [file] = readdirSync(download).filter(name => name.endsWith('.deb'));
      if (file === undefined) throw new TestbedMissing('apt-get download prometheus left no package');
      await runInstaller('dpkg-deb', ['--extract', join(download, file), join(folder, 'unpacked')]);
      renameSync(join(folder, 'unpacked', 'usr'), join(folder, 'usr'));
    },
    report,
  );
}
