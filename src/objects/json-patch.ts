import type { AddOperation } from 'fast-json-patch';

/**
 * The only operation that we use: it keeps what the user wrote, in its place.
 * https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/#mutate-webhooks
 */
export type Addition = AddOperation<unknown>;

/** Additions that append to a list at a JSON Pointer; one that makes the list where the object has none. */
export function append(list: string, exists: boolean, values: readonly unknown[]): readonly Addition[] {
  if (values.length === 0) return [];
  if (!exists) return [{ op: 'add', path: list, value: values }];
  return values.map(value => ({ op: 'add', path: `${list}/-`, value }));
}
