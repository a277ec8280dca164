import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtBundle } from '../built-bundle.ts';

/** A folder of programs that pages call by their names, each with the command that it stands for. */
export function programFolder(within: string, programs: Readonly<Record<string, readonly string[]>>): string {
  const folder = join(within, 'programs');
  mkdirSync(folder);
  for (const [name, command] of Object.entries(programs)) {
    const words = command.map(word => `'${word}'`).join(' ');
    writeFileSync(join(folder, name), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  }
  return folder;
}

/** The built bundle, under its own name. */
export function carmWebhookProgram(within: string): string {
  return programFolder(within, { 'carm-webhook': [process.execPath, builtBundle()] });
}
