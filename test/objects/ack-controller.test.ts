import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readAckController } from '../../src/objects/ack-controller.ts';

interface Written {
  readonly args?: readonly unknown[];
  readonly command?: readonly string[];
  readonly env?: readonly unknown[];
  readonly envFrom?: readonly unknown[];
}

/** As the chart of a controller writes it: https://github.com/aws-controllers-k8s/s3-controller/tree/main/helm */
function deployment({ args = [], command = ['./bin/controller'], env = [], envFrom = [] }: Written = {}) {
  return {
    metadata: { name: 'ack-s3-chart', labels: { 'app.kubernetes.io/name': 's3-chart' } },
    spec: {
      replicas: 1,
      template: {
        spec: {
          serviceAccountName: 'ack-s3-controller',
          containers: [
            { name: 'proxy', args: ['--enable-carm=false'] },
            { name: 'controller', command, args, env, envFrom },
          ],
        },
      },
    },
  };
}

const literal = (name: string, value: unknown) => ({ name, value });
const ofSecret = (name: string) => ({ name, valueFrom: { secretKeyRef: { name: 'settings', key: name } } });
const ownNamespace = { name: 'ACK_SYSTEM_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } };
const defaults = {
  alias: 's3',
  serviceAccountName: 'ack-s3-controller',
  featureGates: '',
  enableCarm: 'true',
  watchNamespace: '',
  region: '',
  systemNamespace: 'ack-system',
};

describe('what an ACK controller is told', () => {
  const rows: readonly (readonly [title: string, Written, Partial<typeof defaults> | Record<string, undefined>])[] = [
    ['nothing: defaults', {}, {}],
    [
      'as the chart writes it',
      {
        args: [
          '--aws-region',
          '$(AWS_REGION)',
          '--aws-endpoint-url',
          '$(AWS_ENDPOINT_URL)',
          '--enable-development-logging',
          '--watch-namespace',
          '$(ACK_WATCH_NAMESPACE)',
          '--feature-gates',
          '$(FEATURE_GATES)',
          '--enable-carm=false',
        ],
        env: [
          ownNamespace,
          literal('AWS_REGION', 'eu-central-1'),
          literal('AWS_ENDPOINT_URL', ''),
          literal('ACK_WATCH_NAMESPACE', 'team-a'),
          literal('FEATURE_GATES', 'IAMRoleSelector=true'),
        ],
      },
      {
        featureGates: 'IAMRoleSelector=true',
        enableCarm: 'false',
        watchNamespace: 'team-a',
        region: 'eu-central-1',
        systemNamespace: 'acks',
      },
    ],
    [
      'an empty value in the chart, which the API server stores without',
      { args: ['--watch-namespace', '$(N)'], env: [{ name: 'N' }] },
      {},
    ],
    [
      'flags among the words of the command',
      { command: ['./bin/controller', '--watch-namespace=a'] },
      { watchNamespace: 'a' },
    ],
    ['the last one counts', { args: ['--watch-namespace=a', '--watch-namespace', 'b'] }, { watchNamespace: 'b' }],
    ['a switch takes no next word', { args: ['--enable-carm', 'false'] }, { enableCarm: 'true' }],
    ['one dash makes no flag of more than a letter', { args: ['-watch-namespace=a'] }, {}],
    ['what stands after -- is no flag', { args: ['--', '--enable-carm=false'] }, {}],
    ['an = in a value', { args: ['--feature-gates=TeamLevelCARM=true'] }, { featureGates: 'TeamLevelCARM=true' }],
    [
      'a variable of variables',
      { args: ['--watch-namespace=$(A)'], env: [literal('B', 'b'), literal('A', '$(B),c')] },
      { watchNamespace: 'b,c' },
    ],
    [
      'a variable that comes later is none',
      { args: ['--watch-namespace=$(A)'], env: [literal('A', '$(B)'), literal('B', 'b')] },
      { watchNamespace: '$(B)' },
    ],
    ['one that is not there stays', { args: ['--watch-namespace=$(NOWHERE)'] }, { watchNamespace: '$(NOWHERE)' }],
    ['an escaped one', { args: ['--watch-namespace=$$(A)'], env: [literal('A', 'a')] }, { watchNamespace: '$(A)' }],
    [
      'a value of a Secret',
      { args: ['--watch-namespace', '$(A)'], env: [ofSecret('A')] },
      { watchNamespace: undefined },
    ],
    ['the same after =', { args: ['--enable-carm=$(A)'], env: [ofSecret('A')] }, { enableCarm: undefined }],
    [
      'one that refers to it',
      { args: ['--aws-region=$(B)'], env: [ofSecret('A'), literal('B', '$(A)')] },
      { region: undefined },
    ],
    ['a region by its variable alone', { env: [literal('AWS_REGION', 'eu-west-1')] }, { region: 'eu-west-1' }],
    ['the old variable of the namespace', { env: [literal('K8S_NAMESPACE', 'old')] }, { systemNamespace: 'old' }],
    [
      'an empty namespace is one',
      { env: [literal('ACK_SYSTEM_NAMESPACE', ''), literal('K8S_NAMESPACE', 'old')] },
      { systemNamespace: '' },
    ],
    [
      'one that grows beyond all bounds',
      {
        args: ['--watch-namespace=$(V40)'],
        env: [literal('V0', 'a'), ...Array.from({ length: 40 }, (_, n) => literal(`V${n + 1}`, `$(V${n})$(V${n})`))],
      },
      { watchNamespace: undefined },
    ],
    [
      'variables of a ConfigMap',
      { args: ['--feature-gates=$(G)'], envFrom: [{ configMapRef: { name: 'settings' } }] },
      { featureGates: undefined, region: undefined, systemNamespace: undefined },
    ],
  ];
  for (const [title, written, expected] of rows) {
    test(title, () => {
      assert.deepEqual(readAckController(deployment(written), 'acks'), { ...defaults, ...expected });
    });
  }
});

describe('which Deployments are ACK controllers', () => {
  const bare = (name: string, spec: object, labels = {}) => ({
    metadata: { name, labels },
    spec: { template: { spec: { containers: [{ name: 'controller' }], ...spec } } },
  });
  const rows: readonly (readonly [title: string, object: Record<string, unknown>, alias: string | undefined])[] = [
    ['by its name', bare('ack-sqs-controller', {}), 'sqs'],
    ['by its ServiceAccount', bare('queues', { serviceAccountName: 'ack-sqs-controller' }), 'sqs'],
    ['by its label', bare('queues', {}, { 'app.kubernetes.io/name': 'ack-sqs-controller' }), 'sqs'],
    ['by the label of its chart', bare('queues', {}, { 'app.kubernetes.io/name': 'sqs-chart' }), 'sqs'],
    ['another Deployment', bare('kro', { serviceAccountName: 'kro' }), undefined],
    ['without a container of that kind', bare('ack-sqs-controller', { containers: [{ name: 'app' }] }), undefined],
    ['scaled to nothing', { ...deployment(), spec: { ...deployment().spec, replicas: 0 } }, undefined],
    ['fields of other types', { metadata: 1, spec: { template: { spec: { containers: 'none' } } } }, undefined],
    ['nothing', {}, undefined],
  ];
  for (const [title, object, alias] of rows) {
    test(title, () => assert.equal(readAckController(object, 'acks')?.alias, alias));
  }
});
