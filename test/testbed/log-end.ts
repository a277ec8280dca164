import { readFileSync } from 'node:fs';

/** The end of a program's log, for a message that says why it did not get ready. */
export function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
}
