import { setImmediate as turn } from 'node:timers/promises';

/** What is looked at between two turns of the event loop: some milliseconds. */
const lookedAtInTurn = 1000;

/** The items one by one, with room for other work in between. */
export async function* inTurns<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  let count = 0;
  for (const item of items) {
    yield item;
    if (++count % lookedAtInTurn === 0) await turn();
  }
}
