import assert from 'node:assert/strict';
import type { ReviewResponse } from './demo-server.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** One thing that a person does, and what must come of it. */
export interface Scene {
  readonly title: string;
  readonly endpoint: 'mutate' | 'validate';
  readonly webhook: string;
  readonly resource: { readonly group: string; readonly version: string; readonly resource: string };
  readonly object: JsonObject;
  /** @throws {AssertionError} when the answer is not what it should be. */
  readonly expect: (response: ReviewResponse, patched: unknown) => void;
}

const pods = { group: '', version: 'v1', resource: 'pods' };

function pod(name: string, namespace: string, spec: JsonObject): JsonObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec };
}

function container(name: string, more: JsonObject = {}): JsonObject {
  return { name, image: `registry.example/${name}:1.4`, ...more };
}

function rolesIn(object: unknown): readonly string[] {
  return [...JSON.stringify(object).matchAll(/"name":"AWS_ROLE_ARN","value":"([^"]*)"/g)].map(([, role = '']) => role);
}

function deniedFor(reason: string): Scene['expect'] {
  return ({ allowed, status }) => {
    assert.equal(allowed, false, 'it must be denied');
    assert.equal(status?.code, 403);
    assert.match(status?.message ?? '', new RegExp(`\\(${reason}\\)$`));
  };
}

function injectedWith(role: string): Scene['expect'] {
  return ({ allowed }, patched) => {
    assert.equal(allowed, true, 'it must be allowed');
    assert.deepEqual(rolesIn(patched), [role]);
    assert.match(JSON.stringify(patched), /"serviceAccountToken":\{"audience":"sts\.amazonaws\.com"/);
  };
}

/** What the demo shows, in order. */
export function scenes(web: JsonObject): readonly Scene[] {
  const podScene = { endpoint: 'mutate', webhook: 'pods.carm-webhook.dev', resource: pods } as const;
  return [
    {
      ...podScene,
      title: 'A pod in a namespace bound to account 111122223333 gets the role of that account',
      object: web,
      expect: injectedWith('arn:aws:iam::111122223333:role/team-a-workloads'),
    },
    {
      ...podScene,
      title: 'A pod in a namespace whose account is not in the map is denied, with how to fix it',
      object: pod('web', 'team-b', { containers: [container('app')] }),
      expect: deniedFor('AccountNotMapped'),
    },
    {
      ...podScene,
      title: 'A pod that names a role in another account is denied',
      object: pod('curious', 'team-a', {
        serviceAccountName: 'web',
        containers: [
          container('app', { env: [{ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::999988887777:role/admin' }] }),
        ],
      }),
      expect: deniedFor('RoleOutsideAccount'),
    },
    {
      ...podScene,
      title: 'A ServiceAccount requests a role by its bare name, team/s3-reader: the role in its own account',
      object: pod('report', 'team-a', { serviceAccountName: 'reports', containers: [container('report')] }),
      expect: injectedWith('arn:aws:iam::111122223333:role/team/s3-reader'),
    },
    {
      title: 'A Deployment whose pods would be denied gets a warning at kubectl apply',
      endpoint: 'validate',
      webhook: 'workloads.carm-webhook.dev',
      resource: { group: 'apps', version: 'v1', resource: 'deployments' },
      object: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'team-b' },
        spec: {
          selector: { matchLabels: { app: 'web' } },
          template: { metadata: { labels: { app: 'web' } }, spec: { containers: [container('app')] } },
        },
      },
      expect: ({ allowed, warnings = [] }) => {
        assert.equal(allowed, true, 'it must be allowed');
        assert.match(warnings.join('\n'), /\(AccountNotMapped\)/);
      },
    },
    {
      title: 'A bound namespace gets the label that the webhook configurations select by',
      endpoint: 'mutate',
      webhook: 'namespaces.carm-webhook.dev',
      resource: { group: '', version: 'v1', resource: 'namespaces' },
      object: {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'team-c', annotations: { 'services.k8s.aws/owner-account-id': '111122223333' } },
      },
      expect: ({ allowed }, patched) => {
        assert.equal(allowed, true, 'it must be allowed');
        assert.match(JSON.stringify(patched), /"labels":\{"carm-webhook\.dev\/inject":"enabled"\}/);
      },
    },
  ];
}

/** The AdmissionReview that kube-apiserver sends for a `kubectl create` of the scene's object. */
export function reviewFor({ object, resource }: Scene, uid: string): JsonObject {
  const { kind, metadata } = object as { kind: string; metadata: { name: string; namespace?: string } };
  const groupVersionKind = { group: resource.group, version: resource.version, kind };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid,
      kind: groupVersionKind,
      resource,
      requestKind: groupVersionKind,
      requestResource: resource,
      name: metadata.name,
      namespace: metadata.namespace ?? metadata.name,
      operation: 'CREATE',
      userInfo: { username: 'alice', groups: ['developers', 'system:authenticated'] },
      object,
      oldObject: null,
      dryRun: false,
      options: { apiVersion: 'meta.k8s.io/v1', kind: 'CreateOptions' },
    },
  };
}
