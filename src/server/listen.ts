import type { Server } from 'node:net';

export type ListenErrorCode = 'PortTaken' | 'PortForbidden' | 'AddressUnavailable' | 'ListenFailed';

/** An error to be thrown when a port cannot be opened. Its message is one line and names the flag to change. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code: ListenErrorCode;

  constructor(code: ListenErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Connections that the system holds until they are accepted: more than a flood brings in a turn of the event loop. */
const backlog = 4096;

/** Where to listen. */
export interface ListenAddress {
  /** 0 for any free port. */
  readonly port: number;
  readonly host: string;
  /** The flag that sets the port, for messages. */
  readonly portFlag: string;
}

function listenError({ port, host, portFlag }: ListenAddress, cause: Error): ListenError {
  const error = (code: ListenErrorCode, message: string) => new ListenError(code, message, { cause });
  const code = 'code' in cause ? String(cause.code) : cause.message;
  switch (code) {
    case 'EADDRINUSE':
      return error('PortTaken', `port ${port} on ${host} is taken by another process (${portFlag})`);
    case 'EACCES':
      return error('PortForbidden', `port ${port} on ${host} may not be opened by this user (${portFlag})`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EINVAL':
      return error('AddressUnavailable', `${host} is not an address of this machine (--bind-address)`);
    default:
      return error('ListenFailed', `cannot listen on port ${port} of ${host}: ${code} (${portFlag})`);
  }
}

/**
 * Opens the port, and resolves with its number.
 * @throws {ListenError}
 */
export function listen(server: Server, address: ListenAddress): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const onError = (cause: Error): void => reject(listenError(address, cause));
  server.once('error', onError);
  server.listen({ port: address.port, host: address.host, backlog }, () => {
    server.off('error', onError);
    const bound = server.address();
    resolve(typeof bound === 'object' && bound !== null ? bound.port : address.port);
  });
  return promise;
}
