import assert from 'node:assert/strict';
import type { StoredPod } from '../e2e/cluster-objects.ts';
import { eventually } from '../e2e/eventually.ts';
import type { ApiResponse } from '../testbed/api-client.ts';
import type { SharedCluster } from './shared-cluster.ts';

/** https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#PodStatus */
export interface ContainerStatus {
  readonly name: string;
  readonly restartCount: number;
  readonly state: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: object;
    readonly terminated?: { readonly exitCode: number; readonly reason?: string; readonly message?: string };
  };
}

export interface RunningPod extends StoredPod {
  readonly metadata: StoredPod['metadata'] & { readonly namespace: string; readonly uid: string };
  readonly status: {
    readonly phase: string;
    readonly message?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly ephemeralContainerStatuses?: readonly ContainerStatus[];
  };
}

/** What one of clients/ prints in a line. */
export interface ClientAnswer {
  readonly sdk: string;
  readonly error?: string;
  readonly arn?: string;
  readonly accessKeyId?: string;
  readonly uid?: number;
  readonly gid?: number;
  readonly tokenMode?: string;
  readonly configMode?: string;
  readonly tokenIssuedAt?: number;
  readonly region?: string;
}

/** On a busy machine; a few seconds are usual. */
const runLimitMs = 200_000;

/** The pods of a namespace, and what their containers say. */
export class RunningPods {
  readonly namespace: string;
  readonly #shared: Pick<SharedCluster, 'get' | 'plane'>;

  constructor(shared: Pick<SharedCluster, 'get' | 'plane'>, namespace: string) {
    this.namespace = namespace;
    this.#shared = shared;
  }

  /** Creates a pod, and returns the API server's answer with its warnings. */
  async create(pod: object): Promise<ApiResponse<RunningPod>> {
    const answer = await this.#shared.plane.request<RunningPod>('POST', this.#path(), pod);
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer;
  }

  /** What the API server would answer. */
  async dryRun(pod: object): Promise<ApiResponse<RunningPod>> {
    return this.#shared.plane.request<RunningPod>('POST', `${this.#path()}?dryRun=All`, pod);
  }

  async get(name: string): Promise<RunningPod> {
    return this.#shared.get<RunningPod>(this.#path(name));
  }

  /** Of a label's value. */
  async labelled(label: string, value: string): Promise<readonly RunningPod[]> {
    const path = `${this.#path()}?labelSelector=${encodeURIComponent(`${label}=${value}`)}`;
    return (await this.#shared.get<{ readonly items: readonly RunningPod[] }>(path)).items;
  }

  /** Waits until a container has ended, well or not. */
  async ended(name: string, container: string): Promise<NonNullable<ContainerStatus['state']['terminated']>> {
    let last: unknown;
    return eventually(
      `the end of container ${container} of pod ${name}`,
      async () => {
        const pod = await this.get(name);
        last = pod.status;
        return containerStatus(pod, container)?.state.terminated;
      },
      runLimitMs,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify(last)}`, { cause: error });
    });
  }

  /** All lines that a client has printed so far. */
  async answers(name: string, container: string): Promise<readonly ClientAnswer[]> {
    const path = `${this.#path(name)}/log?container=${container}`;
    const { status, body } = await this.#shared.plane.request('GET', path);
    // 400 while it has not started.
    if (status !== 200) return [];
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    // What an SDK warns of on a busy machine stands between. A last line without its end is not whole.
    return text
      .split('\n')
      .slice(0, -1)
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line) as ClientAnswer);
  }

  /** Waits for the first line of a client. */
  async answer(name: string, container: string): Promise<ClientAnswer> {
    return eventually(
      `an answer of container ${container} of pod ${name}`,
      async () => (await this.answers(name, container))[0],
      runLimitMs,
    ).catch(async (error: unknown) => {
      throw new Error(`${String(error)}: ${JSON.stringify((await this.get(name)).status)}`, { cause: error });
    });
  }

  #path(name?: string): string {
    const pods = `/api/v1/namespaces/${this.namespace}/pods`;
    return name === undefined ? pods : `${pods}/${name}`;
  }
}

export function containerStatus({ status }: RunningPod, container: string): ContainerStatus | undefined {
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = status;
  return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].find(
    ({ name }) => name === container,
  );
}
