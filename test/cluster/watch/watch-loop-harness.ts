/** A watch loop at a fake API server, with intervals so short that a test takes seconds. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiConnection } from '../../../src/cluster/api/api-connection.ts';
import { ClusterCredentials } from '../../../src/cluster/api/cluster-access.ts';
import { projection } from '../../../src/cluster/projections/projection.ts';
import type { RestartCause } from '../../../src/cluster/watch/restart-cause.ts';
import { WatchLoop, type WatchLoopOptions } from '../../../src/cluster/watch/watch-loop.ts';
import { collectionPath, FakeApiServer } from '../fake-api-server.ts';

export function connectionTo(url: string, user: object = {}, maxAgeMs = 20_000): ApiConnection {
  const load = () => {
    const kubeConfig = new KubeConfig();
    // client-node refuses plain HTTP without skipTLSVerify.
    kubeConfig.loadFromClusterAndUser({ name: 'fake', server: url, skipTLSVerify: true }, { name: 'me', ...user });
    return kubeConfig;
  };
  return new ApiConnection(new ClusterCredentials(load, { maxAgeMs }));
}

export interface Watched {
  readonly server: FakeApiServer;
  readonly loop: WatchLoop<string>;
  readonly causes: RestartCause[];
  readonly changes: string[];
  readonly failures: unknown[];
  readonly stop: () => Promise<void>;
}

/** The loop keeps each object's resourceVersion: equal stores are then equal objects. */
export async function watched(
  options: Partial<WatchLoopOptions<string>> = {},
  user: object = {},
  prepare: (server: FakeApiServer) => void = () => {},
): Promise<Watched> {
  const server = new FakeApiServer();
  prepare(server);
  await server.start();
  const causes: RestartCause[] = [];
  const changes: string[] = [];
  const failures: unknown[] = [];
  const loop = new WatchLoop<string>({
    connection: connectionTo(server.url, user),
    resource: 'serviceaccounts',
    path: collectionPath,
    metadataOnly: true,
    projection: projection(() => ({ value: ({ resourceVersion }) => resourceVersion })),
    onChange: ({ type, key }) => changes.push(`${type} ${key}`),
    observer: {
      restarted: (_resource, cause) => causes.push(cause),
      listenerFailed: (_resource, error) => failures.push(error),
    },
    timings: { inactivityMs: 300, watchSeconds: { min: 1, max: 2 } },
    backoff: { baseMs: 10, capMs: 100 },
    settledAfterMs: 200,
    connectTimeoutMs: 250,
    pageTimeoutMs: 250,
    listTimeoutMs: 400,
    pageSize: 7,
    ...options,
  });
  loop.start();
  const stop = async () => {
    await loop.stop();
    await server.stop();
  };
  return { server, loop, causes, changes, failures, stop };
}

export async function until(what: string, condition: () => boolean, limitMs = 10_000): Promise<void> {
  const endsAt = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > endsAt) assert.fail(`${what}: not within ${limitMs} ms`);
    await sleep(5);
  }
}

/** Empty when the loop keeps what the server has; else the differences. */
export function differences({ server, loop }: Pick<Watched, 'server' | 'loop'>): string[] {
  const found: string[] = [];
  for (const [key, { metadata }] of server.objects) {
    const kept = loop.get(key);
    if (kept !== metadata.resourceVersion) found.push(`${key}: kept ${kept}, is ${metadata.resourceVersion}`);
  }
  for (const [key] of loop.entries()) if (!server.objects.has(key)) found.push(`${key}: kept, is deleted`);
  return found;
}

export async function untilEqual(watched: Pick<Watched, 'server' | 'loop'>, limitMs = 10_000): Promise<void> {
  try {
    await until('equal', () => watched.loop.synced && differences(watched).length === 0, limitMs);
  } catch {
    assert.deepEqual(differences(watched), [], `the store is not the server's truth after ${limitMs} ms`);
    assert.ok(watched.loop.synced);
  }
}
