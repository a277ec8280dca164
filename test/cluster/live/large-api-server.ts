import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { makeAuthority } from '../certificate-authority.ts';

/** Resources that are made on the fly. */
export interface LargeCluster {
  /** Each is of a service of its own. */
  readonly kinds: number;
  /** Objects of each kind, by namespace. */
  readonly namespaces: Readonly<Record<string, number>>;
  readonly objectBytes: number;
  /** What is large: spec and managed fields, as of most; one string; labels, which a search reads. */
  readonly shape: 'ordinary' | 'spec' | 'labels';
  readonly slow?: {
    /** Lists of this namespace alone; without it all. */
    readonly in?: string;
    readonly delayMs?: number;
    /** What it says of a list ends within the first object, and the connection stays. */
    readonly stopsMidBody?: boolean;
  };
}

export interface LargeWorkerData {
  readonly key: string;
  readonly cert: string;
}

export interface Counted {
  /** Since the cluster was set. */
  readonly requests: number;
  readonly bytes: number;
}

export type ServerSaid = { readonly port: number } | Counted;
export type ServerTold = LargeCluster | 'count' | 'stop';

/** An API server over TLS, in a thread of its own, with as many ACK resources as a test asks for. */
export class LargeApiServer {
  readonly url: string;
  readonly #worker: Worker;

  private constructor(worker: Worker, url: string) {
    this.#worker = worker;
    this.url = url;
  }

  static async start(): Promise<LargeApiServer> {
    const { key, cert } = await (await makeAuthority('large')).sign('localhost');
    const worker = new Worker(new URL('large-api-worker.ts', import.meta.url), { workerData: { key, cert } });
    const [said] = (await once(worker, 'message')) as [{ readonly port: number }];
    return new LargeApiServer(worker, `https://127.0.0.1:${said.port}`);
  }

  async #tell(told: LargeCluster | 'count'): Promise<Counted> {
    const answered = once(this.#worker, 'message');
    this.#worker.postMessage(told);
    const [counted] = (await answered) as [Counted];
    return counted;
  }

  async hold(cluster: LargeCluster): Promise<void> {
    await this.#tell(cluster);
  }

  count(): Promise<Counted> {
    return this.#tell('count');
  }

  async stop(): Promise<void> {
    const ended = once(this.#worker, 'exit');
    this.#worker.postMessage('stop');
    await ended;
  }
}
