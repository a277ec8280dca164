/**
 * Asks AWS who this is, knowing nothing but its environment: the SDK for JavaScript as it runs in a pod.
 *
 *     identity.mjs                  once
 *     identity.mjs --every SECONDS  again and again, each time with new credentials, until SIGTERM
 *     identity.mjs --hold SECONDS   once, and stays for a while (less if SIGTERM comes)
 *
 * Each answer is one line of JSON on stdout. The exit code is 1 where the one answer is an error.
 * https://docs.aws.amazon.com/sdk-for-javascript/v3/developer-guide/setting-credentials-node.html
 */

import { readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

// Before all else: a process with id 1 gets no signal that it does not handle.
process.once('SIGTERM', () => process.exit(0));

const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');

const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8).padStart(4, '0');

/** Of the file that the SDK takes the token from, and of the config that names it: nothing where there is none. */
function tokenFacts(): object {
  const config = process.env['AWS_CONFIG_FILE'];
  const named = config && /^web_identity_token_file *= *(.+)$/m.exec(readFileSync(config, 'utf8'))?.[1];
  const path = config === undefined ? process.env['AWS_WEB_IDENTITY_TOKEN_FILE'] : named;
  const facts = config === undefined ? {} : { configMode: mode(config) };
  if (path === undefined) return facts;
  const [, payload = ''] = readFileSync(path, 'utf8').split('.');
  const { iat } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iat: number };
  return { ...facts, tokenMode: mode(path), tokenIssuedAt: iat };
}

/** A client of its own has credentials of its own. */
async function identity(): Promise<object> {
  const client = new STSClient({
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 30_000, requestTimeout: 30_000 },
  });
  let authorization = '';
  client.middlewareStack.add(
    next => args => {
      const { headers } = args.request as { headers: Readonly<Record<string, string>> };
      authorization = headers['authorization'] ?? '';
      return next(args);
    },
    // After it was signed.
    { step: 'finalizeRequest', priority: 'low' },
  );
  try {
    const { Arn: arn } = await client.send(new GetCallerIdentityCommand());
    const [, accessKeyId] = /Credential=(\w+)/.exec(authorization) ?? [];
    const region = await client.config.region();
    return { sdk: 'js', arn, accessKeyId, uid: process.getuid?.(), gid: process.getgid?.(), region };
  } finally {
    client.destroy();
  }
}

/** It is the SDK that is to say what is wrong with a file. */
function readable(read: () => object): object | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** With the token that was used: asked again where kubelet has renewed it meanwhile. */
async function identityAndToken(): Promise<object> {
  for (;;) {
    const before = readable(tokenFacts);
    const known = await identity();
    const facts = tokenFacts();
    if (JSON.stringify(facts) === JSON.stringify(before)) return { ...known, ...facts };
  }
}

/** Prints who this is, or why that is not known; whether it is. */
async function answer(): Promise<boolean> {
  try {
    process.stdout.write(`${JSON.stringify(await identityAndToken())}\n`);
    return true;
  } catch (error) {
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    process.stdout.write(`${JSON.stringify({ sdk: 'js', error: why })}\n`);
    return false;
  }
}

const [option, seconds = '0'] = process.argv.slice(2);
const milliseconds = Number(seconds) * 1000;
if (option !== undefined && option !== '--every' && option !== '--hold') {
  process.stderr.write(`identity.mjs: unknown option ${option}\n`);
  process.exit(1);
}
while (option === '--every') {
  await answer();
  await sleep(milliseconds);
}
if (!(await answer())) process.exitCode = 1;
else await sleep(milliseconds);
