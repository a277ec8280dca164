import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BodyRoom, type BodyStay } from '../../src/server/body-room.ts';
import { ReviewTurns } from '../../src/server/review-turns.ts';

const mebibyte = 1024 * 1024;
const room = new BodyRoom(1024 * mebibyte);

function bodyOf(address: string, bytes: number, trusted = false): BodyStay {
  const stay = room.enter({ address, share: address, trusted }, () => {});
  assert.ok(room.grow(stay, bytes));
  return stay;
}

/** Runs reviews that arrive together; tells the order in which they began, by turns of the event loop. */
async function run(
  bodies: readonly {
    readonly name: string;
    readonly address: string;
    readonly bytes: number;
    readonly trusted?: boolean;
  }[],
): Promise<readonly string[]> {
  const turns = new ReviewTurns();
  const order: string[] = [];
  let turn = 0;
  let over = false;
  const counting = (async () => {
    for (; !over && turn < 1000; turn++) await nextTurn();
  })();
  const waits = bodies.map(async ({ name, address, bytes, trusted }) => {
    const stay = bodyOf(address, bytes, trusted);
    await turns.wait(stay, bytes, () => undefined);
    order.push(`${turn} ${name}`);
    // A large one is parsed in parts, with turns in between.
    if (stay.large) await nextTurn();
    turns.parsed(stay);
  });
  await Promise.all(waits);
  over = true;
  await counting;
  return order;
}

test('one large review at a time, trusted ones first, in turns between addresses', async () => {
  const order = await run([
    { name: 'a1', address: 'a', bytes: mebibyte },
    { name: 'a2', address: 'a', bytes: mebibyte },
    { name: 'a3', address: 'a', bytes: mebibyte },
    { name: 'b1', address: 'b', bytes: mebibyte },
    { name: 'api1', address: 'api', bytes: mebibyte, trusted: true },
    { name: 'api2', address: 'api', bytes: mebibyte, trusted: true },
  ]);
  assert.deepEqual(
    order.map(each => each.split(' ')[1]),
    ['a1', 'api1', 'api2', 'a2', 'b1', 'a3'],
  );
  assert.equal(new Set(order.map(each => each.split(' ')[0])).size, 6, `two in one turn: ${order.join(', ')}`);
});

test('a small review waits for no large one that has not begun', async () => {
  const larges = Array.from({ length: 20 }, (_, index) => ({ name: 'large', address: `${index}`, bytes: mebibyte }));
  const order = await run([...larges, { name: 'small', address: 'b', bytes: 1000 }]);
  assert.ok(order.slice(0, 2).includes('0 small'), order.join(', '));
});

test("strangers' small reviews have a part of each turn, trusted ones go at once", async () => {
  const flood = Array.from({ length: 100 }, (_, index) => ({ name: `a${index}`, address: 'a', bytes: 32 * 1024 }));
  const order = await run([
    ...flood,
    { name: 'b', address: 'b', bytes: 1000 },
    { name: 'api', address: 'api', bytes: 1000, trusted: true },
  ]);
  const turnOf = (name: string): number => Number(order.find(each => each.endsWith(` ${name}`))?.split(' ')[0]);
  assert.equal(turnOf('api'), 0);
  assert.ok(turnOf('b') <= 2, `b in turn ${turnOf('b')}`);
  assert.ok(turnOf('a99') > 8, `the flood was through in ${turnOf('a99')} turns`);
});

test('who was lost meanwhile is told so, and takes nobody a turn', async () => {
  const turns = new ReviewTurns();
  const gone = new Error('gone');
  const first = bodyOf('a', mebibyte);
  assert.equal(
    turns.wait(first, mebibyte, () => undefined),
    undefined,
  );
  const lost = turns.wait(bodyOf('a', mebibyte), mebibyte, () => gone);
  const next = turns.wait(bodyOf('b', mebibyte), mebibyte, () => undefined);
  turns.parsed(first);
  await Promise.all([assert.rejects(async () => lost, gone), next]);
});

test('who comes when a large review was parsed goes behind those who wait', async () => {
  const turns = new ReviewTurns();
  const order: string[] = [];
  const review = async (name: string, address: string, trusted = false): Promise<void> => {
    const stay = bodyOf(address, mebibyte, trusted);
    await turns.wait(stay, mebibyte, () => undefined);
    order.push(name);
    turns.parsed(stay);
  };
  const early = [review('first', 'a'), review('stranger', 'b'), review('api', 'api', true)];
  // Behind the microtasks in which the first was parsed.
  await new Promise(resolve => process.nextTick(resolve));
  await Promise.resolve();
  const late = Array.from({ length: 5 }, (_, index) => review(`late ${index}`, `${index}`));
  await Promise.all([...early, ...late]);
  assert.deepEqual(order.slice(0, 3), ['first', 'api', 'stranger']);
});

test('large reviews that are parsed at once have a turn each all the same', async () => {
  const turns = new ReviewTurns();
  let turn = 0;
  const began: number[] = [];
  const count = (): void => {
    turn++;
    if (began.length < 5) setImmediate(count);
  };
  setImmediate(count);
  for (let index = 0; index < 5; index++) {
    const stay = bodyOf(`${index}`, 100 * 1024);
    await turns.wait(stay, 100 * 1024, () => undefined);
    began.push(turn);
    turns.parsed(stay);
  }
  assert.equal(new Set(began).size, 5, began.join(', '));
});
