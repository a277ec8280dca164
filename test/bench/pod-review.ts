import { Buffer } from 'node:buffer';

export const benchNamespace = 'shop';
export const benchServiceAccount = 'orders';
export const benchAccountId = '111122223333';

/** What the server knows in the bench: one bound namespace, its service account and the account map. */
export const benchManifests = `apiVersion: v1
kind: Namespace
metadata:
  name: ack-system
---
apiVersion: v1
kind: Namespace
metadata:
  name: ${benchNamespace}
  labels:
    carm-webhook.dev/inject: enabled
  annotations:
    services.k8s.aws/owner-account-id: "${benchAccountId}"
    services.k8s.aws/default-region: eu-central-1
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: ${benchServiceAccount}
  namespace: ${benchNamespace}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: ack-role-account-map
  namespace: ack-system
data:
  "${benchAccountId}": arn:aws:iam::${benchAccountId}:role/ack-workloads
`;

function probe(path: string, port: number): object {
  return {
    httpGet: { path, port, scheme: 'HTTP' },
    initialDelaySeconds: 5,
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  };
}

function container(name: string, index: number): object {
  return {
    name,
    image: `registry.example.com/shop/${name}@sha256:${String(index).repeat(64)}`,
    args: ['--listen=:8080', '--log-level=info', `--role=${name}`],
    ports: [{ name: 'http', containerPort: 8080 + index, protocol: 'TCP' }],
    env: [
      { name: 'POD_NAME', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      { name: 'POD_IP', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } },
      { name: 'DATABASE_HOST', value: 'orders-db.shop.svc.cluster.local' },
      { name: 'DATABASE_PASSWORD', valueFrom: { secretKeyRef: { name: 'orders-db', key: 'password' } } },
    ],
    resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
    volumeMounts: [
      { name: 'config', readOnly: true, mountPath: '/etc/orders' },
      { name: 'kube-api-access-x7k2p', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ],
    livenessProbe: probe('/healthz', 8080 + index),
    readinessProbe: probe('/readyz', 8080 + index),
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    securityContext: {
      capabilities: { drop: ['ALL'] },
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
    },
  };
}

/** managedFields of one container, as kube-controller-manager leaves them. */
function managedContainer(): object {
  return {
    '.': {},
    'f:args': {},
    'f:env': {
      '.': {},
      'k:{"name":"DATABASE_HOST"}': { '.': {}, 'f:name': {}, 'f:value': {} },
      'k:{"name":"POD_NAME"}': { '.': {}, 'f:name': {}, 'f:valueFrom': { '.': {}, 'f:fieldRef': {} } },
    },
    'f:image': {},
    'f:imagePullPolicy': {},
    'f:name': {},
    'f:resources': { '.': {}, 'f:limits': { '.': {}, 'f:cpu': {}, 'f:memory': {} } },
  };
}

const names = ['orders', 'proxy', 'exporter'] as const;

/** The review of a pod of a Deployment, about 7 KB: 3 containers, probes, resources, managedFields. */
export function podReview(uid: string): object {
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid,
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      requestKind: { group: '', version: 'v1', kind: 'Pod' },
      requestResource: { group: '', version: 'v1', resource: 'pods' },
      namespace: benchNamespace,
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:kube-system:replicaset-controller',
        uid: '6c2f1f53-6a7c-4d3c-9f5e-2f6f6b8f9a10',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
      },
      object: {
        kind: 'Pod',
        apiVersion: 'v1',
        metadata: {
          generateName: 'orders-7d9c6b5f4-',
          namespace: benchNamespace,
          labels: { app: 'orders', 'pod-template-hash': '7d9c6b5f4', team: 'checkout' },
          annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9090' },
          ownerReferences: [
            {
              apiVersion: 'apps/v1',
              kind: 'ReplicaSet',
              name: 'orders-7d9c6b5f4',
              uid: '0b1c9b0e-52b0-4a26-8f0e-2d6b2c7d7f11',
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
          managedFields: [
            {
              manager: 'kube-controller-manager',
              operation: 'Update',
              apiVersion: 'v1',
              time: '2026-08-01T10:00:00Z',
              fieldsType: 'FieldsV1',
              fieldsV1: {
                'f:metadata': { 'f:generateName': {}, 'f:labels': { '.': {}, 'f:app': {}, 'f:team': {} } },
                'f:spec': {
                  'f:containers': Object.fromEntries(names.map(name => [`k:{"name":"${name}"}`, managedContainer()])),
                  'f:dnsPolicy': {},
                  'f:restartPolicy': {},
                },
              },
            },
          ],
        },
        spec: {
          volumes: [
            { name: 'config', configMap: { name: 'orders', defaultMode: 420 } },
            { name: 'scratch', emptyDir: {} },
            {
              name: 'kube-api-access-x7k2p',
              projected: {
                sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }],
                defaultMode: 420,
              },
            },
          ],
          containers: names.map(container),
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          serviceAccountName: benchServiceAccount,
          serviceAccount: benchServiceAccount,
          securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
          schedulerName: 'default-scheduler',
          tolerations: [
            { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
            { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
          ],
          priority: 0,
          enableServiceLinks: true,
          preemptionPolicy: 'PreemptLowerPriority',
        },
        status: {},
      },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  };
}

/** The review as the bytes of one HTTP request. */
export function requestBytes(path: string, review: object): Buffer {
  const body = JSON.stringify(review);
  const head = [
    `POST ${path}?timeout=10s HTTP/1.1`,
    'Host: carm-webhook.carm-webhook.svc:443',
    'User-Agent: kube-apiserver-admission',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Accept: application/json, */*',
    'Content-Type: application/json',
    'Accept-Encoding: gzip',
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
