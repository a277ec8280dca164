import { generateKeyPair, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ApiClient, type ApiResponse, type Method, type RequestOptions } from './api-client.ts';
import { type ControlPlaneProgram, controlPlaneProgram, controlPlanePrograms } from './binaries.ts';
import { apiServerFlags, controllerManagerFlags, etcdFlags, type PlaneSettings } from './control-plane-flags.ts';
import { kubeconfig } from './kubeconfig.ts';
import { type KubectlOptions, type KubectlResult, runKubectl } from './kubectl.ts';
import { lastLines } from './log-end.ts';
import { freePort } from './loopback-port.ts';
import { nodeAddress, nodeUsers } from './node/node-settings.ts';
import { PlaneFolder } from './plane-folder.ts';
import { SupervisedProcess } from './supervised-process.ts';

/** A user whom the API server knows by a token. */
export interface PlaneUser {
  readonly name: string;
  readonly groups?: readonly string[];
}

export interface ControlPlaneOptions {
  /** Also run kube-controller-manager: Deployments make pods, namespaces get their ServiceAccount `default`, garbage is collected. */
  readonly controllerManager?: boolean;
  readonly users?: readonly PlaneUser[];
  /**
   * For a plane that a node joins, in a network namespace of their own: kube-apiserver listens at the node's address. Its
   * kube-controller-manager always runs.
   */
  readonly node?: boolean;
  /** Added to kube-apiserver's flags. */
  readonly apiServerFlags?: readonly string[];
}

/** An error to be thrown when a program of the plane does not get ready; the message has the end of its log. */
export class ControlPlaneFailed extends Error {
  override readonly name = 'ControlPlaneFailed';
  readonly code = 'ControlPlaneFailed';
}

const readyLimitMs = 40_000;
const pollMs = 50;
const probeLimitMs = 5_000;
/** kube-apiserver ends its watches and open calls before it goes. */
const stopGraceMs = 10_000;
const startAttempts = 3;
const admin = 'admin';

/** A real etcd and kube-apiserver, for one test file. There is no kubelet: pods stay Pending. */
export class ControlPlane {
  readonly url: string;
  /** The certificate that vouches for the API server's. */
  readonly caFile: string;
  /** The kubeconfig of a user in `system:masters`. */
  readonly adminKubeconfig: string;
  readonly adminToken: string;
  readonly etcdUrl: string;
  /** Where the programs' logs are; gone when the test's process ends well. */
  readonly logFolder: string;
  /** Where programs keep what is thrown away with the plane. */
  readonly dataFolder: string;
  /** What verifies the tokens of ServiceAccounts. */
  readonly serviceAccountPublicKeyFile: string;
  readonly #folder: PlaneFolder;
  readonly #settings: PlaneSettings;
  readonly #tokens = new Map<string, string>();
  readonly #running = new Map<ControlPlaneProgram, SupervisedProcess>();
  #kubeconfigs = 0;
  #client: ApiClient | undefined;

