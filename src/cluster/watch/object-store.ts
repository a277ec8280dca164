/** The cached objects of one resource, and what changed about them. */

import { setImmediate as turn } from 'node:timers/promises';

export type StoreChange<T> =
  | { readonly type: 'set'; readonly key: string; readonly value: T; readonly previous: T | undefined }
  | { readonly type: 'deleted'; readonly key: string; readonly previous: T };

/** Objects that are looked at between two turns of the event loop: some milliseconds. */
const objectsOfTurn = 5000;

/** A Map that tells its listener of each change after it was made. A value that is the same one as before is no change. */
export class ObjectStore<T extends NonNullable<unknown>> {
  readonly #onChange: (change: StoreChange<T>) => void;
  #objects = new Map<string, T>();

  constructor(onChange: (change: StoreChange<T>) => void) {
    this.#onChange = onChange;
  }

  get objects(): ReadonlyMap<string, T> {
    return this.#objects;
  }

  set(key: string, value: T): void {
    const previous = this.#objects.get(key);
    this.#objects.set(key, value);
    if (previous !== value) this.#onChange({ type: 'set', key, value, previous });
  }

  delete(key: string): void {
    const previous = this.#objects.get(key);
    if (previous === undefined) return;
    this.#objects.delete(key);
    this.#onChange({ type: 'deleted', key, previous });
  }

  /**
   * Puts a complete new state in the place of the old one at once; then tells the differences, deletions first. Nothing else
   * may be changed until it resolves.
   */
  async replace(objects: Map<string, T>): Promise<void> {
    const old = this.#objects;
    this.#objects = objects;
    let looked = 0;
    for (const [key, previous] of old) {
      if (!objects.has(key)) this.#onChange({ type: 'deleted', key, previous });
      if (++looked % objectsOfTurn === 0) await turn();
    }
    for (const [key, value] of objects) {
      const previous = old.get(key);
      if (previous !== value) this.#onChange({ type: 'set', key, value, previous });
      if (++looked % objectsOfTurn === 0) await turn();
    }
  }
}
