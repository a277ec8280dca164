/** What a search reads of an ACK resource. */

import type { RecordedPlace, ResourceSearch, StoredResource } from '../../admission/cluster.ts';
import type { TakenObject, Taking } from '../../objects/json-stream.ts';
import { KeySet } from '../../objects/key-set.ts';
import { regionAnnotation } from '../../objects/keys.ts';
import { type Projection, projection } from './projection.ts';

/** A label's value has 63 characters at most: a longer one is that of no selector. */
const longestLabelValue = 64;
/** Labels that are told of what was found. */
const mostLabelsFound = 64;
/** An account has 12 digits, the longest region some 20 characters: what is cut is neither, and stays so. */
const longestPlace = 64;

type OfKind = Pick<StoredResource, 'group' | 'versions' | 'kind'>;
type ReadOfEach = Pick<ResourceSearch, 'wanted' | 'besides' | 'readsStatus' | 'labelKeys'>;
type Place = { -readonly [K in keyof RecordedPlace]: RecordedPlace[K] };

const text = (take: (value: string | undefined) => void): Taking => ({ kind: 'string', longest: longestPlace, take });

/** https://github.com/aws-controllers-k8s/runtime/blob/main/apis/core/v1alpha1/resource_metadata.go */
function statusInto(recorded: Place): Taking {
  const ackMetadata: Taking = {
    kind: 'object',
    member: key => {
      if (key === 'ownerAccountID') return text(value => (recorded.accountId = value || undefined));
      return key === 'region' ? text(value => (recorded.region = value || undefined)) : undefined;
    },
  };
  return { kind: 'object', member: key => (key === 'ackResourceMetadata' ? ackMetadata : undefined) };
}

/** Other keys are not even decoded: who may write an object may give it as many as fit into it. */
const ofThese = (keys: KeySet): Pick<TakenObject, 'mayWant'> => ({
  mayWant: (bytes, start, end) => keys.mayHave(bytes, start, end),
});
const regionKeys = new KeySet([regionAnnotation]);

/**
 * Reads what is wanted, at once: where it is not known what `wanted` asks of labels, one object's are all read, and gone when
 * it is judged.
 */
export function projectWanted(
  { group, versions, kind }: OfKind,
  { wanted, besides = [], readsStatus = false, labelKeys }: ReadOfEach,
): Projection<StoredResource | undefined> {
  return projection(() => {
    const labels = new Map<string, string>();
    const recorded: Place = { accountId: undefined, region: undefined };
    let region: string | undefined;
    const label = (key: string): Taking =>
      labelKeys?.has(key) === false
        ? undefined
        : { kind: 'string', longest: longestLabelValue, take: value => value !== undefined && labels.set(key, value) };
    const annotations: Taking = {
      kind: 'object',
      member: key => (key === regionAnnotation ? text(value => (region = value)) : undefined),
      ...ofThese(regionKeys),
    };
    return {
      metadata: key => {
        if (key === 'labels') return { kind: 'object', member: label, ...(labelKeys && ofThese(labelKeys)) };
        return readsStatus && key === 'annotations' ? annotations : undefined;
      },
      member: key => (readsStatus && key === 'status' ? statusInto(recorded) : undefined),
      value: ({ name, namespace = '' }) => {
        const place = readsStatus ? { recorded, region } : {};
        const resource = { group, versions, kind, namespace, name, labels, ...place };
        if (![wanted, ...besides].some(asks => asks(resource))) return undefined;
        return { ...resource, labels: new Map([...labels].slice(0, mostLabelsFound)) };
      },
    };
  });
}