  private constructor(
    folder: PlaneFolder,
    ports: readonly [number, number, number, number],
    options: ControlPlaneOptions,
  ) {
    const [etcdPort, peerPort, apiServerPort, controllerManagerPort] = ports;
    this.#folder = folder;
    this.logFolder = folder.logs;
    this.dataFolder = folder.data;
    this.serviceAccountPublicKeyFile = folder.file('service-account.pub');
    const { node = false } = options;
    const apiServerAddress = node ? nodeAddress : '127.0.0.1';
    this.url = `https://${apiServerAddress}:${apiServerPort}`;
    this.etcdUrl = `http://127.0.0.1:${etcdPort}`;
    // kube-apiserver makes its own certificate there, and keeps it over restarts.
    this.caFile = folder.file('certificates/apiserver.crt');
    this.adminKubeconfig = folder.file('admin.kubeconfig');
    this.#settings = {
      apiServerAddress,
      node,
      etcdDataFolder: join(folder.data, 'etcd'),
      etcdClientUrl: this.etcdUrl,
      etcdPeerUrl: `http://127.0.0.1:${peerPort}`,
      apiServerPort,
      certificateFolder: folder.file('certificates'),
      serviceAccountPrivateKey: folder.file('service-account.key'),
      serviceAccountPublicKey: this.serviceAccountPublicKeyFile,
      tokenFile: folder.file('tokens.csv'),
      caFile: this.caFile,
      adminKubeconfig: this.adminKubeconfig,
      controllerManagerPort,
      controllerManager: needsControllerManager(options),
      apiServerFlags: options.apiServerFlags ?? [],
    };
    this.adminToken = this.#writeTokens([...(node ? nodeUsers : []), ...(options.users ?? [])]);
    writeFileSync(this.adminKubeconfig, kubeconfig(this.url, this.caFile, this.adminToken), { mode: 0o600 });
  }

  /**
   * Starts a plane and waits until it answers.
   * @throws {TestbedMissing} when a program is not there
   * @throws {ControlPlaneFailed} when one does not get ready
   */
  static async start(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    for (const program of neededPrograms(options)) {
      controlPlaneProgram(program);
    }
    for (let attempt = 1; ; attempt++) {
      const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const;
      const plane = new ControlPlane(new PlaneFolder(), ports, options);
      try {
        await plane.#startAll();
        return plane;
      } catch (error) {
        await plane.stop();
        // Another process took one of the ports between our look and the program's.
        const portTaken = error instanceof ControlPlaneFailed && error.message.includes('address already in use');
        if (!portTaken || attempt === startAttempts) {
          throw error;
        }
      }
    }
  }

  /** The process ids of the programs that run, by program. */
  get pids(): ReadonlyMap<ControlPlaneProgram, number> {
    return new Map([...this.#running].map(([program, { pid }]) => [program, pid]));
  }

  /** The token of a user given to `start`. */
  tokenOf(user: string): string {
    const token = this.#tokens.get(user);
    if (token === undefined) {
      throw new Error(`${JSON.stringify(user)} is no user of this plane: name it in the users of ControlPlane.start`);
    }
    return token;
  }

  /** Writes a kubeconfig for a token, or for a user given to `start`, and returns its path. */
  kubeconfigFor(who: { readonly token: string } | { readonly user: string }): string {
    const token = 'token' in who ? who.token : this.tokenOf(who.user);
    this.#kubeconfigs += 1;
    const path = this.#folder.file(`user-${this.#kubeconfigs}.kubeconfig`);
    writeFileSync(path, kubeconfig(this.url, this.caFile, token), { mode: 0o600 });
    return path;
  }

  /** Runs kubectl, as the administrator if nothing else is said. @throws {KubectlFailed} */
  async kubectl(args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> {
    return runKubectl(controlPlaneProgram('kubectl'), this.#folder.path, this.adminKubeconfig, args, options);
  }

  /** One call of the API server, as the administrator if no token is given. @throws {ApiCallFailed} */
  async request<Body = unknown>(
    method: Method,
    path: string,
    body?: unknown,
    options: RequestOptions = {},
  ): Promise<ApiResponse<Body>> {
    return this.#api.request<Body>(method, path, body, options);
  }

  /** The status of a GET alone: nothing is waited for behind it, such as the end of a watch. @throws {ApiCallFailed} */
  async status(path: string, options: RequestOptions = {}): Promise<number> {
    return this.#api.status(path, options);
  }

  get #api(): ApiClient {
    this.#client ??= new ApiClient(this.url, readFileSync(this.caFile, 'utf8'), this.adminToken);
    return this.#client;
  }

  /**
   * A ServiceAccount's token by TokenRequest; the API server's own audience and an hour if nothing else is said.
   * https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/
   */
  async tokenFor(
    namespace: string,
    serviceAccount: string,
    options: { readonly audience?: string; readonly expirationSeconds?: number } = {},
  ): Promise<string> {
    const { audience, expirationSeconds } = options;
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${serviceAccount}/token`;
    const spec = { audiences: audience === undefined ? [] : [audience], expirationSeconds };
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
    const answer = await this.request<{ readonly status?: { readonly token?: string } }>('POST', path, body);
    const token = answer.body.status?.token;
    if (answer.status !== 201 || token === undefined) {
      throw new Error(`no token for ${namespace}/${serviceAccount}: ${answer.status} ${JSON.stringify(answer.body)}`);
    }
    return token;
  }

  /** Stops kube-apiserver alone and waits until it is gone; `abrupt` as a crash would (SIGKILL). */
  async stopApiServer(options: { readonly abrupt?: boolean } = {}): Promise<void> {
    await this.#stop('kube-apiserver', options.abrupt === true ? 0 : stopGraceMs);
    this.#client?.close();
    this.#client = undefined;
  }

  /** Starts kube-apiserver again on the same port and the same etcd, and waits until it is ready. */
  async startApiServer(): Promise<void> {
    if (!this.#running.has('kube-apiserver')) {
      await this.#startApiServerOnce().catch(async (error: unknown) => {
        if (this.#running.get('kube-apiserver')?.end !== undefined) throw error;
        // On a busy machine one of its start-up hooks may hang for good; /readyz says which.
        process.stderr.write(`${String(error).split('\n')[0]}; starting it again. ${await this.#readiness()}\n`);
        await this.stopApiServer({ abrupt: true });
        await this.#startApiServerOnce();
      });
    }
  }

  async #startApiServerOnce(): Promise<void> {
    this.#spawn('kube-apiserver', apiServerFlags(this.#settings));
    await this.#untilReady('kube-apiserver', () => this.#answers('/readyz'));
  }

  /** What /readyz finds wrong, for messages. */
  async #readiness(): Promise<string> {
    try {
      const { body } = await this.request('GET', '/readyz?verbose', undefined, { timeoutMs: 10 * probeLimitMs });
      return `/readyz: ${JSON.stringify(body).slice(0, 2000)}`;
    } catch (error) {
      return `/readyz: ${String(error)}`;
    }
  }

  async restartApiServer(options: { readonly abrupt?: boolean } = {}): Promise<void> {
    await this.stopApiServer(options);
    await this.startApiServer();
  }

  /** Ends every program and waits until all are gone. May be called again. */
  async stop(): Promise<void> {
    // kube-apiserver before its etcd: without it, it would wait for answers that cannot come.
    await this.#stop('kube-controller-manager', stopGraceMs);
    await this.stopApiServer();
    await this.#stop('etcd', stopGraceMs);
    this.#folder.removeData();
  }

  async #startAll(): Promise<void> {
    const keys = this.#writeServiceAccountKeys();
    this.#spawn('etcd', etcdFlags(this.#settings));
    await keys;
    await this.#untilReady('etcd', () => etcdIsHealthy(this.etcdUrl));
    await this.startApiServer();
    await this.#untilReady('kube-apiserver', () => this.#answers('/api/v1/namespaces/default'));
    if (this.#settings.controllerManager) {
      this.#spawn('kube-controller-manager', controllerManagerFlags(this.#settings));
      await this.#untilReady('kube-controller-manager', () =>
        this.#answers('/api/v1/namespaces/default/serviceaccounts/default'),
      );
    }
  }

  #spawn(program: ControlPlaneProgram, flags: readonly string[]): void {
    const started = new SupervisedProcess(controlPlaneProgram(program), flags, { logFile: this.#folder.log(program) });
    this.#running.set(program, started);
  }

  async #stop(program: ControlPlaneProgram, graceMs: number): Promise<void> {
    await this.#running.get(program)?.stop(graceMs);
    this.#running.delete(program);
  }

  async #answers(path: string): Promise<boolean> {
    try {
      return (await this.request('GET', path, undefined, { timeoutMs: probeLimitMs })).status === 200;
    } catch {
      return false;
    }
  }

  async #untilReady(program: ControlPlaneProgram, isReady: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + readyLimitMs;
    while (!(await isReady())) {
      const end = this.#running.get(program)?.end;
      if (end !== undefined || Date.now() > deadline) {
        const why = end === undefined ? `is not ready after ${readyLimitMs} ms` : `ended (${end.code ?? end.signal})`;
        const log = this.#folder.log(program);
        throw new ControlPlaneFailed(`${program} ${why}; the end of ${log}:\n${lastLines(log)}`);
      }
      await sleep(pollMs);
    }
  }

  async #writeServiceAccountKeys(): Promise<void> {
    const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    writeFileSync(this.#settings.serviceAccountPrivateKey, privateKey, { mode: 0o600 });
    writeFileSync(this.#settings.serviceAccountPublicKey, publicKey);
  }

  /** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file */
  #writeTokens(users: readonly PlaneUser[]): string {
    const all = [{ name: admin, groups: ['system:masters'] }, ...users];
    const lines = all.map(({ name, groups = [] }) => {
      const token = randomBytes(24).toString('hex');
      this.#tokens.set(name, token);
      return `${token},"${name}","${name}","${groups.join(',')}"\n`;
    });
    writeFileSync(this.#settings.tokenFile, lines.join(''), { mode: 0o600 });
    return this.tokenOf(admin);
  }
}

function needsControllerManager({ controllerManager = false, node = false }: ControlPlaneOptions): boolean {
  return controllerManager || node;
}

function neededPrograms(options: ControlPlaneOptions): readonly ControlPlaneProgram[] {
  const withManager = needsControllerManager(options);
  return controlPlanePrograms.filter(program => withManager || program !== 'kube-controller-manager');
}

async function etcdIsHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`, { signal: AbortSignal.timeout(probeLimitMs) })).ok;
  } catch {
    return false;
  }
}
