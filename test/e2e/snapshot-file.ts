import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const folder = join(import.meta.dirname, 'snapshots');
const mark = '=== ';

/** Set, the snapshots are written again from what was seen. */
const updating = (process.env['UPDATE_SNAPSHOTS'] ?? '') !== '';

function parse(text: string): Map<string, string> {
  const sections = text.split(new RegExp(`^${mark}`, 'm')).slice(1);
  return new Map(
    sections.map(section => {
      const end = section.indexOf('\n');
      return [section.slice(0, end), section.slice(end + 1).trimEnd()];
    }),
  );
}

/**
 * Texts that people read, in one file that a person reviews: a section a case. `UPDATE_SNAPSHOTS=1` writes it again.
 */
export class SnapshotFile {
  readonly #path: string;
  readonly #kept: Map<string, string>;
  readonly #seen = new Map<string, string>();

  constructor(name: string) {
    this.#path = join(folder, name);
    this.#kept = existsSync(this.#path) ? parse(readFileSync(this.#path, 'utf8')) : new Map();
  }

  /** Compares a text with what was kept for its case. */
  check(title: string, text: string): void {
    assert.ok(!this.#seen.has(title), `two cases are named ${title}`);
    this.#seen.set(title, text.trimEnd());
    if (!updating) assert.equal(text.trimEnd(), this.#kept.get(title), `${title}, kept in ${this.#path}`);
  }

  /** After all cases: writes the file when updating; else nothing may be kept for a case that is no more. */
  finish(): void {
    if (updating) {
      mkdirSync(dirname(this.#path), { recursive: true });
      writeFileSync(this.#path, [...this.#seen].map(([title, text]) => `${mark}${title}\n${text}\n`).join('\n'));
    } else {
      assert.deepEqual([...this.#kept.keys()], [...this.#seen.keys()]);
    }
  }
}
