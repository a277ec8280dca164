import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { demoState, runCommand } from '../command-runs.ts';

const state = `apiVersion: v1
kind: Namespace
metadata:
  name: team-a
  annotations:
    services.k8s.aws/owner-account-id: "111122223333"
    services.k8s.aws/default-region: eu-central-1
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ack-role-account-map, namespace: ack-system}
data:
  "111122223333": arn:aws:iam::111122223333:role/ack
---
`;
const bucket = (annotations: string, name = 'logs') => `apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata:
  name: ${name} # kept
  namespace: team-a
${annotations}spec:
  name: ${name}
`;

async function injected(text: string, ...flags: string[]) {
  const source = flags.includes('--state') ? [] : ['--kubeconfig', '/nonexistent'];
  return runCommand(['inject', '-f', '-', ...source, ...flags], { stdin: state + text });
}

describe('inject of ACK resources', () => {
  test('pins the region of the namespace, comments kept', async () => {
    const { code, stdout } = await injected(bucket(''));
    assert.equal(code, 0);
    assert.match(
      stdout,
      /name: logs # kept\n {2}namespace: team-a\n {2}annotations:\n {4}services.k8s.aws\/region: eu-central-1\nspec:/,
    );
  });

  test('shows what keeps an adopted resource', async () => {
    const { stdout } = await injected(
      bucket(
        `  annotations:\n    services.k8s.aws/adoption-policy: adopt\n    services.k8s.aws/adoption-fields: '{"name":"logs"}'\n`,
      ),
    );
    assert.match(stdout, /services\.k8s\.aws\/deletion-policy: retain/);
  });

  test('leaves out what would be denied, and says why', async () => {
    const forged = bucket('  annotations:\n    services.k8s.aws/adopted: "true"\n', 'forged');
    const { code, stdout, stderr } = await injected(`${forged}---\n${bucket('')}`);
    assert.equal(code, 1);
    assert.doesNotMatch(stdout, /forged/);
    assert.match(stdout, /name: logs/);
    assert.match(stderr, /denied: Bucket "forged" .*\(ForgedAnnotation\)\n/);
  });

  test('a map of the input is judged too, and an endpoint of a namespace', async () => {
    const text = `apiVersion: v1
kind: ConfigMap
metadata: {name: ack-role-team-map, namespace: ack-system}
data: {a.b.c: nothing}
---
apiVersion: v1
kind: Namespace
metadata: {name: ack-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: sly, annotations: {services.k8s.aws/endpoint-url: "https://example.com"}}
`;
    const { code, stderr } = await injected(text);
    assert.equal(code, 1);
    assert.match(stderr, /\(InvalidTeamId\)/);
    assert.match(stderr, /\(EndpointNotAllowed\)/);
  });

  test('selectors of the input count', async () => {
    const selector = `apiVersion: services.k8s.aws/v1alpha1
kind: IAMRoleSelector
metadata: {name: all}
spec: {arn: "arn:aws:iam::111122223333:role/a"}
`;
    const gate = '--feature-gates=IAMRoleSelector=true';
    const flags = [gate, '--state', demoState];
    const matched = await injected(`${selector}---\n${bucket('')}`, ...flags);
    assert.equal(matched.code, 0, matched.stderr);
    const none = await injected(bucket(''), ...flags);
    assert.match(none.stderr, /\(SelectorNotMatched\)/);
  });
});
