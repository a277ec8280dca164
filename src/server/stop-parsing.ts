import type { Socket } from 'node:net';

/**
 * Cuts a connection amid what was read of it. `destroy` alone lets Node.js go on with the rest of the read, which can be ten
 * thousand chunks or a thousand requests. The parser hangs on the socket but is not documented: without it, the rest costs what it costs.
 * https://github.com/nodejs/node/blob/v24.x/lib/_http_server.js
 */
export function stopParsing(socket: Socket): void {
  const parser: unknown = Reflect.get(socket, 'parser');
  if (parser instanceof Object && 'pause' in parser && typeof parser.pause === 'function') parser.pause();
  socket.destroy();
}
