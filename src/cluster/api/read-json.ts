import type { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { JsonBytesError } from '../../objects/json-bytes.ts';
import type { JsonStream } from '../../objects/json-stream.ts';
import { AnswerTooLongError, ApiProtocolError, ClusterUnreachableError } from './api-errors.ts';

/**
 * What one object may take, as an answer or as an event. The API server takes requests of 3 MiB, of which each byte may come
 * back as an escape of six; and etcd, as it is configured by default, half of that. Nothing is held of it, so this bounds
 * only time: some 60 ms of work, in turns.
 * https://github.com/kubernetes/kubernetes/blob/v1.36.0/staging/src/k8s.io/apiserver/pkg/server/config.go (MaxRequestBodyBytes)
 */
export const mostObjectBytes = 32 * 1024 * 1024;

/** Some half a millisecond of work; then others have a turn. */
const bytesOfTurn = 256 * 1024;

/** Cuts a body into turns of the event loop, whatever the size of its chunks. */
async function* turnsOf(body: Readable): AsyncGenerator<Buffer, void, undefined> {
  let bytes = 0;
  for await (const chunk of body) {
    const whole: Buffer = chunk;
    for (let from = 0; from < whole.length; from += bytesOfTurn) {
      const part = whole.subarray(from, from + bytesOfTurn);
      yield part;
      bytes += part.length;
      if (bytes >= bytesOfTurn) {
        bytes = 0;
        await turn();
      }
    }
  }
}

/**
 * Reads a body piece by piece.
 * @param afterPiece called after each piece. What the stream's takings and this throw ends the reading.
 * @throws {ApiProtocolError} when the body is not JSON.
 * @throws {ClusterUnreachableError} when it breaks off.
 */
export async function* readPieces(
  body: Readable,
  stream: JsonStream,
  what: string,
): AsyncGenerator<number, void, undefined> {
  const pieces = turnsOf(body);
  try {
    for (;;) {
      const piece = await pieces.next().catch((cause: unknown) => {
        const message = cause instanceof Error ? cause.message : String(cause);
        throw new ClusterUnreachableError(`${what} broke off: ${message}`, { cause });
      });
      if (piece.done) return;
      parse(() => stream.write(piece.value), what);
      yield piece.value.length;
    }
  } finally {
    body.destroy();
  }
}

function parse(run: () => void, what: string): void {
  try {
    run();
  } catch (cause) {
    if (!(cause instanceof JsonBytesError || cause instanceof SyntaxError)) throw cause;
    throw new ApiProtocolError(`${what} is not JSON`, { cause });
  }
}

/**
 * Reads a body that is one JSON object.
 * @returns its bytes.
 * @throws {AnswerTooLongError | ApiProtocolError | ClusterUnreachableError}
 */
export async function readAnswer(body: Readable, stream: JsonStream, mostBytes: number): Promise<number> {
  const what = 'the answer';
  let bytes = 0;
  for await (const length of readPieces(body, stream, what)) {
    bytes += length;
    if (bytes > mostBytes) throw new AnswerTooLongError(mostBytes);
  }
  parse(() => stream.end(), what);
  if (stream.values !== 1) throw new ApiProtocolError(`${what} is not JSON`);
  return bytes;
}
