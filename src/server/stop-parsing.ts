import type { Socket } from 'node:net';

interface Parser {
  pause(): void;
}

function isParser(value: unknown): value is Parser {
  return typeof value === 'object' && value !== null && 'pause' in value && typeof value.pause === 'function';
}

/**
 * Cuts a connection amid what was read of it. `destroy` alone lets Node.js go on with the rest of the read, which can be ten
 * thousand chunks or a thousand requests. The parser hangs on the socket but is not documented: without it, the rest costs what it costs.
 * https://github.com/nodejs/node/blob/v24.x/lib/_http_server.js
 */
export function stopParsing(socket: Socket): void {
  const parser: unknown = Reflect.get(socket, 'parser');
  if (isParser(parser)) parser.pause();
  socket.destroy();
}
