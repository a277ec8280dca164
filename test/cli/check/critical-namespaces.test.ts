import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultConfig } from '../../../src/admission/config.ts';
import { CriticalNamespaces } from '../../../src/cli/check/critical-namespaces.ts';
import { Snapshot } from '../../../src/cluster/state/snapshot.ts';

const owner = { 'services.k8s.aws/owner-account-id': '111122223333' };
const enabled = { 'carm-webhook.dev/inject': 'enabled' };

function stateOf(namespaces: Readonly<Record<string, object>>): Snapshot {
  const state = new Snapshot({ roleSelectors: false });
  for (const [name, metadata] of Object.entries(namespaces)) {
    const object = { metadata: { name, ...metadata } };
    state.add({ object, apiVersion: 'v1', kind: 'Namespace', place: 'here', document: 0, path: [] });
  }
  return state;
}

const pod = (namespace: string, priorityClassName?: string) => ({
  metadata: { namespace },
  spec: { priorityClassName },
});

test('managed namespaces that the cluster or the webhook cannot do without are found, each once', () => {
  const state = stateOf({
    'ack-system': { annotations: owner },
    'cert-manager': { labels: enabled },
    'calico-system': { annotations: owner },
    cilium: { annotations: owner, labels: { 'carm-webhook.dev/inject': 'disabled' } },
    shop: { annotations: owner },
    plain: {},
    'kube-system': { annotations: owner },
    'carm-webhook': { annotations: owner },
  });
  const critical = new CriticalNamespaces(state, defaultConfig);
  for (const namespace of [
    'calico-system',
    'calico-system',
    'cilium',
    'plain',
    'kube-system',
    'carm-webhook',
    'gone',
  ]) {
    critical.look(pod(namespace, 'system-node-critical'));
  }
  critical.look(pod('shop', 'high'));
  critical.look(pod('shop'));
  critical.look({ metadata: 7, spec: 'x' });
  assert.deepEqual(
    critical.findings.map(({ reason, object, message }) => [reason, object.name, message.split(',')[0]]),
    [
      ['CriticalNamespaceManaged', 'cert-manager', 'it has cert-manager'],
      ['CriticalNamespaceManaged', 'ack-system', "it has ACK's controllers"],
      ['CriticalNamespaceManaged', 'calico-system', 'it has pods of class system-node-critical'],
    ],
  );
  assert.match(
    critical.findings[0]?.fix ?? '',
    /: kubectl label --overwrite namespace cert-manager carm-webhook\.dev\/inject=disabled$/,
  );
});

test('cert-manager that is not managed is no finding', () => {
  assert.deepEqual(new CriticalNamespaces(stateOf({ 'cert-manager': {} }), defaultConfig).findings, []);
});
