import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { inRepository } from '../command-runs.ts';
import { cases } from './iam-cases.ts';
import { policiesOf, runIam, stepsOf } from './iam-runs.ts';

const forms = ['json', 'aws-cli', 'terraform', 'terraform-json'] as const;

/** With UPDATE_SNAPSHOTS=1 the file is written. */
async function assertIsAsExpected(name: string, output: string): Promise<void> {
  const file = inRepository(`test/cli/iam/expected/${name}.txt`);
  if (process.env['UPDATE_SNAPSHOTS'] === '1') await writeFile(file, output);
  assert.equal(output, await readFile(file, 'utf8'));
}

/** Writes the words of each command as JSON; queues have URLs. */
const awsInSh = `aws() {
  if [ "$1 $2" = 'sqs get-queue-url' ]; then echo https://sqs.example.com/jobs; return; fi
  "$NODE" -e 'process.stdout.write(JSON.stringify(process.argv.slice(1)) + "\\n")' -- "$@"
}
`;

/** The policies that the commands of a script hand to `aws`, in their order. */
function policiesOfCommands(script: string): readonly object[] {
  const output = execFileSync('sh', ['-eu'], {
    input: `${awsInSh}${script}`,
    env: { NODE: process.execPath, PATH: process.env['PATH'] },
    timeout: 30_000,
    encoding: 'utf8',
  });
  const commands = output
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as readonly string[]);
  return commands.flatMap(words =>
    words.flatMap(word => {
      const [, flag = '', value = ''] = /^--(.*?)=(.*)$/s.exec(word) ?? [];
      if (flag === 'attributes') return JSON.parse((JSON.parse(value) as { readonly Policy: string }).Policy) as object;
      const isPolicy = /(?:^|-)policy(?:-text|-document)?$/.test(flag) || flag === 'attribute-value';
      return isPolicy ? (JSON.parse(value) as object) : [];
    }),
  );
}

type Blocks = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

/** The policies of a file in Terraform's JSON syntax, sorted. */
function policiesOfTerraform(text: string): readonly string[] {
  const { resource } = JSON.parse(text) as { readonly resource: Blocks };
  const bodies = Object.values(resource).flatMap(ofType => Object.values(ofType));
  return bodies
    .flatMap(body => body['assume_role_policy'] ?? body['policy'] ?? [])
    .map(policy => JSON.stringify(JSON.parse(String(policy).replaceAll(/\$\$(?=\{)|%%(?=\{)/g, sign => sign.slice(1)))))
    .sort();
}

describe('what iam writes', () => {
  for (const [name, argv] of Object.entries(cases)) {
    for (const form of forms) {
      test(`${name} as ${form}`, async () => {
        const { code, stdout } = await runIam(...argv, '-o', form);
        assert.equal(code, name === 'whole-map' ? 1 : 0);
        await assertIsAsExpected(`${name}.${form}`, stdout);
      });
    }

    test(`${name}: the warnings`, async () => {
      await assertIsAsExpected(`${name}.stderr`, (await runIam(...argv)).stderr);
    });

    test(`${name}: a shell, and Terraform, read the policies that JSON has`, async () => {
      const policies = policiesOf(await stepsOf(...argv));
      assert.ok(policies.length > 0);
      assert.deepEqual(policiesOfCommands((await runIam(...argv, '-o', 'aws-cli')).stdout), policies);
      const ofTerraform = policiesOfTerraform((await runIam(...argv, '-o', 'terraform-json')).stdout);
      assert.deepEqual(ofTerraform, policies.map(policy => JSON.stringify(policy)).sort());
    });
  }
});
