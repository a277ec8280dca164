import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeSelfSigned, type SelfSigned } from '../../src/server/self-signed.ts';
import type { ControlPlane } from '../testbed/control-plane.ts';
import { freePort } from '../testbed/loopback-port.ts';
import { type ProcessEnd, SupervisedProcess } from '../testbed/supervised-process.ts';
import { eventually } from './eventually.ts';
import {
  accessKinds,
  asList,
  type Manifest,
  ofKinds,
  only,
  pointAt,
  renderChart,
  renderDeploy,
  webhookConfigurations,
} from './manifests.ts';

const bundle = join(import.meta.dirname, '..', '..', 'dist', 'carm-webhook.mjs');
const ackSystemNamespace = 'ack-system';
const readyLimitMs = 20_000;
const probeLimitMs = 2_000;
const metricsFreshMs = 1_100;
/** Stays: made again after it was deleted, it could be found terminating. */
export const probeNamespace = 'install-probe';
const enabled = { 'carm-webhook.dev/inject': 'enabled' };
const pastTheWebhook = { user: 'break-glass', groups: ['system:masters', 'carm-webhook:break-glass'] };

export interface WebhookUnderTestOptions {
  /** Flags of `serve` for this test, after those that every test needs: the last one given wins. */
  readonly flags?: readonly string[];
  /** Another kubeconfig than that of the ServiceAccount, such as one whose address is a proxy's. */
  readonly kubeconfig?: string;
  /** Flags of Node.js, such as the size of its heap. */
  readonly nodeFlags?: readonly string[];
  /** Variables of the process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Values of the chart, such as `{verifyRoles: {enabled: true}}`. */
  readonly values?: object;
}

/** An error to be thrown when the server does not get ready; the message has the path of its log. */
export class WebhookFailed extends Error {
  override readonly name = 'WebhookFailed';
  readonly code = 'WebhookFailed';
}

/**
 * The built bundle as a process of its own beside a control plane: with a token of the ServiceAccount of `deploy/` and nothing but the
 * permissions that `deploy/` gives, called by the configurations of `deploy/` at its own address in place of the Service's.
 */
export class WebhookUnderTest {
  readonly plane: ControlPlane;
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  /** `http://127.0.0.1:PORT` */
  readonly opsUrl: string;
  /** The certificate's CA, for `caBundle`. */
  readonly caPem: string;
  readonly manifests: readonly Manifest[];
  /** The files that it serves its certificate from. */
  readonly certFile: string;
  readonly keyFile: string;
  readonly logFile: string;
  readonly #folder: string;
  readonly #args: readonly string[];
  readonly #env: Readonly<Record<string, string>>;
  #process: SupervisedProcess | undefined;
  #metricsAtMs = Number.NEGATIVE_INFINITY;

