/**
 * AWS STS, as the SDK in a pod would call it, and without anything that the machine has of its own: no credentials, profiles
 * or settings from files, variables or metadata services. Imported dynamically: the SDK takes long to load.
 */

import {
  AssumeRoleCommand,
  AssumeRoleWithWebIdentityCommand,
  type Credentials,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';
import { err, ok, type Result } from '../accounts/result.ts';
import type { RoleArn } from '../accounts/role-arn.ts';
import { type CallerIdentity, identityOf } from './caller-identity.ts';
import { redactSecrets } from './redact-secrets.ts';
import { SessionCredentials } from './session-credentials.ts';
import { refusalKindOf, type StsCall, type StsRefusal } from './sts-refusal.ts';
import { whyUnreachable } from './why-unreachable.ts';

export interface StsOptions {
  /** Its regional endpoint is called, and signed for. */
  readonly region: string;
  /** In place of the region's, such as `AWS_ENDPOINT_URL_STS`. */
  readonly endpoint?: string | undefined;
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are read from it. */
  readonly proxyEnv?: Readonly<Record<string, string | undefined>>;
  /** Of one call with all its attempts. */
  readonly callLimitMs?: number;
  /** Attempts of one call that STS does not answer, or asks to come later. */
  readonly mostAttempts?: number;
}

export interface RoleSession {
  /** As STS names it in its answer. */
  readonly identity: CallerIdentity;
  readonly expiresAt: Date;
  readonly credentials: SessionCredentials;
}

const connectLimitMs = 3_000;
const attemptLimitMs = 5_000;
const defaultCallLimitMs = 12_000;
const defaultMostAttempts = 3;

/** STS answers with some 2 kB. */
const mostAnswerBytes = 64 * 1024;

/** The shortest that STS gives; what is taken here is used at once. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const sessionSeconds = 900;

class AnswerTooLongError extends Error {
  override readonly name = 'AnswerTooLongError';
  readonly code = 'AnswerTooLong';
}

/** Reads an answer. @throws {AnswerTooLongError} */
async function collectBounded(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by a throw destroys the body, and so the connection.
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > mostAnswerBytes) throw new AnswerTooLongError(`the answer is longer than ${mostAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function credentialsOf(given: Credentials | undefined): SessionCredentials | undefined {
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = given ?? {};
  if (!accessKeyId || !secretAccessKey || !sessionToken) return undefined;
  return new SessionCredentials({ accessKeyId, secretAccessKey, sessionToken });
}

/** The part of an SDK's error that tells what happened. */
interface SdkError {
  readonly name?: unknown;
  readonly Code?: unknown;
  readonly message?: unknown;
  readonly $fault?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** One endpoint of AWS STS. Every call ends within its limit, whatever the endpoint does, and none throws for what it answers. */
export class Sts {
  readonly #options: StsOptions;
  readonly #clients: STSClient[] = [];

  constructor(options: StsOptions) {
    this.#options = options;
  }

  /** Takes a role by a token. The call is not signed. */
  assumeRoleWithWebIdentity(
    asked: { readonly role: RoleArn; readonly token: string; readonly sessionName: string },
    signal: AbortSignal,
  ): Promise<Result<RoleSession, StsRefusal>> {
    const { role, token, sessionName } = asked;
    const call = 'AssumeRoleWithWebIdentity';
    const command = new AssumeRoleWithWebIdentityCommand({
      RoleArn: role.text,
      RoleSessionName: sessionName,
      WebIdentityToken: token,
      DurationSeconds: sessionSeconds,
    });
    return this.#call(call, undefined, [token], signal, async (client, abortSignal) =>
      this.#session(call, await client.send(command, { abortSignal })),
    );
  }

  /** Takes a role by the credentials of another. */
  assumeRole(
    asked: {
      readonly role: RoleArn;
      readonly sessionName: string;
      readonly externalId: string | undefined;
      readonly credentials: SessionCredentials;
    },
    signal: AbortSignal,
  ): Promise<Result<RoleSession, StsRefusal>> {
    const { role, sessionName, externalId, credentials } = asked;
    const call = 'AssumeRole';
    const command = new AssumeRoleCommand({
      RoleArn: role.text,
      RoleSessionName: sessionName,
      DurationSeconds: sessionSeconds,
      ...(externalId !== undefined && { ExternalId: externalId }),
    });
    return this.#call(call, credentials, [], signal, async (client, abortSignal) =>
      this.#session(call, await client.send(command, { abortSignal })),
    );
  }

  /** Whose the credentials are. */
  getCallerIdentity(credentials: SessionCredentials, signal: AbortSignal): Promise<Result<CallerIdentity, StsRefusal>> {
    const call = 'GetCallerIdentity';
    return this.#call(call, credentials, [], signal, async (client, abortSignal) => {
      const { Arn } = await client.send(new GetCallerIdentityCommand({}), { abortSignal });
      const identity = identityOf(Arn);
      return identity === undefined ? incomplete(call) : ok(identity);
    });
  }

  /** Closes the connections. */
  [Symbol.dispose](): void {
    for (const client of this.#clients.splice(0)) client.destroy();
  }

  #session(
    call: StsCall,
    answer: { Credentials?: Credentials | undefined; AssumedRoleUser?: { Arn?: string | undefined } | undefined },
  ): Result<RoleSession, StsRefusal> {
    const credentials = credentialsOf(answer.Credentials);
    const expiresAt = answer.Credentials?.Expiration;
    const identity = identityOf(answer.AssumedRoleUser?.Arn);
    if (credentials === undefined || identity === undefined) return incomplete(call);
    if (expiresAt === undefined || Number.isNaN(expiresAt.getTime())) return incomplete(call);
    return ok({ identity, expiresAt, credentials });
  }

  /** A client of one call: what an SDK's client learns of a machine, a clock or credentials ends with it. */
  #client(credentials: SessionCredentials | undefined): STSClient {
    const { region, endpoint, proxyEnv, mostAttempts = defaultMostAttempts } = this.#options;
    const agent = { keepAlive: false, maxSockets: 1, ...(proxyEnv !== undefined && { proxyEnv: { ...proxyEnv } }) };
    const client = new STSClient({
      region,
      // All that is left out here would be looked for in the machine's own settings.
      ...(endpoint !== undefined && { endpoint }),
      ignoreConfiguredEndpointUrls: true,
      useDualstackEndpoint: false,
      useFipsEndpoint: false,
      useGlobalEndpoint: false,
      authSchemePreference: [],
      sigv4aSigningRegionSet: [region],
      userAgentAppId: 'carm-webhook',
      defaultsMode: 'standard',
      retryMode: 'standard',
      maxAttempts: mostAttempts,
      credentials: async () => {
        if (credentials === undefined) throw new TypeError('a call that is not signed asked for credentials');
        return credentials.reveal();
      },
      streamCollector: collectBounded,
      requestHandler: {
        connectionTimeout: connectLimitMs,
        requestTimeout: attemptLimitMs,
        throwOnRequestTimeout: true,
        httpAgent: agent,
        httpsAgent: agent,
      },
    });
    this.#clients.push(client);
    return client;
  }

  async #call<T>(
    call: StsCall,
    credentials: SessionCredentials | undefined,
    secrets: readonly string[],
    signal: AbortSignal,
    send: (client: STSClient, signal: AbortSignal) => Promise<Result<T, StsRefusal>>,
  ): Promise<Result<T, StsRefusal>> {
    const client = this.#client(credentials);
    const limitMs = this.#options.callLimitMs ?? defaultCallLimitMs;
    const end = AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
    try {
      return await unlessAborted(send(client, end), end);
    } catch (error) {
      const known = credentials === undefined ? secrets : [...secrets, ...Object.values(credentials.reveal())];
      if (!end.aborted) return err(refusalOf(call, error, known));
      const text = signal.aborted ? 'ended before STS answered' : `no answer within ${limitMs / 1000} s`;
      return err({ kind: 'Unreachable', call, code: undefined, text });
    } finally {
      client.destroy();
      this.#clients.splice(this.#clients.indexOf(client), 1);
    }
  }
}

function incomplete(call: StsCall): Result<never, StsRefusal> {
  return err({ kind: 'Unexpected', call, code: undefined, text: 'the answer lacks what STS answers' });
}

/** An SDK waits between attempts without looking at the signal. */
async function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([answer, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    answer.catch(() => {});
  }
}

function refusalOf(call: StsCall, thrown: unknown, secrets: readonly string[]): StsRefusal {
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as SdkError;
  const message = typeof error.message === 'string' ? error.message : '';
  const status = error.$metadata?.httpStatusCode;
  const named = typeof error.Code === 'string' ? error.Code : error.name;
  // Only what STS itself answered has a fault (https://smithy.io/2.0/spec/type-refinement-traits.html#error-trait); the SDK calls
  // an error so that has no code.
  if (error.$fault !== undefined && typeof named === 'string' && named !== 'Unknown') {
    const code = redactSecrets(named, secrets);
    return { kind: refusalKindOf(call, { code, message, status }), call, code, text: redactSecrets(message, secrets) };
  }
  const unreachable = whyUnreachable(thrown);
  if (unreachable !== undefined) return { kind: 'Unreachable', call, code: undefined, text: unreachable };
  if (thrown instanceof AnswerTooLongError) {
    return { kind: 'Unexpected', call, code: undefined, text: `the answer is longer than ${mostAnswerBytes} bytes` };
  }
  const kind = status !== undefined && status >= 500 ? 'Unreachable' : 'Unexpected';
  const text = status === undefined ? 'the answer is not one of AWS STS' : `not an answer of AWS STS (HTTP ${status})`;
  return { kind, call, code: undefined, text };
}
