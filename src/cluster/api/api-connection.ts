/**
 * Requests to the API server over HTTP/1.1, one socket a request: a watch that hangs can hold up nothing but itself.
 * HTTP/2 would put all of them on one TCP connection, whose loss nobody notices for minutes
 * (https://github.com/kubernetes/client-go/issues/374).
 */

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { JsonObject } from '../../objects/json.ts';
import { AnswerTooLongError, type ApiError, ApiProtocolError, ClusterUnreachableError } from './api-errors.ts';
import { apiErrorOf, parseJsonObject } from './api-object.ts';
import type { ClusterAccess, ClusterCredentials } from './cluster-access.ts';

export interface GetOptions {
  /** Ends the request wherever it is; the connection is closed. */
  readonly signal: AbortSignal;
  /** The Accept header; JSON without it. */
  readonly accept?: string;
}

export interface JsonGetOptions extends GetOptions {
  /** Bytes of body that are read at most. */
  readonly maxBytes?: number;
}

/** Hands out pools of sockets that share nothing but the credentials. */
export class ApiConnection {
  readonly #credentials: ClusterCredentials;

  constructor(credentials: ClusterCredentials) {
    this.#credentials = credentials;
  }

  /** A pool of at most `maxSockets` connections. Who opens it closes it. */
  pool(maxSockets: number): ApiPool {
    return new ApiPool(this.#credentials, maxSockets);
  }
}

/** What is written. */
interface Write {
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  readonly contentType: string;
  readonly body: string;
}

const errorBodyBytes = 64 * 1024;
const jsonBodyBytes = 64 * 1024 * 1024;
/** Below kube-apiserver's 90 s and the 60 s of common load balancers, so that we close first. */
const idleSocketMs = 30_000;

export class ApiPool {
  readonly #credentials: ClusterCredentials;
  readonly #httpsAgent: HttpsAgent;
  readonly #httpAgent: HttpAgent;
  readonly #sockets = new Set<Socket>();
  readonly #closing = new AbortController();

  constructor(credentials: ClusterCredentials, maxSockets: number) {
    this.#credentials = credentials;
    const options = { keepAlive: true, keepAliveMsecs: 15_000, maxSockets, timeout: idleSocketMs };
    this.#httpsAgent = new HttpsAgent(options);
    this.#httpAgent = new HttpAgent(options);
  }

  /** Sockets that are open or being opened. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  /**
   * Asks for `path` (query included). The answer has a 2xx status and an unread body. Fresh credentials are tried once
   * when the first were rejected; a kept connection that the server had just closed is replaced once.
   * @throws {ApiError | ClusterUnreachableError}
   */
  get(path: string, options: GetOptions): Promise<IncomingMessage> {
    return this.#ask(path, options);
  }

  /** Creates an object. @throws {ApiError | ClusterUnreachableError} */
  create(path: string, object: JsonObject, signal: AbortSignal): Promise<void> {
    return this.#write(path, { method: 'POST', contentType: 'application/json', body: JSON.stringify(object) }, signal);
  }

  /**
   * Makes an object what it should be, whether it is there or not.
   * https://kubernetes.io/docs/reference/using-api/server-side-apply/
   * @throws {ApiError | ClusterUnreachableError}
   */
  apply(path: string, object: JsonObject, signal: AbortSignal): Promise<void> {
    const contentType = 'application/apply-patch+yaml';
    const write = { method: 'PATCH', contentType, body: JSON.stringify(object) } as const;
    return this.#write(`${path}?fieldManager=carm-webhook&force=true`, write, signal);
  }

  /**
   * Changes an object, if it still has the version that the patch names: else the API server answers 409.
   * https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-apply
   * @throws {ApiError | ClusterUnreachableError}
   */
  mergePatch(path: string, patch: JsonObject, signal: AbortSignal): Promise<void> {
    const contentType = 'application/merge-patch+json';
    return this.#write(
      `${path}?fieldManager=carm-webhook`,
      { method: 'PATCH', contentType, body: JSON.stringify(patch) },
      signal,
    );
  }

  /** @throws {ApiError | ClusterUnreachableError} */
  delete(path: string, signal: AbortSignal): Promise<void> {
    return this.#write(path, { method: 'DELETE', contentType: 'application/json', body: '{}' }, signal);
  }

  async #write(path: string, write: Write, signal: AbortSignal): Promise<void> {
    // Read to its end, so that the connection can be used again.
    await bodyOf(await this.#ask(path, { signal }, write), jsonBodyBytes);
  }

