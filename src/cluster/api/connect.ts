import { ApiConnection } from './api-connection.ts';
import { ClusterCredentials } from './cluster-access.ts';
import { type KubeConfigSource, loadKubeConfig } from './kube-config.ts';

/**
 * A connection to the cluster of a kubeconfig, whose files are read again as they rotate.
 * @throws {ClusterUnreachableError} at once when there is no usable kubeconfig.
 */
export function connect(source: KubeConfigSource): ApiConnection {
  loadKubeConfig(source);
  return new ApiConnection(new ClusterCredentials(() => loadKubeConfig(source)));
}
