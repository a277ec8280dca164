import type { Projection, ReadObject } from '../../src/cluster/projections/projection.ts';
import { JsonStream } from '../../src/objects/json-stream.ts';

/** What a projection reads of an object; undefined for what is none. */
export function readObject<T>(projection: Projection<T>, object: unknown): ReadObject<T> | undefined {
  const read: (ReadObject<T> | undefined)[] = [];
  const stream = new JsonStream(() => projection(object => read.push(object)));
  stream.write(Buffer.from(typeof object === 'string' ? object : JSON.stringify(object)));
  stream.end();
  return read[0];
}
