import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  Agent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { buffer } from 'node:stream/consumers';
import { StsError } from '../e2e-node/sts-error.ts';
import { LoopbackServer } from '../loopback-server.ts';
import { checkCaller, checkParameters, type JsonWebKeySet, judgeToken, type Provider } from './assume-rules.ts';
import { type AwsCall, readCall } from './aws-call.ts';
import { type AwsFault, answerWithFault } from './aws-fault.ts';
import { elementText, elementTexts, IamAccount, IamCallFailed } from './iam-account.ts';
import { type ServiceCredentials, serviceCredentials } from './service-credentials.ts';

/** Of the oldest calls and sessions nothing is known any more. */
const remembered = 100_000;

interface Session {
  readonly arn: string;
  /** When the front says that it ends, if that is before AWS would. */
  readonly expiresAtMs: number;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Stands before ministack and judges what AWS judges and ministack does not: web identity tokens, with AWS's own error codes, and the
 * parameters of both ways to take a role. All else passes as it is. What neither judges: that the caller's own policy must allow
 * `sts:TagSession` too, and that within one account a trust policy which names a role is enough.
 */
export class AwsFront {
  /** How long new sessions are good; undefined: as long as ministack says. AWS gives 900 seconds at least. */
  sessionLifetimeMs: number | undefined;
  fault: AwsFault | undefined;
  readonly calls: AwsCall[] = [];
  readonly #ministackUrl: string;
  readonly #server: LoopbackServer;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #issuers = new Map<string, JsonWebKeySet>();
  readonly #sessions = new Map<string, Session>();

