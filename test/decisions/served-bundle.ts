import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { Agent, request } from 'node:https';
import type { Endpoint } from '../../src/admission/admit.ts';
import type { AdmissionResponse } from '../../src/admission/response.ts';
import { builtBundle } from '../built-bundle.ts';
import { readyLine } from '../ready-line.ts';

const limitMs = 20_000;

function bodyOf(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve(Buffer.concat(chunks).toString()));
    stream.on('error', reject);
  });
}

/** The built bundle, serving in a process of its own on free ports of 127.0.0.1. */
export class ServedBundle {
  readonly #child: ChildProcess;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  readonly #port: number;
  readonly #opsPort: number;

  private constructor(child: ChildProcess, port: number, opsPort: number) {
    this.#child = child;
    this.#port = port;
    this.#opsPort = opsPort;
  }

  static async start(stateFolder: string, flags: readonly string[]): Promise<ServedBundle> {
    const fixed = ['--tls-self-signed', '--bind-address=127.0.0.1', '--port=0', '--ops-port=0', '--shutdown-delay=0s'];
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CARM_WEBHOOK_')));
    const child = spawn(process.execPath, [builtBundle(), 'serve', `--state=${stateFolder}`, ...fixed, ...flags], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const { port, opsPort } = await readyLine(child, limitMs);
      return new ServedBundle(child, port, opsPort);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  async review(endpoint: Endpoint, body: unknown): Promise<AdmissionResponse> {
    const text = JSON.stringify(body);
    const outgoing = request({
      host: '127.0.0.1',
      port: this.#port,
      method: 'POST',
      path: `/${endpoint}?timeout=5s`,
      agent: this.#agent,
      timeout: limitMs,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in time')));
    const answered = once(outgoing, 'response');
    outgoing.end(text);
    const [incoming] = await answered;
    const answer = await bodyOf(incoming);
    if (incoming.statusCode !== 200) throw new Error(`HTTP ${incoming.statusCode}: ${answer}`);
    const review = JSON.parse(answer) as { kind: string; apiVersion: string; response: AdmissionResponse };
    if (review.kind !== 'AdmissionReview' || review.apiVersion !== 'admission.k8s.io/v1') {
      throw new Error(`not an AdmissionReview of v1: ${answer.slice(0, 200)}`);
    }
    return review.response;
  }

  /** The text of `/metrics`. */
  async metrics(): Promise<string> {
    const outgoing = get({ host: '127.0.0.1', port: this.#opsPort, path: '/metrics', agent: false, timeout: limitMs });
    const [incoming] = await once(outgoing, 'response');
    return bodyOf(incoming);
  }

  /** Ends the server by SIGTERM. @returns its exit code. */
  async stop(): Promise<number | null> {
    this.#agent.destroy();
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), limitMs);
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const [code] = await ended;
    clearTimeout(timer);
    return code;
  }
}
