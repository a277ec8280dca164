import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { StsError } from './sts-error.ts';

/** A call to `/` with its headers by names in lower case. */
export interface SignedCall {
  readonly method: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The header `Authorization`. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
export interface Authorization {
  readonly accessKeyId: string;
  /** DATE/REGION/SERVICE/aws4_request */
  readonly scope: string;
  readonly region: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const form =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8}\/([a-z0-9-]+)\/sts\/aws4_request),\s*SignedHeaders=([a-z0-9;-]+),\s*Signature=([0-9a-f]{64})$/;

/** @throws {StsError} */
export function readAuthorization(header: string | undefined): Authorization {
  if (header === undefined) {
    throw new StsError('MissingAuthenticationToken', 'Request is missing Authentication Token');
  }
  const [, accessKeyId = '', scope = '', region = '', signedHeaders = '', signature = ''] = form.exec(header) ?? [];
  if (accessKeyId === '')
    throw new StsError('IncompleteSignature', 'Authorization header is not of Signature Version 4');
  return { accessKeyId, scope, region, signedHeaders: signedHeaders.split(';'), signature };
}

/** Whether a call was signed with this secret. Who calls, and when, the caller must check. */
export function isSignedWith(secretAccessKey: string, authorization: Authorization, call: SignedCall): boolean {
  const { scope, signedHeaders, signature } = authorization;
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, each => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
  const canonicalRequest = [
    call.method,
    '/',
    [...call.query]
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&'),
    ...signedHeaders.map(name => `${name}:${(call.headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders.join(';'),
    sha256(call.body),
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', call.headers['x-amz-date'] ?? '', scope, sha256(canonicalRequest)].join('\n');
  const key = scope.split('/').reduce<string | Buffer>((each, part) => hmac(each, part), `AWS4${secretAccessKey}`);
  return timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex'));
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
