import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { demoState, inRepository, runBundle } from './command-runs.ts';

const probe = new URL('./report-loaded.ts', import.meta.url).href;

/** esbuild names each module above what it kept of it. */
const kubeConfigModule = /^\/\/ \S*client-node\/dist\/config\.js$/m;
const awsModule = /^\/\/ \S*node_modules\/@(?:aws-sdk|smithy)\//m;
const generatedModules = /^\/\/ \S*client-node\/dist\/gen\/(?:apis|models|types)\/.*$/gm;

/** The text of every file of the bundle that a command loaded. */
async function loadedBy(argv: readonly string[]): Promise<string> {
  const { code, stderr } = await runBundle(argv, { env: { NODE_OPTIONS: `--import=${probe}` } });
  assert.equal(code, 0, stderr);
  const urls = JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as string[];
  assert.ok(urls.length > 0);
  return (await Promise.all(urls.map(url => readFile(fileURLToPath(url), 'utf8')))).join('\n');
}

async function wholeBundle(): Promise<string> {
  const dist = inRepository('dist');
  const files = (await readdir(dist, { recursive: true })).filter(file => file.endsWith('.mjs'));
  return (await Promise.all(files.map(file => readFile(join(dist, file), 'utf8')))).join('\n');
}

describe('what the bundle holds, and what its commands load of it', () => {
  for (const argv of [['version'], ['--version'], ['help'], ['--help'], ['-h'], ['help', 'version']]) {
    test(`${argv.join(' ')} loads next to nothing, and no package`, async () => {
      const text = await loadedBy(argv);
      assert.ok(text.length < 32_000, `${text.length} bytes`);
      assert.doesNotMatch(text, /\/\/ \S*node_modules\//);
    });
  }

  test('with a folder for a cluster, nothing of client-node is loaded', async () => {
    const text = await loadedBy(['why', 'namespace', 'team-a', '--state', demoState]);
    assert.match(text, /^\/\/ src\/\S*open-source\.ts$/m);
    assert.doesNotMatch(text, kubeConfigModule);
  });

  test('no command loads the SDK of AWS before it calls AWS, not even verify', async () => {
    for (const name of ['serve', 'inject', 'check', 'label', 'why', 'verify']) {
      assert.doesNotMatch(await loadedBy([name, '--help']), awsModule, name);
    }
  });

  test("of AWS's client there is what calls STS, and nothing that finds credentials on a machine", async () => {
    const text = await wholeBundle();
    assert.match(text, /^\/\/ \S*client-sts\/dist-es\/STSClient\.js$/m);
    assert.deepEqual(
      text.match(/^\/\/ \S*node_modules\/\S*(?:credential-provider|token-providers|nested-clients)\S*$/gm),
      null,
    );
  });

  test('serve loads neither Express nor what makes certificates nor client-node before it needs them', async () => {
    const text = await loadedBy(['serve', '--help']);
    assert.match(text, /^\/\/ src\/\S*review-server\.ts$/m);
    assert.doesNotMatch(text, /^\/\/ \S*node_modules\/(?:express|selfsigned|@kubernetes)\//m);
  });

  test("of client-node's API there is nothing, but its KubeConfig", async () => {
    const text = await wholeBundle();
    assert.match(text, kubeConfigModule);
    assert.deepEqual(text.match(generatedModules), null);
  });

  test('the bundle stays small', async () => {
    const { length } = await wholeBundle();
    assert.ok(length < 3_800_000, `${length} bytes`);
  });
});
