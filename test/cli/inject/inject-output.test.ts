import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyPatch, parsePatch } from 'diff';
import { parse, stringify } from 'yaml';
import { demoState, runCommand } from '../command-runs.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'team-a' },
  spec: { containers: [{ name: 'a' }] },
};
const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } };

async function inject(objects: readonly unknown[], ...flags: string[]) {
  const stdin = objects.map(object => `---\n${stringify(object)}`).join('');
  return runCommand(['inject', '-f', '-', '--state', demoState, ...flags], { stdin });
}

describe('inject -o', () => {
  test('json of one object is that object', async () => {
    const { stdout } = await inject([pod], '-o', 'json');
    const { kind, spec } = JSON.parse(stdout);
    assert.equal(kind, 'Pod');
    assert.equal(spec.volumes[0].name, 'aws-iam-token');
  });

  test('json of several objects is a v1 List of them, Lists opened', async () => {
    const list = { apiVersion: 'v1', kind: 'List', items: [pod, service] };
    const { stdout } = await inject([list, service], '-o', 'json');
    const { apiVersion, kind, items } = JSON.parse(stdout);
    assert.deepEqual([apiVersion, kind], ['v1', 'List']);
    assert.deepEqual(
      items.map((item: { kind: string }) => item.kind),
      ['Pod', 'Service', 'Service'],
    );
    assert.deepEqual(items[1], service);
  });

  test('yaml and json tell the same', async () => {
    const [yaml, json] = [await inject([pod]), await inject([pod], '-o=json')];
    assert.deepEqual(parse(yaml.stdout), JSON.parse(json.stdout));
  });

  test('diff is a unified diff an object that leads from one to the other; what stays has none', async () => {
    const [diff, yaml] = [await inject([pod, service], '-o', 'diff'), await inject([pod])];
    const patches = parsePatch(diff.stdout);
    assert.equal(patches.length, 1);
    assert.equal(patches[0]?.oldFileName, 'Pod team-a/web (stdin:2)');
    const applied = applyPatch(stringify(pod), patches[0] ?? '');
    assert.deepEqual(parse(applied || ''), parse(yaml.stdout));
  });

  test('another form is denied by name', async () => {
    const { code, stderr } = await inject([pod], '-o', 'xml');
    assert.equal(code, 2);
    assert.equal(stderr, 'carm-webhook: --output "xml" is not one of: yaml, json, diff\n');
  });
});
