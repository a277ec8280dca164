import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RequestOptions {
  /** Whose call it is; without it the administrator's. */
  readonly token?: string;
  /** Without it JSON, and for PATCH a JSON merge patch. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly timeoutMs?: number;
}

export interface ApiResponse<Body> {
  readonly status: number;
  /** The answer as parsed JSON, or as text when it is no JSON. Its type is the caller's claim. */
  readonly body: Body;
  /** The texts of the `Warning` headers, what kubectl prints. https://kubernetes.io/blog/2020/09/03/warnings/ */
  readonly warnings: readonly string[];
}

/** An error to be thrown when a call has no whole answer: no connection, a broken one, or its time limit. */
export class ApiCallFailed extends Error {
  override readonly name = 'ApiCallFailed';
  readonly code = 'ApiCallFailed';
}

const callLimitMs = 15_000;

/** `299 - "text"`, quoted-pair escapes within. https://www.rfc-editor.org/rfc/rfc7234#section-5.5 */
function warningTexts(headers: readonly string[]): string[] {
  return headers.flatMap(header =>
    [...header.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, quoted = '']) => quoted.replaceAll(/\\(.)/g, '$1')),
  );
}

async function readBody(response: IncomingMessage): Promise<unknown> {
  const body = await text(response);
  return response.headers['content-type']?.startsWith('application/json') === true ? JSON.parse(body) : body;
}

/** Plain calls of a kube-apiserver over connections that are kept; no retries. */
export class ApiClient {
  readonly #url: string;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(url: string, certificateAuthority: string, token: string) {
    this.#url = url;
    this.#token = token;
    this.#agent = new Agent({ ca: certificateAuthority, keepAlive: true });
  }

  /**
   * One call. A string or bytes are sent as they are, anything else as JSON.
   * @throws {ApiCallFailed} when there is no whole answer; an answer of any status is none of its concern.
   */
  async request<Body = unknown>(
    method: Method,
    path: string,
    body?: unknown,
    options: RequestOptions = {},
  ): Promise<ApiResponse<Body>> {
    return this.#call(method, path, body, options, async response => {
      const answer = await readBody(response);
      const warnings = warningTexts(response.headersDistinct['warning'] ?? []);
      return { status: response.statusCode ?? 0, body: answer as Body, warnings };
    });
  }

  /** The status of a GET alone: nothing is waited for behind it, such as the end of a watch. @throws {ApiCallFailed} */
  async status(path: string, options: RequestOptions = {}): Promise<number> {
    return this.#call('GET', path, undefined, options, async response => {
      response.destroy();
      return response.statusCode ?? 0;
    });
  }

  async #call<Result>(
    method: Method,
    path: string,
    body: unknown,
    options: RequestOptions,
    read: (response: IncomingMessage) => Promise<Result>,
  ): Promise<Result> {
    const limit = AbortSignal.timeout(options.timeoutMs ?? callLimitMs);
    const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const jsonType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    try {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const call = request(new URL(path, this.#url), {
          method,
          agent: this.#agent,
          signal: limit,
          headers: {
            authorization: `Bearer ${options.token ?? this.#token}`,
            accept: 'application/json',
            ...(payload === undefined
              ? {}
              : { 'content-type': options.contentType ?? jsonType, 'content-length': Buffer.byteLength(payload) }),
            ...options.headers,
          },
        });
        call.once('response', resolve);
        call.once('error', reject);
        call.end(payload);
      });
      return await read(response);
    } catch (error) {
      const cause = limit.aborted ? 'no answer in time' : error instanceof Error ? error.message : String(error);
      throw new ApiCallFailed(`${method} ${path}: ${cause}`, { cause: error });
    }
  }

  /** Drops the connections that are kept. */
  close(): void {
    this.#agent.destroy();
  }
}
