import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './process-liveness.ts';

const prefix = 'carm-webhook-plane-';

/** Folders of planes that have been started by this process and whose logs are still there. */
const folders = new Set<string>();

/** Removes a folder that etcd may still write to, or that another user's test owns: then what is left is left. */
function remove(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  } catch (error) {
    process.stderr.write(`could not be removed: ${folder}: ${String(error)}\n`);
  }
}

/** Removes what a killed test could not: etcd's data, which is large. Its logs stay for whoever looks for the reason. */
function removeAbandonedData(): void {
  for (const entry of readdirSync(tmpdir())) {
    const pid = entry.startsWith(prefix) ? Number.parseInt(entry.slice(prefix.length), 10) : Number.NaN;
    const data = join(tmpdir(), entry, 'data');
    if (Number.isInteger(pid) && !isAlive(pid) && existsSync(data)) {
      remove(data);
    }
  }
}

function endOfProcess(exitCode: number): void {
  for (const folder of folders) {
    if (exitCode === 0) {
      remove(folder);
    } else {
      remove(join(folder, 'data'));
      process.stderr.write(`logs of the control plane: ${join(folder, 'logs')}\n`);
    }
  }
}

/** Where one control plane keeps its files. The logs outlive it until the process ends, and stay when that fails. */
export class PlaneFolder {
  readonly path: string;
  readonly data: string;
  readonly logs: string;

  constructor() {
    removeAbandonedData();
    if (folders.size === 0) {
      process.once('exit', endOfProcess);
    }
    this.path = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`));
    folders.add(this.path);
    this.data = join(this.path, 'data');
    this.logs = join(this.path, 'logs');
    mkdirSync(this.data, { mode: 0o700 });
    mkdirSync(this.logs);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  log(program: string): string {
    return join(this.logs, `${program}.log`);
  }

  /** Removes etcd's data once no program uses it. */
  removeData(): void {
    remove(this.data);
  }
}
