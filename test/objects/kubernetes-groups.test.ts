import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKubernetesGroup } from '../../src/objects/kubernetes-groups.ts';

test("Kubernetes' own groups have known kinds only", () => {
  for (const group of ['', 'apps', 'batch', 'rbac.authorization.k8s.io', 'networking.k8s.io', 'apiextensions.k8s.io']) {
    assert.ok(isKubernetesGroup(group), group);
  }
  for (const group of [
    'argoproj.io',
    'jobset.x-k8s.io',
    'leaderworkerset.x-k8s.io',
    'sparkoperator.k8s.io',
    'serving.knative.dev',
  ]) {
    assert.ok(!isKubernetesGroup(group), group);
  }
});
