import { serveClusterFlags } from '../serve/open-cluster.ts';
import { UsageError } from '../usage-error.ts';
import { type FlagValues, oneOf, textFlag, valueFlag } from './flag.ts';
import { parseNamespaceName } from './flag-values.ts';

/** Where a command that runs once takes its knowledge of the cluster from. */
export const clusterFlags = {
  state: textFlag('--state DIR', 'Folder of manifests to read instead of a cluster'),
  kubeconfig: textFlag('--kubeconfig FILE', 'Kubeconfig of the cluster to read (default: as kubectl finds it)'),
  context: textFlag('--context NAME', 'Context of the kubeconfig (default: its current context)'),
  // One set of flags serves every command; what is read on the spot is never stale.
  maxStalenessMs: {
    ...serveClusterFlags.maxStalenessMs,
    help: 'Accepted so that the flags of serve work here; has no effect, since every read is live',
  },
} as const;

export type ClusterFlagValues = FlagValues<typeof clusterFlags>;

export const namespaceFlag = valueFlag(
  '-n, --namespace NAMESPACE',
  'Namespace of an object that names none',
  parseNamespaceName,
  'default',
);

/** `-o`; the first form is the default. */
export function outputFlag<const T extends string>(forms: readonly [T, ...T[]]) {
  const [first] = forms;
  return valueFlag('-o, --output FORMAT', `Output format: ${forms.join(', ')}`, oneOf(forms), first);
}

/** @throws {UsageError} when both a folder and a cluster are named. */
export function checkClusterFlags(
  values: Pick<ClusterFlagValues, 'state' | 'kubeconfig'> & { context?: unknown },
): void {
  const { state, kubeconfig, context } = values;
  if (state === undefined || (kubeconfig === undefined && context === undefined)) return;
  const others = 'context' in values ? '--kubeconfig and --context' : '--kubeconfig';
  throw new UsageError(`--state cannot be combined with ${others}`);
}
