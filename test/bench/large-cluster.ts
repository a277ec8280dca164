/** An API server of many namespaces with two ServiceAccounts each, whose lists are made before anyone asks for them. */

import type { ServerResponse } from 'node:http';
import { LoopbackServer } from '../loopback-server.ts';
import { benchAccountId, benchNamespace, benchServiceAccount } from './pod-review.ts';

const created = '2026-08-01T10:00:00Z';

function managedBy(manager: string, fields: object): readonly object[] {
  return [{ manager, operation: 'Update', apiVersion: 'v1', time: created, fieldsType: 'FieldsV1', fieldsV1: fields }];
}

function identity(index: number) {
  const uid = `${index.toString(16).padStart(8, '0')}-52b0-4a26-8f0e-2d6b2c7d7f11`;
  return { uid, resourceVersion: String(1000 + index), creationTimestamp: created };
}

function namespaceOf(name: string, index: number): object {
  return {
    metadata: {
      name,
      ...identity(index),
      labels: { 'kubernetes.io/metadata.name': name, 'carm-webhook.dev/inject': 'enabled', team: `team-${index % 50}` },
      annotations: {
        'services.k8s.aws/owner-account-id': benchAccountId,
        'services.k8s.aws/default-region': 'eu-central-1',
      },
      managedFields: managedBy('argocd-controller', {
        'f:metadata': {
          'f:annotations': {
            '.': {},
            'f:services.k8s.aws/owner-account-id': {},
            'f:services.k8s.aws/default-region': {},
          },
          'f:labels': { '.': {}, 'f:carm-webhook.dev/inject': {}, 'f:kubernetes.io/metadata.name': {}, 'f:team': {} },
        },
      }),
    },
  };
}

function serviceAccountOf(namespace: string, name: string, index: number): object {
  const metadata = { name, namespace, ...identity(index) };
  if (name === 'default') return { metadata };
  const annotations = { 'eks.amazonaws.com/role-arn': `arn:aws:iam::${benchAccountId}:role/${name}` };
  const managedFields = managedBy('argocd-controller', {
    'f:metadata': { 'f:annotations': { '.': {}, 'f:eks.amazonaws.com/role-arn': {} } },
  });
  return { metadata: { ...metadata, annotations, managedFields } };
}

const accountMap = {
  metadata: { name: 'ack-role-account-map', namespace: 'ack-system', resourceVersion: '1000' },
  data: { [benchAccountId]: `arn:aws:iam::${benchAccountId}:role/ack-workloads` },
};

const bytesOf = (object: object): Buffer => Buffer.from(JSON.stringify(object));
const comma = Buffer.from(',');

export class LargeCluster {
  readonly #collections: ReadonlyMap<string, readonly Buffer[]>;
  readonly #server = new LoopbackServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    response.setHeader('Content-Type', 'application/json');
    // A watch of a cluster in which nothing happens.
    if (url.searchParams.has('watch')) response.flushHeaders();
    else this.#list(url, response);
  });

  constructor(namespaces: number) {
    const names = ['ack-system', benchNamespace];
    while (names.length < namespaces) names.push(`team-${names.length}-namespace`);
    const owners = names.flatMap(name => [
      [name, 'default'],
      [name, name === benchNamespace ? benchServiceAccount : 'workload'],
    ]) as [string, string][];
    this.#collections = new Map([
      ['/api/v1/namespaces', names.map((name, index) => bytesOf(namespaceOf(name, index)))],
      [
        '/api/v1/serviceaccounts',
        owners.map(([namespace, name], index) => bytesOf(serviceAccountOf(namespace, name, index))),
      ],
      ['/api/v1/namespaces/ack-system/configmaps', [bytesOf(accountMap)]],
    ]);
  }

  start(): Promise<string> {
    return this.#server.start();
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  #list({ pathname, searchParams }: URL, response: ServerResponse): void {
    const all = this.#collections.get(pathname) ?? [];
    const start = Number(searchParams.get('continue') ?? 0);
    const end = Math.min(all.length, start + (Number(searchParams.get('limit')) || all.length));
    const metadata = { resourceVersion: '900000', ...(end < all.length ? { continue: String(end) } : {}) };
    const items = all
      .slice(start, end)
      .flatMap(item => [comma, item])
      .slice(1);
    const head = Buffer.from(`{"kind":"List","apiVersion":"v1","metadata":${JSON.stringify(metadata)},"items":[`);
    response.end(Buffer.concat([head, ...items, Buffer.from(']}')]));
  }
}
