import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { generate } from 'selfsigned';
import { ControlPlane } from '../testbed/control-plane.ts';
import { freePort } from '../testbed/loopback-port.ts';
import { namespace } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { type Manifest, only, renderDeploy, type WebhookConfiguration, webhookConfigurations } from './manifests.ts';
import { PageCommands } from './page-commands.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const pageName = 'webhook-does-not-answer.md';
const ours = 'carm-webhook';
const serviceName = `${ours}.${ours}.svc`;
const testLimit = { timeout: 90_000 };
const dayMs = 86_400_000;

interface Pair {
  readonly cert: string;
  readonly private: string;
}

/** A certificate that vouches for itself. */
function certificate(name: string, validDays: number, subject = ours): Promise<Pair> {
  const notAfterDate = new Date(Date.now() + validDays * dayMs);
  return generate([{ name: 'commonName', value: subject }], {
    keyType: 'ec',
    notBeforeDate: new Date(notAfterDate.getTime() - 100 * dayMs),
    notAfterDate,
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: name }] }],
  });
}

/** Listens somewhere on loopback; what it does with a connection is the caller's. */
class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
    });
  }

  static async start(server: Server): Promise<Listener> {
    const listener = new Listener(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** The texts that the page shows, and those that were seen, without what differs from cluster to cluster. */
const withoutPlaces = (text: string): string =>
  text
    .replace(/\.svc:\d+\//, '.svc:443/')
    .replace(/dial tcp \S+:\d+:/, 'dial tcp ADDRESS:443:')
    .replace(/current time \S+ is after [^\s"]+/, 'current time NOW is after THEN')
    .replace(/valid for [a-z0-9-]+, not/, 'valid for NAME, not');

describe('each error of a webhook that does not answer, as docs/webhook-does-not-answer.md has it', () => {
  const seen = new Set<string>();
  const listeners: Listener[] = [];
  let configuration: WebhookConfiguration;
  let service: Manifest;

  before(async () => {
    const manifests = await renderDeploy();
    configuration = only(webhookConfigurations(manifests), 'MutatingWebhookConfiguration') as WebhookConfiguration;
    service = only(manifests, 'Service');
  });
  after(() => {
    for (const listener of listeners) listener.stop();
  });

  async function listen(server: Server): Promise<number> {
    const listener = await Listener.start(server);
    listeners.push(listener);
    return listener.port;
  }

  /** An API server that has the namespace, bound and labelled, but none of the configurations. */
  async function prepare(plane: ControlPlane): Promise<void> {
    for (const object of [namespace(ours), namespace('team-a', { labels: { 'carm-webhook.dev/inject': 'enabled' } })]) {
      await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(object) });
    }
  }

  /** Installs the shipped configuration of pods with this port and CA, and returns what a person who creates a pod is told. */
  async function askOnce(plane: ControlPlane, port: number, caPem: string): Promise<string> {
    const webhooks = configuration.webhooks
      .filter(({ name }) => name === 'pods.carm-webhook.dev')
      .map(entry => ({
        ...entry,
        clientConfig: {
          service: { name: ours, namespace: ours, path: '/mutate', port },
          caBundle: Buffer.from(caPem).toString('base64'),
        },
      }));
    await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ ...configuration, webhooks }) });
    const { stderr } = await eventually(
      'the API server calls by the configuration that was just applied',
      async () => {
        const result = await plane.kubectl(['run', 'web', '--image=web', '-n', 'team-a', '--dry-run=server'], {
          expectCode: 'any',
        });
        return result.stderr.includes(`.svc:${port}/`) || result.stderr.includes('not found') ? result : undefined;
      },
      40_000,
    );
    const [line = '', ...rest] = stderr.trimEnd().split('\n');
    assert.deepEqual(rest, [], stderr);
    return line;
  }

  /**
   * What ends a connection may overtake what was said on it, on a busy machine: then the API server tells of the connection
   * only, and is asked again.
   */
  async function refusal(plane: ControlPlane, port: number, caPem: string): Promise<string> {
    let line = await askOnce(plane, port, caPem);
    for (let more = 10; more > 0 && /connection reset by peer|broken pipe/.test(line); more--) {
      line = await askOnce(plane, port, caPem);
    }
    seen.add(withoutPlaces(line));
    return line;
  }

  describe('where the API server dials the Service', () => {
    let plane: ControlPlane;
    let trusted: Pair;

    before(
      async () => {
        plane = await ControlPlane.start();
        await prepare(plane);
        trusted = await certificate(serviceName, 90);
      },
      { timeout: 90_000 },
    );
    after(() => plane?.stop());

    const startHttps = (pair: Pair): Promise<number> =>
      listen(createHttpsServer({ cert: pair.cert, key: pair.private }, () => {}));

    test('there is no Service', testLimit, async () => {
      assert.match(await refusal(plane, 443, trusted.cert), /service "carm-webhook" not found$/);
      // It leads to loopback, where the tests listen.
      // https://kubernetes.io/docs/concepts/services-networking/service/#externalname
      const spec = { type: 'ExternalName', externalName: 'localhost' };
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: service.metadata, spec });
      await plane.kubectl(['apply', '-f', '-'], { input });
    });

    test('nobody listens', testLimit, async () => {
      assert.match(await refusal(plane, await freePort(), trusted.cert), /connect: connection refused$/);
    });

    test('nothing comes back', testLimit, async () => {
      const port = await listen(createServer());
      assert.match(await refusal(plane, port, trusted.cert), /context deadline exceeded$/);
    });

    test('a TLS connection, and no answer', testLimit, async () => {
      assert.match(await refusal(plane, await startHttps(trusted), trusted.cert), /context deadline exceeded/);
    });

    test('the connection ends before the answer', testLimit, async () => {
      // Read whole first: a connection that is closed with something unread is reset.
      const server = createHttpsServer({ cert: trusted.cert, key: trusted.private }, request => {
        request.resume().once('end', () => request.socket.end());
      });
      assert.match(await refusal(plane, await listen(server), trusted.cert), /: EOF$/);
    });

    test('another CA', testLimit, async () => {
      const { cert } = await certificate(serviceName, 90, 'another');
      assert.match(
        await refusal(plane, await startHttps(trusted), cert),
        /x509: certificate signed by unknown authority$/,
      );
    });

    test('an expired certificate', testLimit, async () => {
      const expired = await certificate(serviceName, -1);
      assert.match(await refusal(plane, await startHttps(expired), expired.cert), /x509: certificate has expired/);
    });

    test('a certificate of another name', testLimit, async () => {
      const other = await certificate('localhost', 90);
      assert.match(await refusal(plane, await startHttps(other), other.cert), /x509: certificate is valid for/);
    });

    test('our server with --client-ca-file, and an API server that shows no certificate', testLimit, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'carm-webhook-client-ca-'));
      let webhook: WebhookUnderTest | undefined;
      try {
        const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
        writeFileSync(files.cert, trusted.cert);
        writeFileSync(files.key, trusted.private, { mode: 0o600 });
        webhook = await WebhookUnderTest.start(plane, {
          flags: [
            `--tls-cert-file=${files.cert}`,
            `--tls-private-key-file=${files.key}`,
            `--client-ca-file=${files.cert}`,
          ],
        });
        const port = Number(new URL(webhook.url).port);
        assert.match(await refusal(plane, port, trusted.cert), /remote error: tls: /);
      } finally {
        await webhook?.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    });

    test('the commands of the page show where to look', testLimit, async () => {
      const page = new PageCommands(pageName, { plane, cwd: plane.logFolder });
      assert.match(await page.run('What to look at first'), /carm-webhook/);
      assert.deepEqual(page.notRun, []);
    });
  });

  describe('where the API server dials the endpoints', () => {
    let plane: ControlPlane;

    before(
      async () => {
        plane = await ControlPlane.start({ apiServerFlags: ['--enable-aggregator-routing=true'] });
        await prepare(plane);
        await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify(service) });
      },
      { timeout: 90_000 },
    );
    after(() => plane?.stop());

    test('no replica is ready', testLimit, async () => {
      const { cert } = await certificate(serviceName, 90);
      assert.match(await refusal(plane, 443, cert), /no endpoints available for service "carm-webhook"$/);
    });
  });

  test('the page has each of these texts, and no other', async () => {
    const page = await readFile(new URL(`../../docs/${pageName}`, import.meta.url), 'utf8');
    const shown = [...page.matchAll(/^```text\n(.+)\n```$/gm)].map(([, text = '']) => withoutPlaces(text));
    assert.deepEqual(shown.sort(), [...seen].sort());
  });
});