  async #ask(path: string, options: GetOptions, write?: Write): Promise<IncomingMessage> {
    let access = await this.#credentials.access(options.signal);
    let response: IncomingMessage;
    try {
      response = await this.#send(access, path, options, write);
    } catch (error) {
      if (!(error instanceof ClusterUnreachableError) || !(error.cause instanceof ReusedSocketError)) throw error;
      response = await this.#send(access, path, options, write);
    }
    if (response.statusCode === 401) {
      this.#credentials.forget();
      const fresh = await this.#credentials.access(options.signal);
      if (!sameCredentials(access, fresh)) {
        response.destroy();
        access = fresh;
        response = await this.#send(access, path, options, write);
        if (response.statusCode === 401) this.#credentials.forget();
      }
    }
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw await errorOf(response, status);
  }

  /** @throws {ApiError | ClusterUnreachableError | ApiProtocolError} */
  async getJson(path: string, options: JsonGetOptions): Promise<JsonObject> {
    const response = await this.get(path, options);
    const text = await bodyOf(response, options.maxBytes ?? jsonBodyBytes);
    return parseJsonObject(text, 'the answer');
  }

  /**
   * Posts what stores nothing, such as a TokenRequest, for the answer.
   * @throws {ApiError | ClusterUnreachableError | ApiProtocolError}
   */
  async postJson(path: string, object: JsonObject, options: JsonGetOptions): Promise<JsonObject> {
    const write = { method: 'POST', contentType: 'application/json', body: JSON.stringify(object) } as const;
    const text = await bodyOf(await this.#ask(path, options, write), options.maxBytes ?? jsonBodyBytes);
    return parseJsonObject(text, 'the answer');
  }

  /** Ends every request. Resolves when the last socket is closed. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#httpsAgent.destroy();
    this.#httpAgent.destroy();
    await Promise.all(
      [...this.#sockets].map(socket => {
        const { promise, resolve } = Promise.withResolvers<void>();
        socket.once('close', () => resolve());
        socket.destroy();
        return promise;
      }),
    );
  }

  #send(
    access: ClusterAccess,
    path: string,
    { signal, accept }: GetOptions,
    write: Write | undefined,
  ): Promise<IncomingMessage> {
    const secure = access.server.protocol === 'https:';
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    if (signal.aborted || this.#closing.signal.aborted) {
      reject(new ClusterUnreachableError('the request was ended before it was sent'));
      return promise;
    }
    const options: RequestOptions = {
      ...access.options,
      agent: access.proxyAgent ?? (secure ? this.#httpsAgent : this.#httpAgent),
      headers: {
        ...access.headers,
        Accept: accept ?? 'application/json',
        'User-Agent': 'carm-webhook',
        // Of a DELETE, Node.js writes no length by itself, and the server would take the body for another request.
        ...(write && { 'Content-Type': write.contentType, 'Content-Length': Buffer.byteLength(write.body) }),
      },
      ...(write && { method: write.method }),
    };
    const request = (secure ? httpsRequest : httpRequest)(urlOf(access.server, path), options);
    const end = () => request.destroy(new Error('the request was ended'));
    signal.addEventListener('abort', end, { once: true });
    this.#closing.signal.addEventListener('abort', end, { once: true });
    request.once('close', () => {
      signal.removeEventListener('abort', end);
      this.#closing.signal.removeEventListener('abort', end);
    });
    request.on('socket', socket => this.#track(socket));
    request.once('response', response => {
      // A later failure belongs to whoever reads the body; without a listener it would end the process.
      response.on('error', () => {});
      resolve(response);
    });
    // Stays attached: errors may follow the first one.
    request.on('error', error => {
      if (request.reusedSocket && signal.aborted) this.#dropKept();
      const cause = request.reusedSocket && !signal.aborted ? new ReusedSocketError(error) : error;
      if (isCertificateError(error)) this.#credentials.forget();
      reject(new ClusterUnreachableError(`no answer from ${access.server.host}: ${error.message}`, { cause }));
    });
    request.end(write?.body);
    return promise;
  }

  /** A kept socket gave no answer in time: others may have died in silence with it, and the next try must not meet one. */
  #dropKept(): void {
    for (const { freeSockets } of [this.#httpsAgent, this.#httpAgent]) {
      for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
    }
  }

  #track(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#closing.signal.aborted) socket.destroy();
  }
}

/** The kept connection failed before any answer: most often the server had closed it while we wrote. */
class ReusedSocketError extends Error {
  override readonly name = 'ReusedSocketError';

  constructor(cause: Error) {
    super(cause.message, { cause });
  }
}

/** `server` of a kubeconfig may have a path of its own (https://HOST/k8s/clusters/ID). */
function urlOf(server: URL, path: string): URL {
  const url = new URL(server);
  const question = path.indexOf('?');
  url.pathname = url.pathname.replace(/\/$/, '') + (question < 0 ? path : path.slice(0, question));
  url.search = question < 0 ? '' : path.slice(question);
  return url;
}

function sameCredentials(a: ClusterAccess, b: ClusterAccess): boolean {
  const partsOf = ({ headers, options }: ClusterAccess) =>
    JSON.stringify([headers['Authorization'], String(options.cert), String(options.key), options.auth]);
  return partsOf(a) === partsOf(b);
}

/** The cluster's CA, or our client certificate, may have been renewed since the files were read. */
function isCertificateError(error: Error): boolean {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_SSL|ERR_TLS/.test(code);
}

async function errorOf(response: IncomingMessage, status: number): Promise<ApiError> {
  const retryAfterMs = retryAfterMsOf(response.headers['retry-after']);
  let body: unknown;
  try {
    body = JSON.parse(await bodyOf(response, errorBodyBytes));
  } catch {
    response.destroy();
  }
  return apiErrorOf(body, status, retryAfterMs);
}

/** Seconds or a date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterMsOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const waitMs = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return waitMs > 0 ? waitMs : undefined;
}

/** @throws {ClusterUnreachableError | ApiProtocolError} when the body breaks off or is longer than `maxBytes` */
async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) throw new AnswerTooLongError(maxBytes);
    }
  } catch (error) {
    if (error instanceof ApiProtocolError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new ClusterUnreachableError(`the answer broke off: ${message}`, { cause: error });
  }
  return Buffer.concat(chunks).toString('utf8');
}
