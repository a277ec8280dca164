/** Shapes of what the API server sends, read with care: the bytes may come from anything that answers on its address. */

import { boundedCopy } from '../../objects/bounded-copy.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import { ApiError, ApiProtocolError } from './api-errors.ts';

export function isFilledString(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** `namespace/name`, or the bare name of an object without a namespace. Neither part can hold a slash. */
export function objectKey(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/**
 * False for what no Namespace, ServiceAccount or ConfigMap can be called; such a name must not get into a path either.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
 */
export function isPossibleName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$/.test(name);
}

/** @throws {ApiProtocolError} when the text is no JSON object */
export function parseJsonObject(text: string, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ApiProtocolError(`${what} is not JSON`, { cause });
  }
  if (!isJsonObject(value)) throw new ApiProtocolError(`${what} is not a JSON object`);
  return value;
}

/** Those of the API server are words such as `NotFound`; what something else says is as long as it likes. */
const longestReason = 128;
const longestMessage = 512;
/** Longer than a denial of ours. */
const longestSaid = 2048;

/**
 * Reads a Status object.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
export function apiErrorOf(status: unknown, fallbackCode: number, retryAfterMs?: number): ApiError {
  const fields = isJsonObject(status) && status['kind'] === 'Status' ? status : {};
  const code = typeof fields['code'] === 'number' ? fields['code'] : fallbackCode;
  const reason = typeof fields['reason'] === 'string' ? boundedCopy(fields['reason'], longestReason) : '';
  const text = typeof fields['message'] === 'string' ? fields['message'] : '';
  const message = boundedCopy(text, longestMessage);
  const seconds = isJsonObject(fields['details']) ? fields['details']['retryAfterSeconds'] : undefined;
  const waitMs = retryAfterMs ?? (typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined);
  return new ApiError(
    code,
    reason,
    `the API server answered ${code} ${reason || message || 'without a reason'}`,
    waitMs,
    boundedCopy(text, longestSaid),
  );
}

const decimal = /^(0|[1-9][0-9]*)$/;

/**
 * Versions are opaque to us except for one use: noticing that the server's history is not the one that we follow.
 * True only when both are decimal numbers and `version` is the smaller. No object is ever kept or dropped by this: it
 * only says that a stream cannot be trusted, and a new list is right whether that is so or not.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export function isOlderVersion(version: string, than: string): boolean {
  if (!decimal.test(version) || !decimal.test(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}
