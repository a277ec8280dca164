/**
 * What an object may hold, so that no walk over it costs more than a stated amount. Admission comes before the API server's own
 * validation, so nothing of what that would deny is denied yet. No limit is smaller than what the API server and etcd take
 * (docs/limits.md says why), except those for containers, variables, fields, and objects and arrays.
 */
export const sizeLimits = {
  'bytes of JSON': 3 * 1024 * 1024,
  'objects and arrays': 100_000,
  fields: 100_000,
  'levels of nesting': 10_000,
  'bytes of annotations': 256 * 1024,
  labels: 200_000,
  finalizers: 300_000,
  'owner references': 30_000,
  containers: 1_000,
  'environment variables': 20_000,
  'volume mounts': 30_000,
  volumes: 30_000,
  'volume sources': 30_000,
  'node selector entries': 30_000,
  'names in skip-containers': 2_000,
  'entries of data': 120_000,
  'entries of a selector': 250_000,
} as const;

/** What is measured, as messages call it. */
export type Measured = keyof typeof sizeLimits;

export interface Excess {
  readonly what: Measured;
  /** How many there are at least: nobody goes on counting. */
  readonly atLeast: number;
}

/** An error to be thrown by whoever reads a part of an object that holds more than its limit: the walk ends there. */
export class ObjectTooLargeError extends Error implements Excess {
  override readonly name = 'ObjectTooLargeError';
  readonly code = 'ObjectTooLarge';
  readonly what: Measured;
  readonly atLeast: number;

  constructor({ what, atLeast }: Excess) {
    super(`an object has at least ${atLeast} ${what}; the limit is ${sizeLimits[what]}`);
    this.what = what;
    this.atLeast = atLeast;
  }
}

export class SizeMeter {
  readonly #counts = new Map<Measured, number>();

  /** @throws {ObjectTooLargeError} when that makes more than the limit. */
  add(what: Measured, count: number): void {
    const atLeast = (this.#counts.get(what) ?? 0) + count;
    if (atLeast > sizeLimits[what]) throw new ObjectTooLargeError({ what, atLeast });
    this.#counts.set(what, atLeast);
  }
}

/** @throws {ObjectTooLargeError} */
export function checkSize(what: Measured, count: number): void {
  if (count > sizeLimits[what]) throw new ObjectTooLargeError({ what, atLeast: count });
}