  private constructor(
    plane: ControlPlane,
    manifests: readonly Manifest[],
    certificate: SelfSigned,
    ports: readonly [number, number],
    options: Required<WebhookUnderTestOptions>,
  ) {
    const [port, opsPort] = ports;
    this.plane = plane;
    this.manifests = manifests;
    this.caPem = certificate.caPem;
    this.url = `https://127.0.0.1:${port}`;
    this.opsUrl = `http://127.0.0.1:${opsPort}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'carm-webhook-under-test-'));
    this.certFile = join(this.#folder, 'tls.crt');
    this.keyFile = join(this.#folder, 'tls.key');
    this.logFile = join(plane.logFolder, `carm-webhook-${port}.log`);
    const { certPem, keyPem } = certificate.current;
    writeFileSync(this.certFile, certPem);
    writeFileSync(this.keyFile, keyPem, { mode: 0o600 });
    this.#env = options.env;
    this.#args = [
      ...options.nodeFlags,
      bundle,
      'serve',
      `--kubeconfig=${options.kubeconfig}`,
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      `--ops-port=${opsPort}`,
      `--tls-cert-file=${this.certFile}`,
      `--tls-private-key-file=${this.keyFile}`,
      '--shutdown-delay=100ms',
      '--max-staleness=10s',
      '--log-level=debug',
      ...options.flags,
    ];
  }

  /** Gives the ServiceAccount its permissions, starts the server as it and waits until it is ready. Nothing calls it yet. @throws {WebhookFailed} */
  static async start(plane: ControlPlane, options: WebhookUnderTestOptions = {}): Promise<WebhookUnderTest> {
    if (!existsSync(bundle)) throw new WebhookFailed(`${bundle} is not there: run "make build" first`);
    const values = options.values ?? valuesFor(options.flags);
    const manifests = values === undefined ? await renderDeploy() : await renderChart(values);
    const ackSystem = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ackSystemNamespace } };
    await plane.kubectl(['apply', '-f', '-'], { input: asList([ackSystem, ...ofKinds(manifests, ...accessKinds)]) });
    const { name, namespace = '' } = only(manifests, 'ServiceAccount').metadata;
    const webhook = new WebhookUnderTest(
      plane,
      manifests,
      await makeSelfSigned(),
      [await freePort(), await freePort()],
      {
        flags: options.flags ?? [],
        nodeFlags: options.nodeFlags ?? [],
        env: options.env ?? {},
        values: values ?? {},
        kubeconfig: options.kubeconfig ?? plane.kubeconfigFor({ token: await plane.tokenFor(namespace, name) }),
      },
    );
    await webhook.startProcess();
    return webhook;
  }

  /** Whether its process is there. */
  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.end === undefined;
  }

  /** Undefined while it is stopped. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Settles when its process has ended; undefined while it is stopped. */
  get ended(): Promise<ProcessEnd> | undefined {
    return this.#process?.ended;
  }

  /** Starts the server, at the same address as before, and waits until it is ready. @throws {WebhookFailed} */
  async startProcess(): Promise<void> {
    const server = new SupervisedProcess(process.execPath, this.#args, {
      logFile: this.logFile,
      // Variables of its own name would change what it does.
      env: { ...withoutOwnVariables(), POD_NAMESPACE: only(this.manifests, 'Namespace').metadata.name, ...this.#env },
    });
    this.#process = server;
    const ready = async () => {
      if (server.end !== undefined) {
        throw new WebhookFailed(`carm-webhook ended (${server.end.code ?? server.end.signal}): see ${this.logFile}`);
      }
      return (await this.#isReady()) ? true : undefined;
    };
    await eventually(`carm-webhook is ready (its log: ${this.logFile})`, ready, readyLimitMs);
  }

  /** Ends the server with SIGTERM; `abrupt` as a crash would (SIGKILL). The configurations still call it. */
  async stopProcess(options: { readonly abrupt?: boolean } = {}): Promise<ProcessEnd | undefined> {
    const server = this.#process;
    this.#process = undefined;
    return server?.stop(options.abrupt === true ? 0 : 10_000);
  }

  /** The shipped configurations, calling this server. */
  configurations(urlOf: (path: string) => string = path => `${this.url}${path}`): readonly Manifest[] {
    return webhookConfigurations(this.manifests).map(configuration =>
      pointAt(configuration, ({ clientConfig }) => urlOf(clientConfig.service?.path ?? ''), this.caPem),
    );
  }

  /** Installs the configurations and waits until the API server calls by both of them. @throws {WebhookFailed} */
  async install(configurations: readonly Manifest[] = this.configurations()): Promise<void> {
    const { plane } = this;
    const apply = () => plane.kubectl(['apply', '-f', '-'], { input: asList(configurations) });
    await apply();
    const probe = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: probeNamespace, labels: enabled } };
    await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(probe), as: pastTheWebhook });
    const spec = { containers: [{ name: 'app', image: 'app' }] };
    const dryRun = (resource: string, body: object) =>
      plane.request<{ readonly message?: string }>(
        'POST',
        `/api/v1/namespaces/${probeNamespace}/${resource}?dryRun=All`,
        { metadata: { name: 'probe' }, ...body },
      );
    let last = '';
    let looks = 0;
    const called = async () => {
      looks += 1;
      // A cainjector that has seen the configurations of `deploy/` may write its CA after us, by what it remembered.
      if (looks % 40 === 0) await apply();
      // The probe's namespace is not bound: its pods are denied by the mutating entry, workloads warned of by the validating one.
      const pod = await dryRun('pods', { spec });
      const template = await dryRun('podtemplates', { template: { metadata: { labels: { app: 'probe' } }, spec } });
      last = [pod.body.message, template.body.message, ...template.warnings].join('; ');
      const mutating = pod.body.message?.includes('"pods.carm-webhook.dev" denied the request') === true;
      return mutating && template.warnings.length > 0 ? true : undefined;
    };
    try {
      await eventually('the API server calls by both configurations', called);
    } catch (cause) {
      throw new WebhookFailed(`the API server does not call ${this.url}: ${last}`, { cause });
    }
  }

  /** Prometheus' text, as it is now: what was asked for less than a second ago is answered again. */
  async metrics(): Promise<string> {
    await sleep(Math.max(0, this.#metricsAtMs + metricsFreshMs - performance.now()));
    this.#metricsAtMs = performance.now();
    const answer = await fetch(`${this.opsUrl}/metrics`, { signal: AbortSignal.timeout(probeLimitMs) });
    return answer.text();
  }

  /** Ends the server and removes its files. Its log stays with the plane's. */
  async stop(): Promise<void> {
    await this.stopProcess();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.opsUrl}/readyz`, { signal: AbortSignal.timeout(probeLimitMs) })).ok;
    } catch {
      return false;
    }
  }
}

/** The values that the manifests need where these flags need more of them than is shipped. */
function valuesFor(flags: readonly string[] = []): object | undefined {
  const bySelectors = flags.some(flag => flag.startsWith('--feature-gates=') && flag.includes('IAMRoleSelector=true'));
  return bySelectors ? { config: { featureGates: { IAMRoleSelector: true } } } : undefined;
}

function withoutOwnVariables(): Record<string, undefined> {
  const own = Object.keys(process.env).filter(name => name.startsWith('CARM_WEBHOOK_'));
  return Object.fromEntries(own.map(name => [name, undefined]));
}
