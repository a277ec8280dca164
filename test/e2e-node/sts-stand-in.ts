import { createHash, type KeyObject, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { stsAnswer } from '../e2e/sts-answer.ts';
import { escapeXml } from './escape-xml.ts';
import { isSignedWith, readAuthorization, type SignedCall } from './sigv4.ts';
import { makeStsCertificate, type StsCertificate } from './sts-certificate.ts';
import { StsError, type StsErrorCode } from './sts-error.ts';
import { readIssuerKey, verifyWebIdentityToken } from './web-identity-token.ts';

const bodyLimit = 65_536;
/** Of the oldest sessions and refusals nothing is known any more. */
const remembered = 10_000;
/** From the start of a connection: as many pods start, their clients wait for a processor. */
const requestLimitMs = 60_000;
const longestSeconds = 43_200;
/** For a role that another role takes. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining */
const longestChainedSeconds = 3600;

export type Sdk = 'boto3' | 'js' | 'other';

/** A role that was taken with a token, or by another role. Times are seconds since the epoch, as in the token. */
export interface RoleSession {
  readonly accessKeyId: string;
  readonly roleArn: string;
  readonly roleSessionName: string;
  /** What GetCallerIdentity answers. */
  readonly arn: string;
  /** Who took it by AssumeRole; undefined for whoever came with a token. What is said of the token is said of the first one's. */
  readonly takenBy: RoleSession | undefined;
  readonly externalId: string | undefined;
  /** It stays for all sessions that are taken from this one. */
  readonly sourceIdentity: string | undefined;
  readonly audience: string;
  readonly subject: string;
  /** Of a token that is bound to a pod. */
  readonly podName: string | undefined;
  readonly podUid: string | undefined;
  readonly serviceAccount: string | undefined;
  readonly tokenIssuedAt: number;
  readonly tokenExpiresAt: number;
  /** The endpoint that was called, without a port. */
  readonly host: string;
  readonly userAgent: string;
  readonly sdk: Sdk;
  readonly at: number;
}

/** A call that was refused. */
export interface Refusal {
  readonly action: string;
  readonly roleArn: string | undefined;
  readonly code: StsErrorCode;
  readonly message: string;
  readonly host: string;
  readonly sdk: Sdk;
  readonly at: number;
}

export interface StsStandInOptions {
  readonly address: string;
  /** 443 for clients that know nothing but a name; 0 for any that is free. */
  readonly port: number;
  /** What kube-apiserver's tokens are checked with: RSA. */
  readonly issuerPublicKeyPem: string;
  /** `--service-account-issuer` of kube-apiserver. */
  readonly issuer: string;
  /** Audiences that are trusted beside `sts.amazonaws.com`. */
  readonly audiences?: readonly string[];
  /** One that is in an image already. */
  readonly certificate?: StsCertificate;
  /** See `StsStandIn.lifetimeSeconds`. */
  readonly lifetimeSeconds?: number;
}

interface Secrets {
  readonly session: RoleSession;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAtMs: number;
}

/** A request that was read. */
interface Call extends SignedCall {
  readonly parameters: URLSearchParams;
  readonly action: string;
  readonly host: string;
  readonly userAgent: string;
  readonly sdk: Sdk;
}

/** What every call that takes a role asks for. */
interface RoleRequest {
  readonly roleArn: string;
  readonly roleSessionName: string;
  readonly arn: string;
  readonly account: string;
  readonly partition: string;
}

/**
 * AWS STS as far as a pod needs it: gives credentials for a token of this cluster, if the token is good, or for those of a role,
 * and tells who holds them. It knows no roles: every one trusts every token of the issuer, and every other role.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export class StsStandIn {
  /** The CA that clients must trust. */
  readonly caPem: string;
  /**
   * How long the next credentials are good, whatever a client asks for. boto3 renews what is good for less than 15 minutes with
   * each call, the SDK for JavaScript what is good for less than 5. An hour is what AWS gives unasked.
   */
  lifetimeSeconds: number;
  readonly #server: Server;
  readonly #key: KeyObject;
  readonly #issuer: string;
  readonly #audiences: ReadonlySet<string>;
  readonly #secrets = new Map<string, Secrets>();
  readonly #refusals: Refusal[] = [];

  private constructor(options: StsStandInOptions, { caPem, certPem, keyPem }: StsCertificate) {
    this.caPem = caPem;
    this.lifetimeSeconds = options.lifetimeSeconds ?? 3600;
    this.#key = readIssuerKey(options.issuerPublicKeyPem);
    this.#issuer = options.issuer;
    this.#audiences = new Set(['sts.amazonaws.com', ...(options.audiences ?? [])]);
    this.#server = createServer({ cert: certPem, key: keyPem }, (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.#server.requestTimeout = requestLimitMs;
    this.#server.headersTimeout = requestLimitMs;
    this.#server.maxConnections = 1000;
    // A client that does not trust the CA: it says so itself.
    this.#server.on('tlsClientError', () => {});
  }

  /** @throws {IssuerKeyError} and what `listen` fails with. */
  static async start(options: StsStandInOptions): Promise<StsStandIn> {
    const standIn = new StsStandIn(options, options.certificate ?? (await makeStsCertificate()));
    standIn.#server.listen(options.port, options.address);
    await once(standIn.#server, 'listening');
    return standIn;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the STS stand-in is not listening');
    return address.port;
  }

  /** In the order in which they were given. */
  get sessions(): readonly RoleSession[] {
    return [...this.#secrets.values()].map(({ session }) => session);
  }

  get refusals(): readonly Refusal[] {
    return [...this.#refusals];
  }

  sessionOf(accessKeyId: string): RoleSession | undefined {
    return this.#secrets.get(accessKeyId)?.session;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    response.setHeader('x-amzn-requestid', requestId);
    response.setHeader('content-type', 'text/xml');
    const body = await readBody(request);
    if (body === undefined) {
      // The rest is not read: nothing more can come on this connection.
      response.writeHead(413, { connection: 'close' }).end(() => request.destroy());
      return;
    }
    const call = callOf(request, body);
    try {
      response.end(stsAnswer(call.action, this.#answerTo(call), requestId));
    } catch (error) {
      if (!(error instanceof StsError)) throw error;
      const { action, host, sdk } = call;
      const roleArn = call.parameters.get('RoleArn') ?? undefined;
      this.#refusals.push({ action, roleArn, code: error.code, message: error.message, host, sdk, at: seconds() });
      if (this.#refusals.length > remembered) this.#refusals.shift();
      response.writeHead(error.status).end(error.xml(requestId));
    }
  }

  #answerTo(call: Call): string {
    switch (call.action) {
      case 'AssumeRoleWithWebIdentity':
        return this.#assumeRoleWithWebIdentity(call);
      case 'AssumeRole':
        return this.#assumeRole(call);
      case 'GetCallerIdentity':
        return this.#callerIdentity(call);
      default:
        throw new StsError('InvalidAction', `Could not find operation ${call.action} for version 2011-06-15`);
    }
  }

  #assumeRoleWithWebIdentity({ parameters, host, userAgent, sdk }: Call): string {
    const { account, partition, ...role } = readRoleRequest(parameters, longestSeconds);
    const provider = { key: this.#key, issuer: this.#issuer, audiences: this.#audiences };
    const claims = verifyWebIdentityToken(parameters.get('WebIdentityToken') ?? '', provider, Date.now());
    const { pod, serviceaccount } = claims['kubernetes.io'] ?? {};
    const session: RoleSession = {
      ...role,
      accessKeyId: newAccessKeyId(),
      takenBy: undefined,
      externalId: undefined,
      sourceIdentity: undefined,
      audience: claims.aud.find(each => this.#audiences.has(each)) ?? '',
      subject: claims.sub,
      podName: pod?.name,
      podUid: pod?.uid,
      serviceAccount: serviceaccount?.name,
      tokenIssuedAt: claims.iat,
      tokenExpiresAt: claims.exp,
      host,
      userAgent,
      sdk,
      at: seconds(),
    };
    return [
      this.#credentialsOf(session),
      element('SubjectFromWebIdentityToken', session.subject),
      element('Provider', `arn:${partition}:iam::${account}:oidc-provider/${this.#issuer.replace('https://', '')}`),
      element('Audience', session.audience),
    ].join('');
  }

  #assumeRole(call: Call): string {
    const takenBy = this.#callerOf(call);
    const { parameters, host, userAgent, sdk } = call;
    const { arn, roleArn, roleSessionName } = readRoleRequest(parameters, longestChainedSeconds);
    const externalId = parameters.get('ExternalId') ?? undefined;
    if (externalId !== undefined && !/^[\w+=,.@:/-]{2,1224}$/.test(externalId)) {
      throw new StsError('ValidationError', `Value '${externalId}' at 'externalId' failed to satisfy constraint`);
    }
    const sourceIdentity = parameters.get('SourceIdentity') ?? takenBy.sourceIdentity;
    const session: RoleSession = {
      ...takenBy,
      roleArn,
      roleSessionName,
      arn,
      accessKeyId: newAccessKeyId(),
      takenBy,
      externalId,
      sourceIdentity,
      host,
      userAgent,
      sdk,
      at: seconds(),
    };
    return this.#credentialsOf(session) + (sourceIdentity ? element('SourceIdentity', sourceIdentity) : '');
  }

  /** What every answer has that gives a role. */
  #credentialsOf(session: RoleSession): string {
    const secrets: Secrets = {
      session,
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(96).toString('base64'),
      expiresAtMs: Date.now() + this.lifetimeSeconds * 1000,
    };
    this.#remember(secrets);
    return [
      '<Credentials>',
      element('AccessKeyId', session.accessKeyId),
      element('SecretAccessKey', secrets.secretAccessKey),
      element('SessionToken', secrets.sessionToken),
      element('Expiration', new Date(secrets.expiresAtMs).toISOString()),
      '</Credentials>',
      `<AssumedRoleUser>${element('AssumedRoleId', userIdOf(session))}${element('Arn', session.arn)}</AssumedRoleUser>`,
    ].join('');
  }

  #callerIdentity(call: Call): string {
    const session = this.#callerOf(call);
    const account = session.arn.split(':')[4] ?? '';
    return element('Arn', session.arn) + element('UserId', userIdOf(session)) + element('Account', account);
  }

  /** Who has signed a call. */
  #callerOf(call: Call): RoleSession {
    const authorization = readAuthorization(call.headers['authorization']);
    const secrets = this.#secrets.get(authorization.accessKeyId);
    if (secrets === undefined || call.headers['x-amz-security-token'] !== secrets.sessionToken) {
      throw new StsError('InvalidClientTokenId', 'The security token included in the request is invalid.');
    }
    // The global endpoint is in us-east-1; each other takes what was signed for its own region.
    const [, region = 'us-east-1'] = /^sts\.([a-z0-9-]+)\.amazonaws\.com$/.exec(call.host) ?? [];
    if (authorization.region !== region) {
      throw new StsError('SignatureDoesNotMatch', 'Credential should be scoped to a valid region.');
    }
    if (!isSignedWith(secrets.secretAccessKey, authorization, call)) {
      const message =
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
      throw new StsError('SignatureDoesNotMatch', message);
    }
    if (secrets.expiresAtMs <= Date.now()) {
      throw new StsError('ExpiredToken', 'The security token included in the request is expired');
    }
    return secrets.session;
  }

  #remember(secrets: Secrets): void {
    this.#secrets.set(secrets.session.accessKeyId, secrets);
    if (this.#secrets.size <= remembered) return;
    for (const oldest of this.#secrets.keys()) {
      this.#secrets.delete(oldest);
      return;
    }
  }
}

/** @throws {StsError} */
function readRoleRequest(parameters: URLSearchParams, mostSeconds: number): RoleRequest {
  const roleArn = parameters.get('RoleArn') ?? '';
  const roleSessionName = parameters.get('RoleSessionName') ?? '';
  // Roles have paths, and sessions are named by the role's name alone.
  const [, partition = '', account = '', roleName = ''] =
    /^arn:(aws[a-z-]*):iam::(\d{12}):role\/(?:[!-~]+\/)?([\w+=,.@-]{1,64})$/.exec(roleArn) ?? [];
  if (roleName === '') throw new StsError('ValidationError', 'Request ARN is invalid');
  if (!/^[\w+=,.@-]{2,64}$/.test(roleSessionName)) {
    const message = `1 validation error detected: Value '${roleSessionName}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*, and have 2 to 64 characters`;
    throw new StsError('ValidationError', message);
  }
  const duration = Number(parameters.get('DurationSeconds') ?? 3600);
  if (!(duration >= 900 && duration <= mostSeconds)) {
    throw new StsError('ValidationError', `DurationSeconds must be between 900 and ${mostSeconds}`);
  }
  const arn = `arn:${partition}:sts::${account}:assumed-role/${roleName}/${roleSessionName}`;
  return { roleArn, roleSessionName, arn, account, partition };
}

function newAccessKeyId(): string {
  return `ASIA${base32(randomBytes(16))}`;
}

/** Undefined for a body that is too large. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bodyLimit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** SDKs send a form; a query says the same. https://docs.aws.amazon.com/STS/latest/APIReference/making-requests.html */
function callOf(request: IncomingMessage, body: Buffer): Call {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(',') : value;
  }
  const query = new URL(request.url ?? '/', 'https://sts.amazonaws.com').searchParams;
  const parameters = request.method === 'POST' ? new URLSearchParams(body.toString()) : query;
  const userAgent = headers['user-agent'] ?? '';
  return {
    method: request.method ?? '',
    query,
    headers,
    body,
    parameters,
    action: parameters.get('Action') ?? '',
    host: (headers['host'] ?? '').replace(/:\d+$/, ''),
    userAgent,
    sdk: sdkOf(userAgent),
  };
}

function sdkOf(userAgent: string): Sdk {
  if (userAgent.startsWith('Boto3/')) return 'boto3';
  return userAgent.startsWith('aws-sdk-js/3.') ? 'js' : 'other';
}

/** ROLE-ID:SESSION. A role has the same id in each answer. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
function userIdOf({ roleArn, roleSessionName }: RoleSession): string {
  return `AROA${base32(createHash('sha256').update(roleArn).digest().subarray(0, 16))}:${roleSessionName}`;
}

/** A character for each byte. */
function base32(bytes: Uint8Array): string {
  return Array.from(bytes, byte => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32]).join('');
}

function element(name: string, text: string): string {
  return `<${name}>${escapeXml(text)}</${name}>`;
}

function seconds(): number {
  return Date.now() / 1000;
}
