import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import { makeSelfSigned } from '../../src/server/self-signed.ts';

export interface TinyObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: unknown;
    readonly labels?: unknown;
  };
  readonly [field: string]: unknown;
}

export interface TinyApiServer {
  /** Path of a kubeconfig with the contexts `good` (current) and `bad-token`. */
  readonly kubeconfig: string;
  /** Path and query of each request. */
  readonly requests: string[];
  /** Paths that are answered 403. */
  readonly forbidden: Set<string>;
  readonly url: string;
}

const token = 'good-token';

/** What `check` says of it last: it has no webhook. */
export const notInstalled =
  'not checked: the installation of carm-webhook, since no webhook configuration is its own\n';

/** Of its tokens, as it says itself. */
export const tinyIssuer = 'https://keys.example.com/tiny';
const resources: Readonly<Record<string, string>> = {
  namespaces: 'Namespace',
  serviceaccounts: 'ServiceAccount',
  configmaps: 'ConfigMap',
  pods: 'Pod',
  replicationcontrollers: 'ReplicationController',
  services: 'Service',
  secrets: 'Secret',
};

const builtInGroups = new Set([
  'apps/v1',
  'batch/v1',
  'admissionregistration.k8s.io/v1',
  'rbac.authorization.k8s.io/v1',
]);

function status(code: number, reason: string) {
  return { code, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, code, message: reason } };
}

/** One page of two items, to make a reader go on. */
function page(items: readonly TinyObject[], url: URL) {
  const start = Number(url.searchParams.get('continue') ?? 0);
  const more = start + 2 < items.length && url.searchParams.has('limit');
  const metadata = { resourceVersion: '7', ...(more ? { continue: String(start + 2) } : {}) };
  return {
    code: 200,
    body: { kind: 'List', apiVersion: 'v1', metadata, items: items.slice(start, more ? start + 2 : undefined) },
  };
}

/** Groups, their resources, and lists of those, for all that is not of the core group. */
function answerApis(path: string, objects: readonly TinyObject[]) {
  const others = objects.filter(({ apiVersion }) => apiVersion.includes('/'));
  const versions = [...new Set(others.map(({ apiVersion }) => apiVersion))];
  if (path === '/apis') {
    const groups = versions.map(groupVersion => {
      const [name, version] = groupVersion.split('/');
      return { name, preferredVersion: { groupVersion, version }, versions: [{ groupVersion, version }] };
    });
    return { code: 200, body: { kind: 'APIGroupList', groups } };
  }
  const [, groupVersion, namespace, plural, name] =
    /^\/apis\/([^/]+\/[^/]+)(?:\/namespaces\/([^/]+))?(?:\/([a-z]+)(?:\/([^/]+))?)?$/.exec(path) ?? [];
  const ofVersion = others.filter(({ apiVersion }) => apiVersion === groupVersion);
  const pluralOf = ({ kind }: TinyObject) => `${kind.toLowerCase()}s`;
  if (plural === undefined) {
    const resources = [...new Map(ofVersion.map(object => [pluralOf(object), object.kind]))];
    const items = resources.flatMap(([name, kind]) => [
      { name, kind },
      { name: `${name}/status`, kind },
    ]);
    return { code: 200, body: { kind: 'APIResourceList', resources: items } };
  }
  const items = ofVersion.filter(object => pluralOf(object) === plural);
  if (name !== undefined) {
    const found = items.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
    return found === undefined ? status(404, 'NotFound') : { code: 200, body: found };
  }
  const isBuiltIn = builtInGroups.has(groupVersion ?? '');
  if (items.length === 0 && !isBuiltIn) return status(404, '');
  const listed = items.filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
  return {
    code: 200,
    body: { kind: 'List', apiVersion: groupVersion, metadata: { resourceVersion: '7' }, items: listed },
  };
}

function answer(url: URL, objects: readonly TinyObject[]) {
  if (url.pathname === '/.well-known/openid-configuration') return { code: 200, body: { issuer: tinyIssuer } };
  if (url.pathname.startsWith('/apis')) return answerApis(url.pathname, objects);
  const [, namespace, resource, name] =
    /^\/api\/v1(?:\/namespaces\/([^/]+)(?=\/[a-z]))?\/([a-z]+)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
  const kind = resources[resource ?? ''];
  const matching = objects.filter(
    ({ kind: of, metadata }) => of === kind && (namespace === undefined || metadata.namespace === namespace),
  );
  if (name === undefined) return page(matching, url);
  const found = matching.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  return found === undefined ? status(404, 'NotFound') : { code: 200, body: found };
}

/** An API server over TLS that knows some objects, ended with the test. */
export async function startTinyApiServer(t: TestContext, objects: readonly TinyObject[]): Promise<TinyApiServer> {
  const versioned = objects.map(object => ({ ...object, metadata: { ...object.metadata, resourceVersion: '1' } }));
  const { caPem, current } = await makeSelfSigned();
  const requests: string[] = [];
  const forbidden = new Set<string>();
  const server = createServer({ cert: current.certPem, key: current.keyPem }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://localhost');
    requests.push(url.pathname + url.search);
    const authorised = request.headers.authorization === `Bearer ${token}`;
    const { code, body } = !authorised
      ? status(401, 'Unauthorized')
      : forbidden.has(url.pathname)
        ? status(403, 'Forbidden')
        : answer(url, versioned);
    response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  });
  const listening = Promise.withResolvers<void>();
  server.once('error', listening.reject).listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const folder = await mkdtemp(join(tmpdir(), 'carm-api-'));
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = join(folder, 'kubeconfig');
  const cluster = { server: url, 'certificate-authority-data': Buffer.from(caPem).toString('base64') };
  await writeFile(
    kubeconfig,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'good',
      clusters: [{ name: 'c', cluster }],
      users: [
        { name: 'good', user: { token } },
        { name: 'bad', user: { token: 'bad-token' } },
      ],
      contexts: [
        { name: 'good', context: { cluster: 'c', user: 'good' } },
        { name: 'bad-token', context: { cluster: 'c', user: 'bad' } },
      ],
    }),
  );
  return { kubeconfig, requests, forbidden, url };
}
