import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { stsAnswer } from './sts-answer.ts';

/** One call of AWS STS. https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html */
export interface StsCall {
  readonly action: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Empty for a call that needs no signature. */
  readonly authorization: string;
  /** Of temporary credentials. */
  readonly securityToken: string;
}

/** What every role session is given. */
export const sessionCredentials = {
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY',
  sessionToken: 'session-token-that-this-endpoint-gave',
} as const;

/** An STS endpoint that gives credentials to whoever asks, and remembers what it was asked. */
export class StsRecorder {
  readonly #server: Server;
  #calls: StsCall[] = [];

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const parameters = Object.fromEntries(new URLSearchParams(await text(request)));
      const action = parameters['Action'] ?? '';
      const { authorization = '' } = request.headers;
      const securityToken = String(request.headers['x-amz-security-token'] ?? '');
      this.#calls.push({ action, parameters, authorization, securityToken });
      response.setHeader('content-type', 'text/xml');
      response.end(answerTo(action, parameters['RoleArn'] ?? ''));
    });
  }

  static async start(): Promise<StsRecorder> {
    const recorder = new StsRecorder();
    recorder.#server.listen(0, '127.0.0.1');
    await once(recorder.#server, 'listening');
    return recorder;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the endpoint is not listening');
    return `http://127.0.0.1:${address.port}`;
  }

  /** What was asked since the last call. */
  take(): readonly StsCall[] {
    const calls = this.#calls;
    this.#calls = [];
    return calls;
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

function answerTo(action: string, roleArn: string): string {
  const { accessKeyId, secretAccessKey, sessionToken } = sessionCredentials;
  const expiration = new Date(Date.now() + 3_600_000).toISOString();
  const result =
    action === 'AssumeRoleWithWebIdentity'
      ? `<Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>
<SessionToken>${sessionToken}</SessionToken><Expiration>${expiration}</Expiration></Credentials>
<AssumedRoleUser><Arn>${roleArn}</Arn><AssumedRoleId>AROAEXAMPLE:session</AssumedRoleId></AssumedRoleUser>`
      : '<Arn>arn:aws:sts::111122223333:assumed-role/answer/session</Arn><Account>111122223333</Account><UserId>AROAEXAMPLE:session</UserId>';
  return stsAnswer(action, result, '00000000-0000-0000-0000-000000000000');
}
