import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpError } from './http-error.ts';
import { stopParsing } from './stop-parsing.ts';

/** How long, and how much, a refused client may go on sending before the connection is cut. */
export const lingerMs = 2000;
const lingerBytes = 16 * 1024 * 1024;
/** Each chunk costs some microseconds whatever its size. Many more come only of bodies in chunks of a byte. */
const lingerChunks = 4000;

function hasUnreadBody(request: IncomingMessage): boolean {
  if (request.complete) return false;
  const length = request.headers['content-length'];
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

/**
 * Answers by an HTTP error with one readable line. The connection stays open where the whole request was read.
 * Otherwise it closes, but not before the client had time to read the answer: a socket closed with unread bytes in its
 * buffer is reset, and the reset can overtake the answer. https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 * @param onRead called for each chunk of the body that is read to be thrown away.
 */
export function sendHttpError(
  request: IncomingMessage,
  response: ServerResponse,
  error: HttpError,
  close: boolean,
  onRead: (bytes: number) => void,
): void {
  const body = Buffer.from(`${error.message}\n`);
  const unread = hasUnreadBody(request);
  response.statusCode = error.status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Content-Length', body.length);
  if (error.allow !== undefined) response.setHeader('Allow', error.allow);
  if (unread || close) response.setHeader('Connection', 'close');
  if (!unread) {
    response.end(body);
    return;
  }
  response.write(body);
  drainThen(request, onRead, () => response.end());
}

/** Reads on and throws away, until the request is over or the client has had its time. */
function drainThen(request: IncomingMessage, onRead: (bytes: number) => void, done: () => void): void {
  let leftBytes = lingerBytes;
  let leftChunks = lingerChunks;
  const timer = setTimeout(finish, lingerMs);
  function finish(): void {
    clearTimeout(timer);
    request.off('data', onData).off('end', finish).off('close', finish);
    done();
  }
  function onData(chunk: Buffer): void {
    onRead(chunk.length);
    leftBytes -= chunk.length;
    if (leftBytes < 0) finish();
    if (--leftChunks < 0) stopParsing(request.socket);
  }
  request
    .on('error', () => {})
    .on('end', finish)
    .on('close', finish)
    .on('data', onData);
  // Unread data of a paused reader would keep the request from ever ending.
  request.resume();
  if (request.socket.readableEnded) finish();
}

/** The same answer on a bare socket, for what never became a request; the socket is gone soon after. */
export function sendHttpErrorOnSocket(socket: Duplex, error: HttpError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = `${error.message}\n`;
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Date: ${new Date().toUTCString()}`,
    ...(error.allow === undefined ? [] : [`Allow: ${error.allow}`]),
    'Connection: close',
  ];
  socket.on('error', () => {});
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  socket.resume();
}
