import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { stsAnswer } from '../e2e/sts-answer.ts';
import { LoopbackServer } from '../loopback-server.ts';

/** A call as the endpoint got it. */
export interface ScriptedCall {
  readonly action: string;
  readonly parameters: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** What is given to whoever takes a role: nothing of it may ever be seen. */
export const given = {
  accessKeyId: 'ASIAQWERTYUIOPEXAMPL',
  secretAccessKey: 'sEcReTkEy0123456789/+sEcReTkEy0123456789',
  sessionToken: 'IQoJb3JpZ2luX2VjEXAMPLESESSIONTOKEN0123456789abcdef==',
} as const;

type Respond = (response: ServerResponse, call: ScriptedCall) => void;

/** An error as STS words it. */
export function refuses(code: string, message: string, status = 400): Respond {
  return response =>
    response
      .writeHead(status, { 'content-type': 'text/xml' })
      .end(
        `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>1</RequestId></ErrorResponse>`,
      );
}

export function answers(status: number, body: string): Respond {
  return response => response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
}

/** The ARN of a session of a role. */
function sessionArn(roleArn: string, sessionName: string): string {
  const [, partition = '', , , account = '', resource = ''] = roleArn.split(':');
  return `arn:${partition}:sts::${account}:assumed-role/${resource.slice(resource.lastIndexOf('/') + 1)}/${sessionName}`;
}

export interface ScriptedSts {
  readonly url: string;
  readonly calls: ScriptedCall[];
  /** What is done instead of the usual, by action. */
  readonly script: Map<string, Respond>;
}

/** An STS on loopback that gives every role to everybody, and knows whom it gave the last; else it does what the script says. */
export async function startScriptedSts(t: TestContext): Promise<ScriptedSts> {
  const calls: ScriptedCall[] = [];
  const script = new Map<string, Respond>();
  let last = '';
  const server = new LoopbackServer(async (request, response) => {
    const parameters = new URLSearchParams(await text(request));
    const action = parameters.get('Action') ?? '';
    const call = { action, parameters, headers: request.headers };
    calls.push(call);
    const scripted = script.get(action);
    if (scripted !== undefined) return scripted(response, call);
    const isQuestion = action === 'GetCallerIdentity';
    if (!isQuestion) last = sessionArn(parameters.get('RoleArn') ?? '', parameters.get('RoleSessionName') ?? '');
    const account = last.split(':')[4];
    const result = isQuestion
      ? `<Arn>${last}</Arn><Account>${account}</Account><UserId>AROAEXAMPLE:x</UserId>`
      : `<Credentials><AccessKeyId>${given.accessKeyId}</AccessKeyId><SecretAccessKey>${given.secretAccessKey}</SecretAccessKey><SessionToken>${given.sessionToken}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials><AssumedRoleUser><Arn>${last}</Arn><AssumedRoleId>AROAEXAMPLE:x</AssumedRoleId></AssumedRoleUser>`;
    response.setHeader('content-type', 'text/xml');
    response.end(stsAnswer(action, result, '1'));
  });
  const url = await server.start();
  t.after(() => server.stop());
  return { url, calls, script };
}
