/**
 * Where the cluster is and who we are: client-node's KubeConfig, found as kubectl finds it.
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { isJsonObject } from '../../objects/json.ts';
import { whyUnreadable } from '../../why-unreadable.ts';
import { ClusterUnreachableError } from './api-errors.ts';
import { isFilledString } from './api-object.ts';

export interface KubeConfigSource {
  /** Path of a kubeconfig file. Without it: `KUBECONFIG`, then `~/.kube/config`, then the pod's ServiceAccount. */
  readonly kubeconfig?: string | undefined;
  /** Name of a context. Without it: the current one. */
  readonly context?: string | undefined;
}

/**
 * Reads everything again, so a second call sees files that have changed.
 * @throws {ClusterUnreachableError} when there is no configuration, or it cannot be read, or the context is not in it
 */
export function loadKubeConfig(source: KubeConfigSource = {}): KubeConfig {
  const kubeConfig = new KubeConfig();
  try {
    if (source.kubeconfig !== undefined) {
      kubeConfig.loadFromFile(source.kubeconfig);
      useTokenFiles(kubeConfig, [source.kubeconfig]);
    } else {
      kubeConfig.loadFromDefault();
      useTokenFiles(kubeConfig, (process.env['KUBECONFIG'] ?? '').split(':').filter(isFilledString));
    }
  } catch (cause) {
    throw unreadableError(cause, source.kubeconfig);
  }
  if (source.context !== undefined) kubeConfig.setCurrentContext(source.context);
  const cluster = kubeConfig.getCurrentCluster();
  if (cluster === null) {
    const name = JSON.stringify(kubeConfig.getCurrentContext() ?? '');
    throw new ClusterUnreachableError(`the kubeconfig has no usable context ${name}`);
  }
  // What client-node assumes when it has found nothing at all.
  if (cluster.server === 'http://localhost:8080' && cluster.name === 'cluster') {
    throw new ClusterUnreachableError(
      'there is no kubeconfig (--kubeconfig, KUBECONFIG, ~/.kube/config; or read a folder with --state DIR), and this is not a pod with a ServiceAccount',
    );
  }
  return kubeConfig;
}

/**
 * Whether it leads to the cluster that this process is a pod of, by the variables that every pod has.
 * https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api
 */
export function isClusterOfPod(kubeConfig: KubeConfig, serviceHost: string | undefined): boolean {
  const server = kubeConfig.getCurrentCluster()?.server ?? '';
  if (!serviceHost || !URL.canParse(server)) return false;
  return new URL(server).hostname.replace(/^\[(.*)\]$/, '$1') === serviceHost;
}

/**
 * `tokenFile` of a user wins over `token` and is read again and again; client-node 2.0.1 knows only `token-file`, read once.
 * https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/#AuthInfo
 */
function useTokenFiles(kubeConfig: KubeConfig, files: readonly string[]): void {
  const tokenFiles = new Map<string, string>();
  for (const file of files) {
    const text: unknown = parse(readFileSync(file, 'utf8'));
    const users = isJsonObject(text) && Array.isArray(text['users']) ? text['users'] : [];
    for (const entry of users) {
      if (!isJsonObject(entry) || !isJsonObject(entry['user']) || !isFilledString(entry['name'])) continue;
      const tokenFile = entry['user']['tokenFile'];
      if (isFilledString(tokenFile)) tokenFiles.set(entry['name'], resolve(dirname(file), tokenFile));
    }
  }
  kubeConfig.users = kubeConfig.users.map(user => {
    const tokenFile = tokenFiles.get(user.name);
    if (tokenFile === undefined) return user;
    const { token: _, ...others } = user;
    return { ...others, authProvider: { name: 'tokenFile', config: { tokenFile } } };
  });
}

function unreadableError(cause: unknown, given: string | undefined): ClusterUnreachableError {
  const file = given ?? (cause instanceof Error && 'path' in cause ? cause.path : undefined);
  const path = file === undefined ? '' : ` ${JSON.stringify(file)}`;
  const why = whyUnreadable(cause, 'file') ?? (cause instanceof Error ? cause.message : String(cause));
  return new ClusterUnreachableError(`the kubeconfig${path} cannot be read: ${why}`, { cause });
}
