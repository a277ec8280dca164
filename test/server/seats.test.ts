import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Seat, type SeatState, Seats } from '../../src/server/seats.ts';

/** A port of four seats, two of them for handshakes, with a clock of its own. */
class Scene {
  readonly closed: string[] = [];
  readonly seats: Seats;
  /** CPU that addresses have cost lately. */
  costs: Readonly<Record<string, number>> = {};
  nowMs = 0;

  constructor(limits = { seats: 4, handshakes: 2 }) {
    this.seats = new Seats(
      limits,
      share => this.costs[share] ?? 0,
      () => this.nowMs,
    );
  }

  /** One connection more, 10 ms later. */
  take(name: string, address: string, state: SeatState = 'idle', trusted = false): Seat | undefined {
    this.nowMs += 10;
    const begun = state === 'handshake' ? 'queued' : 'idle';
    const seat = this.seats.take({ address, share: address, trusted }, begun, was =>
      this.closed.push(`${name} ${was}`),
    );
    if (seat !== undefined && state === 'busy') this.seats.change(seat, 'busy');
    if (seat !== undefined && state === 'handshake') assert.ok(this.seats.beginHandshake(seat));
    return seat;
  }
}

test('one address may have all seats', () => {
  const scene = new Scene();
  for (const name of ['a', 'b', 'c', 'd']) assert.ok(scene.take(name, 'x'));
  assert.deepEqual([scene.seats.size, scene.closed], [4, []]);
});

const stranger: readonly [address: string, trusted: boolean] = ['9', false];

describe('who makes room for a newcomer', () => {
  const rows: readonly {
    readonly name: string;
    readonly seated: readonly (readonly [name: string, address: string, state?: SeatState, trusted?: boolean])[];
    readonly newcomer?: readonly [address: string, trusted: boolean];
    readonly closed: readonly string[];
  }[] = [
    {
      name: 'the longest idle',
      seated: [
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
        ['d', '4'],
      ],
      closed: ['a idle'],
    },
    {
      name: 'of the address that holds most',
      seated: [
        ['a', '1'],
        ['b', '2'],
        ['c', '2'],
        ['d', '2'],
      ],
      closed: ['b idle'],
    },
    {
      name: 'an idle one before one amid its handshake and one that waits',
      seated: [
        ['a', '1', 'busy'],
        ['b', '1', 'handshake'],
        ['c', '2'],
        ['d', '1', 'busy'],
      ],
      closed: ['c idle'],
    },
    {
      name: 'one amid its handshake before one that waits',
      seated: [
        ['a', '1', 'busy'],
        ['b', '1', 'busy'],
        ['c', '1', 'busy'],
        ['d', '2', 'handshake'],
      ],
      closed: ['d handshake'],
    },
    {
      name: 'the longest waiter, when all wait',
      seated: [
        ['a', '1', 'busy'],
        ['b', '2', 'busy'],
        ['c', '3', 'busy'],
        ['d', '4', 'busy'],
      ],
      closed: ['a busy'],
    },
    {
      name: 'a stranger that waits before an idle trusted peer',
      seated: [
        ['a', '1', 'idle', true],
        ['b', '1', 'idle', true],
        ['c', '1', 'idle', true],
        ['d', '2', 'busy'],
      ],
      closed: ['d busy'],
    },
    {
      name: 'no trusted peer for a stranger, who is refused',
      seated: [
        ['a', '1', 'idle', true],
        ['b', '1', 'idle', true],
        ['c', '1', 'idle', true],
        ['d', '1', 'idle', true],
      ],
      closed: [],
    },
    {
      name: 'an idle trusted peer for a trusted one',
      seated: [
        ['a', '1', 'busy', true],
        ['b', '1', 'idle', true],
        ['c', '1', 'idle', true],
        ['d', '1', 'idle', true],
      ],
      newcomer: ['1', true],
      closed: ['b idle'],
    },
    {
      name: 'no trusted peer that waits for an answer',
      seated: [
        ['a', '1', 'busy', true],
        ['b', '1', 'busy', true],
        ['c', '1', 'busy', true],
        ['d', '1', 'busy', true],
      ],
      newcomer: ['1', true],
      closed: [],
    },
  ];
  for (const { name, seated, newcomer = stranger, closed } of rows) {
    test(name, () => {
      const scene = new Scene();
      for (const each of seated) assert.ok(scene.take(...each));
      const seat = scene.take('new', newcomer[0], 'idle', newcomer[1]);
      assert.deepEqual(scene.closed, closed);
      assert.equal(seat !== undefined, closed.length > 0);
      assert.equal(scene.seats.size, 4);
    });
  }
});

test('unfinished handshakes have a limit of their own, and finished ones do not count', () => {
  const scene = new Scene();
  const first = scene.take('a', '1', 'handshake');
  scene.take('b', '2', 'handshake');
  scene.take('c', '3', 'handshake');
  assert.deepEqual(scene.closed, ['a handshake']);
  assert.ok(first !== undefined);
  scene.seats.change(first, 'idle');
  assert.equal(scene.seats.size, 2, 'who was closed does not come back');
  scene.seats.leave(first);
  assert.equal(scene.seats.size, 2);
  const fourth = scene.take('d', '4', 'handshake');
  assert.deepEqual(scene.closed, ['a handshake', 'b handshake']);
  assert.ok(fourth !== undefined);
  scene.seats.change(fourth, 'idle');
  assert.ok(scene.take('e', '5', 'handshake'));
  assert.equal(scene.closed.length, 2);
});

test('idleness counts from the last answer', () => {
  const scene = new Scene();
  const first = scene.take('a', '1');
  for (const name of ['b', 'c', 'd']) scene.take(name, name);
  assert.ok(first !== undefined);
  scene.seats.change(first, 'busy');
  scene.nowMs += 10;
  scene.seats.change(first, 'idle');
  scene.take('new', '9');
  assert.deepEqual(scene.closed, ['b idle']);
});

test('who has cost much lately makes room before who has long been idle', () => {
  const scene = new Scene();
  scene.costs = { dialer: 60 };
  for (const [name, address] of [
    ['a', 'quiet'],
    ['b', 'dialer'],
    ['c', 'quiet'],
    ['d', 'dialer'],
  ] as const) {
    scene.take(name, address);
  }
  assert.ok(scene.take('new', '9'));
  assert.ok(scene.take('newer', '9'));
  assert.deepEqual(scene.closed, ['b idle', 'd idle']);
});
