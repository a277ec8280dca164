import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

/**
 * 7 MiB. etcd takes requests of 1.5 MiB and the API server objects of 3 MB; an update carries two of them, and the rest
 * of the review needs room. https://github.com/kubernetes-sigs/controller-runtime/blob/main/pkg/webhook/admission/http.go
 */
export const bodyLimitBytes = 7 * 1024 * 1024;

/** True for `application/json`, in any case, with any parameters. */
export function isJsonType(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  if (contentType === undefined) return false;
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase() === 'application/json';
}

/**
 * Judges a request by its headers, before its body is read.
 * @throws {HttpError} 415 for another content type or an encoded body, 413 for a body announced larger than the limit.
 */
export function checkBodyHeaders(request: IncomingMessage, limitBytes: number): void {
  const { headers } = request;
  if (!isJsonType(headers['content-type'])) throw new HttpError(415, 'Content-Type must be application/json');
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new HttpError(415, 'Content-Encoding must be absent or identity');
  }
  const length = headers['content-length'];
  if (length !== undefined && Number(length) > limitBytes) throw bodyTooLarge(limitBytes);
}

export function bodyTooLarge(limitBytes: number): HttpError {
  return new HttpError(413, `the body is larger than the limit of ${limitBytes} bytes`);
}
