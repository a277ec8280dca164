/** A program as it would run in a container: for each line of its input it says, as a line of JSON, who it is. */

import { createInterface } from 'node:readline';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

// The credentials stay between lines, as in a program that runs on.
let client: STSClient | undefined;
for await (const _ of createInterface({ input: process.stdin })) {
  let said: object;
  try {
    client ??= new STSClient();
    said = { arn: (await client.send(new GetCallerIdentityCommand())).Arn };
  } catch (error) {
    said = { error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
