import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { isClusterOfPod } from '../../../src/cluster/api/kube-config.ts';

function leadingTo(server: string): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser({ name: 'c', server, skipTLSVerify: false }, { name: 'u' });
  return kubeConfig;
}

test('a cluster is that of the pod where it is at the address that every pod has', () => {
  assert.equal(isClusterOfPod(leadingTo('https://10.96.0.1:443'), '10.96.0.1'), true);
  assert.equal(isClusterOfPod(leadingTo('https://[fd00::1]:443'), 'fd00::1'), true);
  assert.equal(isClusterOfPod(leadingTo('https://other.example.com:6443'), '10.96.0.1'), false);
  assert.equal(isClusterOfPod(leadingTo('https://10.96.0.1:443'), undefined), false);
  assert.equal(isClusterOfPod(leadingTo('https://10.96.0.1:443'), ''), false);
  assert.equal(isClusterOfPod(leadingTo('no address'), '10.96.0.1'), false);
});
