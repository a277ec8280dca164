import { setTimeout as sleep } from 'node:timers/promises';
import { Snapshot } from '../../cluster/state/snapshot.ts';
import { isJsonObject } from '../../objects/json.ts';
import { injectLabel } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { NamespaceWriter } from '../sources/namespace-writer.ts';
import { UnwrittenError } from '../sources/unwritten-error.ts';
import type { LeftOut } from './label-choice.ts';

/** Times that one namespace is tried: others write to it too, and the API server may have us wait. */
const mostTries = 3;
const longestWaitMs = 5_000;

/** What became of a namespace: `gone` if it is deleted or being deleted. */
export type Written = 'labelled' | 'gone' | LeftOut;

/** What decisions read of a namespace. */
function readOf({ labels, annotations }: Namespace): string {
  return JSON.stringify([[...labels].sort(), [...annotations].sort()]);
}

const changed: LeftOut = {
  reason: 'NamespaceChanged',
  message: 'it was changed by someone else at the same time. To fix this, run the command again',
};

/**
 * Labels a namespace that is still what it was when it was judged, and no other: the patch names the version that was read.
 * @param dryRun only looks at it.
 * @throws {ClusterUnreachableError}
 */
export async function writeLabel(judged: Namespace, writer: NamespaceWriter, dryRun: boolean): Promise<Written> {
  for (let tries = 1; ; tries++) {
    const object = await writer.namespaceObject(judged.name);
    const metadata = isJsonObject(object?.['metadata']) ? object['metadata'] : {};
    if (object === undefined || metadata['deletionTimestamp'] !== undefined) return 'gone';
    const now = new Snapshot({ roleSelectors: false });
    now.add({ object, apiVersion: 'v1', kind: 'Namespace', place: 'the API server', document: 0, path: [] });
    const namespace = now.namespace(judged.name);
    // At any change of a bound namespace the webhook gives it the label.
    if (namespace?.labels.get(injectLabel) === 'enabled') return 'labelled';
    if (namespace === undefined || readOf(namespace) !== readOf(judged)) return changed;
    if (dryRun) return 'labelled';
    const { resourceVersion } = metadata;
    try {
      await writer.patchNamespace(judged.name, { metadata: { resourceVersion, labels: { [injectLabel]: 'enabled' } } });
      return 'labelled';
    } catch (error) {
      if (!(error instanceof UnwrittenError)) throw error;
      const { status, retryAfterMs } = error.answer ?? {};
      if (status === 404) return 'gone';
      if (status !== 409 && retryAfterMs === undefined) throw error;
      if (tries === mostTries) {
        if (status === 409) return changed;
        throw error;
      }
      await sleep(Math.min(retryAfterMs ?? 0, longestWaitMs));
    }
  }
}
