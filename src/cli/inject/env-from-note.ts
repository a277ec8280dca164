import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import type { Addition } from '../../objects/json-patch.ts';
import { quoteNames } from '../../objects/quote.ts';

const envOfContainer = /^\/spec\/(containers|initContainers)\/(\d+)\/env(?:\/-)?$/;

/**
 * What the user of `envFrom` should know: kubelet lets `env`, where variables are injected, win over it.
 * https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables
 * @param pod with `spec`, as it was written.
 * @returns undefined where no container with `envFrom` is given a variable.
 */
export function envFromNote({ spec }: JsonObject, additions: readonly Addition[]): string | undefined {
  const names = new Set<string>();
  for (const { path } of additions) {
    const [, list = '', index = ''] = envOfContainer.exec(path) ?? [];
    const containers = isJsonObject(spec) ? spec[list] : undefined;
    const container: unknown = Array.isArray(containers) ? containers[Number(index)] : undefined;
    if (!isJsonObject(container) || !Array.isArray(container['envFrom']) || container['envFrom'].length === 0) continue;
    names.add(String(container['name'] ?? ''));
  }
  if (names.size === 0) return undefined;
  const where = `container${names.size === 1 ? '' : 's'} ${quoteNames([...names])}`;
  return `injected variables win over envFrom in ${where}; to keep a value of your own, set it in env`;
}
