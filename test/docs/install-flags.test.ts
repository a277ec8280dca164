import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import jsonPatch from 'fast-json-patch';
import { parse } from 'yaml';
import { defaultFeatureGates } from '../../src/accounts/feature-gates.ts';
import { readFlags } from '../../src/cli/flags/flag.ts';
import { serveFlags } from '../../src/cli/serve/serve.ts';

const root = new URL('../../', import.meta.url);
const page = await readFile(new URL('docs/install.md', root), 'utf8');
const section = page.split('## Flags and feature gates\n')[1]?.split('\n## ')[0] ?? '';

interface Deployment {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: readonly [{ readonly args: readonly string[] }] } };
  };
}

/** The flags that the container would be started with, by the shipped Deployment and the patches of the page. */
async function patchedFlags() {
  const [, block = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(section) ?? [];
  const [patch, ...more] = parse(block).patches;
  assert.deepEqual(more, []);
  const deployment: Deployment = parse(await readFile(new URL('deploy/deployment.yaml', root), 'utf8'));
  assert.deepEqual(patch.target, { kind: deployment.kind, name: deployment.metadata.name });
  const { newDocument } = jsonPatch.applyPatch(deployment, parse(patch.patch), true, false);
  const [command, ...args] = newDocument.spec.template.spec.containers[0].args;
  assert.equal(command, 'serve');
  const { values, positionals } = readFlags(serveFlags, args, {});
  assert.deepEqual(positionals, []);
  return values;
}

describe('flags and feature gates in docs/install.md', () => {
  test('its patch gives the server the flags that it shows, beside those that it has', async () => {
    const { featureGates, defaultRegion, ackSystems, tlsCertFile } = await patchedFlags();
    assert.deepEqual(featureGates, { ...defaultFeatureGates, ServiceLevelCARM: true, TeamLevelCARM: true });
    assert.equal(defaultRegion, 'eu-central-1');
    assert.deepEqual(ackSystems, [{ namespace: 'ack-system', services: undefined }]);
    assert.equal(tlsCertFile, '/etc/carm-webhook/tls/tls.crt');
  });

  test('its table has every gate that changes a decision, and the text the others', () => {
    const rows = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, gate = '']) => gate);
    const [, taken = ''] = /^ACK's (.*) are accepted too/m.exec(section) ?? [];
    const others = [...taken.matchAll(/`(\w+)`/g)].map(([, gate = '']) => gate);
    const off = Object.entries(defaultFeatureGates).filter(([, on]) => !on);
    assert.deepEqual(
      rows,
      off.map(([gate]) => gate),
    );
    assert.deepEqual([...rows, ...others], Object.keys(defaultFeatureGates));
  });
});
