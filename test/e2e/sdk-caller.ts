/** A program as it would run in a container: asks who it is, knowing nothing but its environment. */

import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

try {
  const { Arn } = await new STSClient().send(new GetCallerIdentityCommand());
  process.stdout.write(`${Arn}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? `${error.name}: ${error.message}` : error}\n`);
  process.exitCode = 1;
}
