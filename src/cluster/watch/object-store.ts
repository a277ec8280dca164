/** The cached objects of one resource, and what changed about them. */

import { setImmediate as turn } from 'node:timers/promises';

export interface StoreChange {
  readonly type: 'set' | 'deleted';
  readonly key: string;
}

/** Objects that are looked at between two turns of the event loop: some milliseconds. */
const objectsOfTurn = 5000;

/** A Map that tells its listener of each change after it was made. A value that is the same one as before is no change. */
export class ObjectStore<T extends NonNullable<unknown>> {
  readonly #onChange: (change: StoreChange) => void;
  #objects = new Map<string, T>();

  constructor(onChange: (change: StoreChange) => void) {
    this.#onChange = onChange;
  }

  get objects(): ReadonlyMap<string, T> {
    return this.#objects;
  }

  set(key: string, value: T): void {
    if (this.#objects.get(key) === value) return;
    this.#objects.set(key, value);
    this.#onChange({ type: 'set', key });
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#onChange({ type: 'deleted', key });
  }

  /**
   * Puts a complete new state in the place of the old one at once; then tells the differences, deletions first. Nothing else
   * may be changed until it resolves.
   */
  async replace(objects: Map<string, T>): Promise<void> {
    const old = this.#objects;
    this.#objects = objects;
    let looked = 0;
    for (const key of old.keys()) {
      if (!objects.has(key)) this.#onChange({ type: 'deleted', key });
      if (++looked % objectsOfTurn === 0) await turn();
    }
    for (const [key, value] of objects) {
      if (old.get(key) !== value) this.#onChange({ type: 'set', key });
      if (++looked % objectsOfTurn === 0) await turn();
    }
  }
}
