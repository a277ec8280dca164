/** What is kept of an object's metadata: few strings each, and one shared object for all that have nothing for us. */

import { isJsonObject } from '../objects/json.ts';
import type { ApiObject } from './api-object.ts';

export interface KeptMetadata {
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
}

/** One more than the longest value that means something, an ARN: what is cut is wrong anyhow, and stays so. */
const longestValue = 2049;

const none: ReadonlyMap<string, string> = new Map();
const nothing: KeptMetadata = Object.freeze({ labels: none, annotations: none });

/**
 * Makes a projection that keeps the labels and annotations whose keys are wanted. A cluster may have 50,000 ServiceAccounts of
 * which a hundred carry an annotation of ours: the others cost their key and a pointer.
 */
export function keepMetadata(
  wantsLabel: (key: string) => boolean,
  wantsAnnotation: (key: string) => boolean,
): (object: ApiObject) => KeptMetadata {
  return ({ metadata }) => {
    const labels = wanted(metadata['labels'], wantsLabel);
    const annotations = wanted(metadata['annotations'], wantsAnnotation);
    return labels === none && annotations === none ? nothing : { labels, annotations };
  };
}

function wanted(strings: unknown, wants: (key: string) => boolean): ReadonlyMap<string, string> {
  if (!isJsonObject(strings)) return none;
  let kept: Map<string, string> | undefined;
  for (const [key, value] of Object.entries(strings)) {
    if (typeof value !== 'string' || !wants(key)) continue;
    kept ??= new Map();
    kept.set(key, value.slice(0, longestValue));
  }
  return kept ?? none;
}
