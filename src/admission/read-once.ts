import type { AdmissionRequest } from './review.ts';

/**
 * What was read of a request stands on the request, and goes with it. A WeakMap would cost memory: V8's collections of young
 * objects take its values for live, so each review would stay until the next collection of them all.
 */
const reading = Symbol('reading');

interface Reading {
  readonly by: unknown;
  /** A copy of a request has what was read of the first. */
  readonly of: AdmissionRequest;
  readonly result: unknown;
}

type ReadRequest = AdmissionRequest & { [reading]?: Reading };

/**
 * Makes a reader keep what it made of a request: a decision that is made again, by other state, does not read the same review again.
 * @param read must be pure.
 */
export function readOnce<T>(read: (request: AdmissionRequest) => T): (request: AdmissionRequest) => T {
  return (request: ReadRequest) => {
    const known = request[reading];
    if (known?.by === read && known.of === request) return known.result as T;
    const result = read(request);
    request[reading] = { by: read, of: request, result };
    return result;
  };
}
