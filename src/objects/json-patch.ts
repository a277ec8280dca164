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
  const path = `${list}/-`;
  return values.map(value => ({ op: 'add', path, value }));
}

/**
 * A patch as JSON. A pod of a thousand containers gets the same few values a thousand times: each is written once. So is the
 * path of values that are appended to one list.
 */
export function patchText(patch: readonly Addition[]): string {
  const written = new Map<unknown, string>();
  let text = '';
  let lastPath: string | undefined;
  let pathJson = '';
  for (const { path, value } of patch) {
    if (path !== lastPath) {
      lastPath = path;
      pathJson = JSON.stringify(path);
    }
    let json = written.get(value);
    if (json === undefined) {
      json = JSON.stringify(value);
      written.set(value, json);
    }
    text += `${text === '' ? '[' : ','}{"op":"add","path":${pathJson},"value":${json}}`;
  }
  return text === '' ? '[]' : `${text}]`;
}
