import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pythonProgram } from './aws-programs.ts';

const run = promisify(execFile);
const commandsLimitMs = 60_000;

/** The environment in which a shell has `aws`: AWS CLI 1, as the root of an account or with keys of a session. */
export function awsShell(
  endpoint: string,
  home: string,
  keys: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    AWS_ENDPOINT_URL: endpoint,
    AWS_DEFAULT_REGION: 'eu-central-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
    ...keys,
  };
}

export function rootKeys(accountId: string): Readonly<Record<string, string>> {
  return { AWS_ACCESS_KEY_ID: accountId, AWS_SECRET_ACCESS_KEY: 'any' };
}

/** Runs what a person pastes. @throws where a command fails */
export async function paste(script: string, env: Record<string, string>): Promise<string> {
  // Python runs the script even where its path is too long for a #! line. For SQS, AWS CLI 1 heeds the flag alone.
  const program = `'${pythonProgram('python')}' '${pythonProgram('aws')}'`;
  const aws = `aws() { ${program} --endpoint-url="$AWS_ENDPOINT_URL" "$@"; }\n`;
  const { stdout } = await run('sh', ['-eu', '-c', aws + script], { env, timeout: commandsLimitMs });
  return stdout;
}

/** The parts of `-o aws-cli`, each with the account that it names. */
export function partsByAccount(script: string): readonly { readonly account: string; readonly commands: string }[] {
  return script.split(/^(?=# In )/m).map(commands => {
    const [, account = ''] = /^# In account (\d{12}):\n/.exec(commands) ?? [];
    return { account, commands };
  });
}