  constructor(ministackUrl: string) {
    this.#ministackUrl = ministackUrl;
    this.#server = new LoopbackServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        // A client that gave up is none of its concern.
        if (!response.destroyed)
          process.stderr.write(`the front of AWS: ${error instanceof Error ? error.stack : error}\n`);
        response.destroy();
      });
    });
  }

  /** @returns its URL. */
  async start(): Promise<string> {
    return this.#server.start();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    this.#agent.destroy();
  }

  /** What AWS would fetch from the issuer; without keys none of its tokens can be verified. */
  setIssuerKeys(issuer: string, keys: JsonWebKeySet): void {
    this.#issuers.set(issuer, keys);
  }

  /** A session of a role that trusts a service of AWS, as that service takes it: ministack lets an account's root take it. */
  async serviceSession(roleArn: string, sessionName: string, lifetimeMs: number): Promise<ServiceCredentials> {
    const credentials = await serviceCredentials(this.#ministackUrl, roleArn, sessionName, lifetimeMs);
    const [, , , , account, role = ''] = roleArn.split(':');
    const arn = `arn:aws:sts::${account}:assumed-role/${role.slice(role.lastIndexOf('/') + 1)}/${sessionName}`;
    this.#keep(credentials.AccessKeyId, { arn, expiresAtMs: Date.parse(credentials.Expiration) });
    return credentials;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
    const query = new URL(request.url ?? '/', this.#ministackUrl).searchParams;
    const parameters = isForm ? new URLSearchParams(body.toString()) : query;
    const call = readCall(request, parameters, key => this.#sessions.get(key)?.arn);
    keep(this.calls, call);
    const requestId = randomUUID();
    if (this.fault !== undefined && (this.fault.matches?.(call) ?? call.service === 'sts')) {
      answerWithFault(this.fault.kind, response, requestId);
      if (response.writableEnded) call.status = response.statusCode;
      return;
    }
    const answer = await this.#answer(request, body, parameters, call).catch((error: unknown): Answer => {
      if (!(error instanceof StsError)) throw error;
      call.errorCode = error.code;
      return { status: error.status, headers: { 'content-type': 'text/xml' }, body: Buffer.from(error.xml(requestId)) };
    });
    call.status = answer.status;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  /** @throws {StsError} */
  async #answer(request: IncomingMessage, body: Buffer, parameters: URLSearchParams, call: AwsCall): Promise<Answer> {
    const session = this.#sessions.get(call.accessKeyId ?? '');
    if (session !== undefined && session.expiresAtMs <= Date.now()) {
      throw new StsError('ExpiredToken', 'The security token included in the request is expired');
    }
    switch (call.action) {
      case 'AssumeRoleWithWebIdentity': {
        const judged = await this.#judgeWebIdentity(call, parameters);
        return this.#remember(call, await this.#passOn(request, Buffer.from(judged.toString())));
      }
      case 'AssumeRole': {
        checkParameters(parameters);
        checkCaller(parameters, {
          isRoot: /^\d{12}$/.test(call.accessKeyId ?? ''),
          isRoleSession: session !== undefined,
        });
        if (!(await this.#isRole(call.roleArn ?? ''))) throw notAuthorized(call, '');
        return this.#remember(call, await this.#passOn(request, body));
      }
      default:
        return this.#passOn(request, body);
    }
  }

  /** @returns the parameters to pass on. @throws {StsError} */
  async #judgeWebIdentity({ roleArn = '' }: AwsCall, parameters: URLSearchParams): Promise<URLSearchParams> {
    checkParameters(parameters);
    const account = this.#account(roleArn);
    const token = parameters.get('WebIdentityToken') ?? '';
    const judged = new URLSearchParams(parameters);
    judged.set('WebIdentityToken', await judgeToken(token, issuer => this.#findProvider(account, issuer), Date.now()));
    if (!(await this.#isRole(roleArn))) {
      throw new StsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
    }
    return judged;
  }

  #account(roleArn: string): IamAccount {
    return new IamAccount(this.#ministackUrl, roleArn.split(':')[4] ?? '');
  }

  async #findProvider(account: IamAccount, issuer: string): Promise<Provider | undefined> {
    const parameters = { OpenIDConnectProviderArn: account.providerArn(issuer) };
    const provider = await ifThere(account.call('GetOpenIDConnectProvider', parameters));
    if (provider === undefined) return undefined;
    const [clientIds = ''] = /<ClientIDList>.*?<\/ClientIDList>/s.exec(provider) ?? [];
    return { clientIds: new Set(elementTexts(clientIds, 'member')), keys: this.#issuers.get(issuer) ?? { keys: [] } };
  }

  /** ministack finds a role by its name alone, whatever path the ARN has. */
  async #isRole(arn: string): Promise<boolean> {
    const role = await ifThere(this.#account(arn).call('GetRole', { RoleName: arn.slice(arn.lastIndexOf('/') + 1) }));
    return role !== undefined && elementText(role, 'Arn') === arn;
  }

  /** Looks at ministack's answer to a call that takes a role. @throws {StsError} */
  #remember(call: AwsCall, answer: Answer): Answer {
    const xml = answer.body.toString();
    if (answer.status !== 200) {
      call.errorCode = elementText(xml, 'Code');
      const [, action, why] =
        /is not authorized to perform: (sts:\w+)(?:.*?)( because .*| with an explicit deny .*)?$/.exec(
          elementText(xml, 'Message') ?? '',
        ) ?? [];
      // ministack leaves out who or what it is about in some of them.
      if (call.errorCode === 'AccessDenied' && action !== undefined) throw notAuthorized(call, why ?? '', action);
      return answer;
    }
    const lifetimeMs = this.sessionLifetimeMs ?? Number.POSITIVE_INFINITY;
    const givenMs = Date.parse(elementText(xml, 'Expiration') ?? '');
    const expiresAtMs = Math.min(givenMs, Date.now() + lifetimeMs);
    call.session = elementText(xml, 'Arn');
    call.sessionKeyId = elementText(xml, 'AccessKeyId');
    this.#keep(call.sessionKeyId ?? '', { arn: call.session ?? '', expiresAtMs });
    if (expiresAtMs === givenMs) return answer;
    const shorter = xml.replace(/<Expiration>[^<]*/, `<Expiration>${new Date(expiresAtMs).toISOString()}`);
    const body = Buffer.from(shorter);
    return { ...answer, headers: { ...answer.headers, 'content-length': String(body.length) }, body };
  }

  #keep(accessKeyId: string, session: Session): void {
    this.#sessions.set(accessKeyId, session);
    if (this.#sessions.size > remembered) this.#sessions.delete(this.#sessions.keys().next().value ?? '');
  }

  async #passOn(request: IncomingMessage, body: Buffer): Promise<Answer> {
    const { connection, 'transfer-encoding': _, expect, ...headers } = request.headers;
    const { method, url } = request;
    const passed = httpRequest(new URL(url ?? '/', this.#ministackUrl), {
      method,
      path: url,
      agent: this.#agent,
      // Host stays as it was signed.
      headers: { ...headers, 'content-length': body.length },
    });
    passed.end(body);
    const [response] = (await once(passed, 'response')) as [IncomingMessage];
    const { connection: ended, 'transfer-encoding': chunked, 'keep-alive': kept, ...answered } = response.headers;
    return { status: response.statusCode ?? 502, headers: answered, body: await buffer(response) };
  }
}

function notAuthorized({ caller, roleArn }: AwsCall, why: string, action = 'sts:AssumeRole'): StsError {
  return new StsError(
    'AccessDenied',
    `User: ${caller ?? ''} is not authorized to perform: ${action} on resource: ${roleArn ?? ''}${why}`,
  );
}

/** The answer about something that IAM may not have. */
async function ifThere(call: Promise<string>): Promise<string | undefined> {
  return call.catch((error: unknown) => {
    if (error instanceof IamCallFailed && error.code === 'NoSuchEntity') return undefined;
    throw error;
  });
}

function keep(calls: AwsCall[], call: AwsCall): void {
  calls.push(call);
  if (calls.length > remembered) calls.shift();
}
