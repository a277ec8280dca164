import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { runCommand } from '../command-runs.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/pods`;

function stateWith(t: TestContext, labels: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'carm-webhook-notes-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', labels, annotations: { 'services.k8s.aws/owner-account-id': account } },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'shop' } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'ack-role-account-map', namespace: 'ack-system' },
      data: { [account]: role },
    },
  ];
  for (const [index, object] of objects.entries()) {
    writeFileSync(join(folder, `${index}.json`), JSON.stringify(object));
  }
  return folder;
}

const enabled = { 'carm-webhook.dev/inject': 'enabled' };
const envFrom = [{ configMapRef: { name: 'settings' } }];
const spec = {
  containers: [
    { name: 'app', image: 'x', envFrom },
    { name: 'proxy', image: 'x' },
  ],
  initContainers: [{ name: 'first', image: 'x', env: [{ name: 'A', value: '1' }], envFrom }],
};
const podOf = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', ...more },
  spec,
});
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { template: { spec } },
};

async function notesOf(t: TestContext, labels: object, ...objects: readonly object[]): Promise<readonly string[]> {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const { stderr } = await runCommand(['inject', '-f', '-', '--state', stateWith(t, labels)], { stdin: input });
  return stderr.split('\n').flatMap(line => /: note: (.*)/.exec(line)?.[1] ?? []);
}

describe('inject notes', () => {
  const won =
    'injected variables win over envFrom in containers "first", "app"; to keep a value of your own, set it in env';
  const unseen =
    'namespace "shop" is not labelled carm-webhook.dev/inject=enabled; until it is, its pods get nothing of this';

  test('that injected variables win over envFrom, for each object', async t => {
    const notes = await notesOf(t, enabled, podOf('web'), deployment);
    assert.deepEqual(
      notes.map(note => note.replace('"app", "first"', '"first", "app"')),
      [won, won],
    );
  });

  test('nothing of a pod that gets nothing', async t => {
    assert.deepEqual(
      await notesOf(t, enabled, podOf('web', { labels: { 'carm-webhook.dev/inject': 'disabled' } })),
      [],
    );
  });

  for (const labels of [{}, { 'carm-webhook.dev/inject': 'false' }]) {
    test(`once, that the webhook does not see pods of a namespace labelled ${JSON.stringify(labels)}`, async t => {
      const notes = await notesOf(t, labels, podOf('a'), podOf('b'));
      assert.deepEqual(
        notes.filter(note => note.startsWith('namespace')),
        [unseen],
      );
    });
  }

  test('nothing of a namespace that the input brings: it is labelled when it is created', async t => {
    const namespace = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', annotations: { 'services.k8s.aws/owner-account-id': account } },
    };
    const notes = await notesOf(t, {}, namespace, podOf('web'));
    assert.deepEqual(
      notes.filter(note => note.startsWith('namespace')),
      [],
    );
  });
});
