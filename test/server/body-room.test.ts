import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BodyRoom, type BodyStay, parsedFactor, smallBodyBytes } from '../../src/server/body-room.ts';

const mebibyte = 1024 * 1024;
const large = 2 * mebibyte;
const small = smallBodyBytes;

type Who = 'trusted' | `stranger ${string}`;

/** A room of 16 MiB with a clock of its own, and the names of those that were cut off, in order. */
class Scene {
  readonly cut: string[] = [];
  readonly room: BodyRoom;
  nowMs = 0;

  constructor() {
    this.room = new BodyRoom(16 * mebibyte, () => this.nowMs);
  }

  enter(name: string, who: Who): BodyStay {
    const address = who === 'trusted' ? '10.0.0.1' : who;
    return this.room.enter({ address, share: address, trusted: who === 'trusted' }, () => this.cut.push(name));
  }

  /** A body that holds this much. False when it was refused. */
  hold(name: string, who: Who, bytes: number): boolean {
    return this.room.grow(this.enter(name, who), bytes);
  }

  /** Fills what this peer may use, with bodies 10 ms apart: NAME0, NAME1, ... */
  fill(name: string, who: Who, bytes: number): number {
    const free = (who === 'trusted' ? 15 : bytes > small ? 13 : 14) * mebibyte - this.room.bytes;
    const count = Math.floor(free / bytes);
    for (let index = 0; index < count; index++) {
      assert.ok(this.hold(`${name}${index}`, who, bytes));
      this.nowMs += 10;
    }
    assert.deepEqual(this.cut, []);
    return count;
  }
}

test('a lone peer may use everything but the sixteenths kept for those before it', () => {
  const scene = new Scene();
  const stay = scene.enter('only', 'stranger a');
  assert.ok(scene.room.grow(stay, 13 * mebibyte));
  assert.ok(!scene.room.grow(stay, 13 * mebibyte + 1));
  assert.equal(scene.room.bytes, 13 * mebibyte, 'a refusal changes nothing');
  const trusted = new Scene();
  assert.ok(trusted.hold('small', 'trusted', small));
  assert.ok(trusted.hold('only', 'trusted', 15 * mebibyte - small));
  assert.deepEqual([...scene.cut, ...trusted.cut], []);
});

test('what is given back can be taken again', () => {
  const scene = new Scene();
  const stay = scene.enter('first', 'stranger a');
  assert.ok(scene.room.grow(stay, 13 * mebibyte));
  scene.room.leave(stay);
  scene.room.leave(stay);
  assert.equal(scene.room.bytes, 0);
  assert.ok(!scene.room.grow(stay, 1), 'who has left takes nothing');
  assert.ok(scene.hold('second', 'stranger a', 13 * mebibyte));
});

describe('when the room is spent', () => {
  const rows: readonly {
    readonly name: string;
    readonly full: Who;
    readonly bytes: number;
    readonly newcomer: Who;
    readonly wants: number;
    readonly cut: readonly string[];
    readonly taken: boolean;
  }[] = [
    {
      name: 'a trusted peer takes the place of the stranger who waited longest',
      full: 'stranger a',
      bytes: large,
      newcomer: 'trusted',
      wants: 2 * large,
      cut: ['old0'],
      taken: true,
    },
    {
      name: 'a stranger takes nothing from trusted peers, and is refused',
      full: 'trusted',
      bytes: large,
      newcomer: 'stranger a',
      wants: large,
      cut: [],
      taken: false,
    },
    {
      name: 'a small body finds room that large ones may not take',
      full: 'stranger a',
      bytes: large,
      newcomer: 'stranger b',
      wants: small,
      cut: [],
      taken: true,
    },
    {
      name: 'a large body takes nothing from small ones, and is refused',
      full: 'stranger a',
      bytes: small,
      newcomer: 'stranger b',
      wants: large,
      cut: [],
      taken: false,
    },
    {
      name: 'of equals the longest waiter is cut off, and the newcomer gets its place',
      full: 'stranger a',
      bytes: large,
      newcomer: 'stranger b',
      wants: large,
      cut: ['old0'],
      taken: true,
    },
    {
      name: 'also when the newcomer comes from the same address',
      full: 'stranger a',
      bytes: large,
      newcomer: 'stranger a',
      wants: large,
      cut: ['old0'],
      taken: true,
    },
  ];
  for (const { name, full, bytes, newcomer, wants, cut, taken } of rows) {
    test(name, () => {
      const scene = new Scene();
      assert.ok(scene.fill('old', full, bytes) > 1);
      assert.equal(scene.hold('new', newcomer, wants), taken);
      assert.deepEqual(scene.cut, cut);
    });
  }

  test('an address with many bodies loses before one that has waited as long with one', () => {
    const scene = new Scene();
    scene.hold('one', 'stranger b', large);
    scene.fill('many', 'stranger a', large);
    assert.ok(scene.hold('new', 'stranger c', large));
    assert.deepEqual(scene.cut, ['many0']);
  });

  test('a hundred addresses that each hold a little for long lose before one that sends much at once', () => {
    const scene = new Scene();
    for (let index = 0; index < 100; index++) assert.ok(scene.hold(`slow${index}`, `stranger ${index}`, 128 * 1024));
    scene.nowMs += 2000;
    const server = scene.enter('API server', 'stranger api');
    for (let bytes = mebibyte; bytes <= 8 * mebibyte; bytes *= 2) {
      scene.nowMs += 5;
      assert.ok(scene.room.grow(server, bytes), `refused at ${bytes}`);
    }
    assert.ok(scene.cut.length > 0 && scene.cut.every(name => name.startsWith('slow')));
  });

  test('a body that grows is refused itself when it waits for longest', () => {
    const scene = new Scene();
    const slow = scene.enter('slow', 'stranger a');
    assert.ok(scene.room.grow(slow, 8 * mebibyte));
    scene.nowMs += 1000;
    assert.ok(scene.hold('other', 'stranger b', 4 * mebibyte));
    assert.ok(!scene.room.grow(slow, 16 * mebibyte));
    assert.deepEqual(scene.cut, []);
  });
});

test('a review that is being decided is charged for what it is parsed into, and is not cut off', () => {
  const scene = new Scene();
  const decided = scene.enter('decided', 'stranger a');
  assert.ok(scene.room.grow(decided, 4 * mebibyte));
  assert.ok(scene.room.settle(decided, 4 * mebibyte));
  assert.equal(scene.room.bytes, 4 * mebibyte * parsedFactor);
  scene.nowMs += 1000;
  assert.ok(!scene.hold('large', 'stranger b', 4 * mebibyte));
  assert.ok(scene.hold('trusted', 'trusted', 2 * mebibyte), 'room is kept for the API server');
  assert.deepEqual(scene.cut, []);
});
