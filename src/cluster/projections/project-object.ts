import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import { JsonStream } from '../../objects/json-stream.ts';
import { type Projection, type ReadObject, valueRead } from './projection.ts';

/**
 * What a projection reads of an object that was parsed already: what it would read of its bytes.
 * @param name its own may be missing, like its version: files have none.
 * @returns undefined for a name that no object can have.
 * @throws what is wrong with the object.
 */
export function projectObject<T>(projection: Projection<T>, name: string, object: JsonObject): T | undefined {
  const written = isJsonObject(object['metadata']) ? object['metadata'] : {};
  const metadata = { ...written, name, resourceVersion: '1' };
  let read: ReadObject<T> | undefined;
  const stream = new JsonStream(() =>
    projection(found => {
      read = found;
    }),
  );
  stream.write(Buffer.from(JSON.stringify({ ...object, metadata })));
  stream.end();
  return read && valueRead(read);
}
