import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { denials } from '../../src/admission/catalogue/denials.ts';
import { warnings } from '../../src/admission/catalogue/warnings.ts';
import { keyRows } from '../../src/objects/keys.ts';
import { withRefusals } from './refusals-table.ts';

const read = (file: string): Promise<string> => readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
const pages = ['aws', 'aws-sdks', 'from-two-accounts'] as const;

test('docs/aws.md has every refusal of AWS that verify explains (to write it: make docs)', async () => {
  const page = await read('docs/aws.md');
  assert.equal(page, withRefusals(page));
});

test('what the pages on AWS say is denied or warned of is a denial or a warning', async () => {
  for (const page of pages) {
    const text = await read(`docs/${page}.md`);
    for (const [, verb, reason = ''] of text.matchAll(/(denied|a warning): `(\w+)`/g)) {
      assert.ok(reason in (verb === 'denied' ? denials : warnings), `${page}: ${reason}`);
    }
  }
});

test('every key of ours on the pages on AWS is one that is read or written', async () => {
  const keys = new Set<string>(keyRows.map(({ key }) => key));
  for (const page of pages) {
    const text = await read(`docs/${page}.md`);
    for (const [key] of text.matchAll(/(?:carm-webhook\.dev|services\.k8s\.aws|eks\.amazonaws\.com)\/[a-z-]+/g)) {
      assert.ok(keys.has(key), `${page}: ${key}`);
    }
  }
});

test('docs/aws-sdks.md has the versions that make aws-e2e runs', async () => {
  const python = await read('test/aws/requirements.txt');
  const go = await read('test/aws/clients/go/go.mod');
  const java = await read('test/aws/clients/java/pom.xml');
  const { dependencies, devDependencies } = JSON.parse(await read('package.json'));
  const version = (text: string, pattern: RegExp): string => pattern.exec(text)?.[1] ?? 'not pinned';
  const rows = {
    boto3: version(python, /^boto3==(.+)$/m),
    'AWS CLI 1': version(python, /^awscli==(.+)$/m),
    'JavaScript v3': `client-sts ${{ ...devDependencies, ...dependencies }['@aws-sdk/client-sts']}`,
    'Go v2': `config ${version(go, /v2\/config v(\S+)/)}, sts ${version(go, /service\/sts v(\S+)/)}`,
    'Java 2.x': version(java, /<artifactId>sts<\/artifactId>\s*<version>(.+?)<\/version>/),
  };
  const page = await read('docs/aws-sdks.md');
  for (const [name, pinned] of Object.entries(rows))
    assert.ok(page.includes(`| ${name} | ${pinned} |`), `${name} ${pinned}`);
});
