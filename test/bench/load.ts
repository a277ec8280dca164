import { Buffer } from 'node:buffer';
import { connect, type TLSSocket } from 'node:tls';

/** What one stretch of load brought. */
export interface LoadResult {
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
}

const headEnd = Buffer.from('\r\n\r\n');

/**
 * One keep-alive connection that sends the same request again as soon as it is answered. It reads just enough HTTP to
 * find the end of an answer: a full client would cost more CPU than the server under test.
 */
class LoadConnection {
  readonly #socket: TLSSocket;
  readonly #request: Buffer;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #answerBytes = 0;
  #sentAtMs = 0;
  #onAnswer: (answer: Buffer, latencyMs: number) => void = () => {};
  #onFault: (error: Error) => void = () => {};

  private constructor(socket: TLSSocket, request: Buffer) {
    this.#socket = socket;
    this.#request = request;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', error => this.#onFault(error));
    socket.on('close', () => this.#onFault(new Error('the server closed the connection')));
  }

  static async open(port: number, ca: string, request: Buffer): Promise<LoadConnection> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }, resolve);
    socket.once('error', reject);
    await promise;
    socket.off('error', reject);
    return new LoadConnection(socket, request);
  }

  /** Sends until the time is over; resolves when the last answer is there. */
  run(seconds: number, latenciesMs: number[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const endAtMs = performance.now() + seconds * 1000;
    this.#onFault = reject;
    this.#onAnswer = (_answer, latencyMs) => {
      latenciesMs.push(latencyMs);
      if (performance.now() >= endAtMs) resolve();
      else this.#send();
    };
    this.#send();
    return promise;
  }

  /** Sends one request and resolves with the body of its answer. */
  once(): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    this.#onFault = reject;
    this.#onAnswer = answer => resolve(answer.subarray(answer.indexOf(headEnd) + headEnd.length).toString());
    this.#send();
    return promise;
  }

  close(): void {
    this.#onFault = () => {};
    this.#socket.destroy();
  }

  #send(): void {
    this.#sentAtMs = performance.now();
    this.#socket.write(this.#request);
  }

  #read(chunk: Buffer): void {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    if (this.#answerBytes === 0) this.#answerBytes = this.#lengthOf(Buffer.concat(this.#pending));
    if (this.#answerBytes === 0 || this.#pendingBytes < this.#answerBytes) return;
    const answer = Buffer.concat(this.#pending);
    const latencyMs = performance.now() - this.#sentAtMs;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#answerBytes = 0;
    this.#onAnswer(answer, latencyMs);
  }

  /** The length of head and body, or 0 while the head is not complete. */
  #lengthOf(received: Buffer): number {
    const end = received.indexOf(headEnd);
    if (end < 0) return 0;
    const head = received.toString('latin1', 0, end);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (!head.startsWith('HTTP/1.1 200 ') || length === undefined) {
      this.#onFault(new Error(`the server answered ${JSON.stringify(head.slice(0, 80))}`));
      return 0;
    }
    return end + headEnd.length + Number(length);
  }
}

/** Several connections under constant load: each has one request open at any time. */
export class Load {
  readonly #connections: readonly LoadConnection[];

  private constructor(connections: readonly LoadConnection[]) {
    this.#connections = connections;
  }

  static async open(options: {
    readonly port: number;
    readonly ca: string;
    readonly request: Buffer;
    readonly connections: number;
  }): Promise<Load> {
    const { connections, port, ca, request } = options;
    return new Load(
      await Promise.all(Array.from({ length: connections }, () => LoadConnection.open(port, ca, request))),
    );
  }

  /** The body of one answer. */
  async sample(): Promise<string> {
    const [first] = this.#connections;
    if (first === undefined) throw new RangeError('a load needs at least one connection');
    return first.once();
  }

  /** @throws whatever ends a connection, or an answer that is not 200. */
  async run(seconds: number): Promise<LoadResult> {
    const latenciesMs: number[] = [];
    const startedAtMs = performance.now();
    await Promise.all(this.#connections.map(connection => connection.run(seconds, latenciesMs)));
    return { seconds: (performance.now() - startedAtMs) / 1000, latenciesMs };
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
