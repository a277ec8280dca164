import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { SupervisedProcess } from '../testbed/supervised-process.ts';

const startLimitMs = 10_000;
const answerLimitMs = 5_000;

/** `response` of an answered AdmissionReview, as far as the demo reads it. */
export interface ReviewResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly message: string };
  readonly patch?: string;
  readonly warnings?: readonly string[];
}

/** The built server as a process of its own, on a folder of manifests. */
export class DemoServer {
  readonly #process: SupervisedProcess;
  readonly #agent: Agent;
  readonly #port: number;

  private constructor(process: SupervisedProcess, port: number) {
    this.#process = process;
    this.#port = port;
    // Its certificate was made a moment ago, by a CA that is written down nowhere.
    this.#agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  }

  /** @throws {Error} when it ends, or does not serve in 10 s. */
  static async start(bundle: string, state: string): Promise<DemoServer> {
    const args = ['serve', '--state', state, '--tls-self-signed', '--bind-address', '127.0.0.1', '--port', '0'];
    const child = new SupervisedProcess(process.execPath, [
      bundle,
      ...args,
      '--ops-port',
      '0',
      '--shutdown-delay',
      '0s',
    ]);
    const timer = setTimeout(() => child.signal('SIGKILL'), startLimitMs);
    const errors = child.stderr === null ? Promise.resolve('') : text(child.stderr);
    try {
      const { stdout } = child;
      if (stdout === null) throw new Error('the server has no stdout');
      const lines = createInterface({ input: stdout });
      for await (const line of lines) {
        const { msg, port } = JSON.parse(line);
        if (msg !== 'serving') continue;
        stdout.resume();
        return new DemoServer(child, port);
      }
    } finally {
      clearTimeout(timer);
    }
    await child.stop();
    throw new Error(`the server did not start: ${(await errors).trim() || 'no word of it on stderr'}`);
  }

  get port(): number {
    return this.#port;
  }

  /** Sends a review as an API server does. @throws {Error} for anything but an answer with HTTP 200. */
  async review(endpoint: 'mutate' | 'validate', review: unknown): Promise<ReviewResponse> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const url = `https://127.0.0.1:${this.#port}/${endpoint}?timeout=5s`;
    const headers = { 'Content-Type': 'application/json' };
    const sent = request(url, { method: 'POST', agent: this.#agent, headers, timeout: answerLimitMs }, response => {
      const { statusCode } = response;
      text(response).then(body => {
        if (statusCode === 200) resolve(body);
        else reject(new Error(`the server answered HTTP ${statusCode}: ${body}`));
      }, reject);
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${answerLimitMs} ms`)));
    sent.on('error', reject);
    sent.end(JSON.stringify(review));
    return JSON.parse(await promise).response;
  }

  /** @throws {Error} when it does not end with code 0. */
  async stop(): Promise<void> {
    this.#agent.destroy();
    await this.#process.stop();
    const end = await this.#process.ended;
    if (end.code !== 0) throw new Error(`the server ended with ${JSON.stringify(end)} instead of code 0`);
  }
}
