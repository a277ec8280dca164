import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { cases } from '../cli/iam/iam-cases.ts';
import { policiesOf, runIam, stepsOf } from '../cli/iam/iam-runs.ts';
import { terraformProgram } from './aws-programs.ts';

interface Block {
  readonly block: string;
  readonly labels: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface Evaluated {
  /** Whether `terraform fmt` would leave the file as it is. */
  readonly formatted: boolean;
  readonly blocks: readonly Block[];
}

/** What Terraform's own libraries read in a file. */
function evaluate(file: string, ...args: readonly string[]): Evaluated {
  const output = execFileSync(terraformProgram(), args, { input: file, encoding: 'utf8', timeout: 20_000 });
  return JSON.parse(output) as Evaluated;
}

function policiesIn(blocks: readonly Block[]): readonly unknown[] {
  return blocks.flatMap(({ attributes }) => attributes['assume_role_policy'] ?? attributes['policy'] ?? []);
}

function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Members in any order: jsonencode sorts them. */
const sorted = (values: readonly unknown[]): readonly string[] =>
  values.map(value => JSON.stringify(value, (_, each) => inOrder(each))).sort();

/** All of the blocks but their policies. */
const besidePolicies = (blocks: readonly Block[]): readonly string[] =>
  sorted(blocks.map(({ attributes, ...block }) => ({ ...block, ...attributes, assume_role_policy: 0, policy: 0 })));

describe('Terraform reads in the files of iam what JSON says', () => {
  for (const [name, argv] of Object.entries(cases)) {
    test(name, async () => {
      const policies = sorted(policiesOf(await stepsOf(...argv)));
      const native = evaluate((await runIam(...argv, '-o', 'terraform')).stdout);
      assert.ok(native.formatted, 'formatted as terraform fmt does');
      assert.deepEqual(sorted(policiesIn(native.blocks)), policies);
      const json = evaluate((await runIam(...argv, '-o', 'terraform-json')).stdout, '--json');
      assert.deepEqual(sorted(policiesIn(json.blocks)), policies);
      assert.deepEqual(besidePolicies(json.blocks), besidePolicies(native.blocks));
    });
  }
});

test('text of a policy that a resource has comes through a template, and a shell, as it is', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'carm-webhook-policy-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'policy.json');
  const hostile = ['{aws:username}', '{x}'].flatMap(text =>
    ['$', '$$', '%', '%%', '$$$'].map(sign => `${sign}${text}`),
  );
  const texts = [...hostile, `it's "quoted"`, 'back\\slash', 'tab\tnew\nline', 'é€😀', '$(id)', '`id`', '!x'];
  const statement = { Sid: 'Theirs', Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: texts };
  await writeFile(file, JSON.stringify({ Version: '2012-10-17', Statement: [statement] }));
  const resource = ['--resource', 's3', '--resource-arn', 'arn:aws:s3:::reports', '--resource-policy', file];
  const outputOf = async (form: string) => (await runIam('-n', 'team-c', ...resource, '-o', form)).stdout;
  const policies = sorted(policiesOf(await stepsOf('-n', 'team-c', ...resource)));
  const native = evaluate(await outputOf('terraform'));
  assert.deepEqual(sorted(policiesIn(native.blocks)), policies);
  assert.deepEqual(sorted(policiesIn(evaluate(await outputOf('terraform-json'), '--json').blocks)), policies);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: ${word#…} is the shell's own expansion, in a function that sh runs below
  const aws = 'aws() { for word in "$@"; do case $word in --policy=*) printf %s "${word#--policy=}" ;; esac; done; }';
  const input = `${aws}\n${await outputOf('aws-cli')}`;
  const said = execFileSync('sh', ['-eu'], { input, encoding: 'utf8', timeout: 20_000 });
  assert.deepEqual((JSON.parse(said) as { readonly Statement: readonly unknown[] }).Statement[0], statement);
});
