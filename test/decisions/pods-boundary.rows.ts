import {
  container,
  injectedEnv,
  type Json,
  pod,
  podWithEnv,
  tokenFile,
  tokenMount,
  tokenVolume,
  workload,
} from './manifests.ts';
import type { Row } from './row.ts';
import { account, foreignRole, hostile, role } from './state.ts';

/** What a pod is denied for by what it says itself: the boundary, and conflicts with our volume. */

const roleEnv = (value: string) => [{ name: 'AWS_ROLE_ARN', value }];
const byReference = { name: 'AWS_ROLE_ARN', valueFrom: { secretKeyRef: { name: 'aws', key: 'role' } } };
const optOut = { 'carm-webhook.dev/inject': 'disabled' };
const mountOf = (name: string, mountPath: string, more = {}) => ({ name, mountPath, ...more });
const otherVolume = { name: 'data', emptyDir: {} };
const withMount = (mount: Readonly<Record<string, unknown>>) =>
  pod({ containers: [container('app', { mounts: [mount] })], volumes: [otherVolume] });
const withVolume = (source: Readonly<Record<string, unknown>>, mount: Readonly<Record<string, unknown>>) =>
  pod({ containers: [container('app', { mounts: [mount] })], volumes: [{ name: 'data', ...source }] });
const ours = '/var/run/secrets/eks.amazonaws.com/serviceaccount';

const affinityTo = (expression: Readonly<Record<string, unknown>>) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [expression] }] },
  },
});

/** Ways in which a pod may run on Windows without saying `os: windows`. */
const maybeWindows: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  [
    'node affinity',
    { affinity: affinityTo({ key: 'kubernetes.io/os', operator: 'In', values: ['linux', 'windows'] }) },
  ],
  [
    'node affinity that keeps off Linux',
    { affinity: affinityTo({ key: 'beta.kubernetes.io/os', operator: 'NotIn', values: ['linux'] }) },
  ],
  [
    'node affinity by the build of Windows',
    { affinity: affinityTo({ key: 'node.kubernetes.io/windows-build', operator: 'Exists' }) },
  ],
  ['a RuntimeClass', { runtimeClassName: 'windows-2022' }],
  ['the name of a node', { nodeName: 'ip-10-0-0-1' }],
  ['a nodeSelector by the build of Windows', { nodeSelector: { 'node.kubernetes.io/windows-build': '10.0.20348' } }],
  ['a toleration', { tolerations: [{ key: 'os', operator: 'Equal', value: 'windows', effect: 'NoSchedule' }] }],
];
const lowerCase = (value: string) => [{ name: 'aws_role_arn', value }];

const spellings: readonly Row[] = [
  ...maybeWindows.flatMap(([how, spec]): readonly Row[] => [
    {
      proves: `a pod that may run on Windows by ${how}: any spelling of AWS_ROLE_ARN is inside of the boundary`,
      review: { object: podWithEnv(lowerCase(foreignRole), { spec }) },
      reason: 'RoleOutsideAccount',
      outcome: 'denied',
      says: ['sets "aws_role_arn" (AWS_ROLE_ARN on Windows)'],
    },
    {
      proves: `a pod that may run on Windows by ${how}: any spelling must be a literal`,
      endpoint: 'validate',
      review: { object: podWithEnv([{ ...byReference, name: 'Aws_Role_Arn' }], { spec }) },
      reason: 'RoleNotVerifiable',
      outcome: 'denied',
    },
  ]),
  {
    proves: 'a spelling with a role of the account passes, and the role is injected for Linux',
    review: { object: podWithEnv(lowerCase(role), { spec: { runtimeClassName: 'any' } }) },
    reason: 'Injected',
    outcome: 'mutated',
  },
  ...(
    [
      ['nothing said', {}],
      ['the nodeSelector', { nodeSelector: { 'kubernetes.io/os': 'linux' }, runtimeClassName: 'x' }],
      ['spec.os', { os: { name: 'linux' }, nodeName: 'x' }],
      ['node affinity', { affinity: affinityTo({ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }) }],
    ] as const
  ).map(
    ([how, spec]): Row => ({
      proves: `a pod for Linux by ${how}: another spelling of AWS_ROLE_ARN is nothing, and warned of`,
      review: { object: podWithEnv(lowerCase(foreignRole), { spec }) },
      reason: 'Injected',
      outcome: 'mutated',
      warnings: ['MisspelledVariable'],
      says: ['container "app"'],
    }),
  ),
  {
    proves: 'no skip lifts the boundary of other spellings',
    review: {
      object: podWithEnv(lowerCase(foreignRole), { spec: { runtimeClassName: 'x' }, metadata: { labels: optOut } }),
    },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
  },
];

export const podBoundaryRows: readonly Row[] = [
  ...spellings,
  {
    proves: "AWS_ROLE_ARN in another account than the namespace's is denied",
    review: { object: podWithEnv(roleEnv(foreignRole)) },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
    accountId: account,
    says: [
      'container "app" sets AWS_ROLE_ARN',
      `account ${account} (namespace "shop")`,
      'To fix this, remove AWS_ROLE_ARN',
    ],
  },
  {
    proves: 'the same digits in another partition are another account, and the message says which is meant',
    review: { object: podWithEnv(roleEnv(`arn:aws-cn:iam::${account}:role/pods`)) },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
    accountId: account,
    says: [`which is not a role in account ${account} in partition aws (namespace "shop")`],
  },
  {
    proves: 'any container: an init container is inside of the boundary',
    review: { object: pod({ initContainers: [container('setup', { env: roleEnv(foreignRole) })] }) },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
    says: ['init container "setup"'],
  },
  {
    proves: 'any occurrence: an earlier AWS_ROLE_ARN is judged too',
    review: { object: podWithEnv([...roleEnv(foreignRole), ...roleEnv(role)]) },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
  },
  {
    proves: 'AWS_ROLE_ARN that is no role ARN is denied and quoted',
    review: { object: podWithEnv(roleEnv(hostile)) },
    reason: 'RoleNotVerifiable',
    outcome: 'denied',
    says: ['"1\\u000a2\\u001b[31m\\"'],
  },
  {
    proves: 'a bare role name in AWS_ROLE_ARN is no literal role ARN',
    review: { object: podWithEnv(roleEnv('s3-reader')) },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
  },
  {
    proves: 'AWS_ROLE_ARN by valueFrom cannot be verified',
    review: { object: podWithEnv([byReference]) },
    reason: 'RoleNotVerifiable',
    outcome: 'denied',
    says: ['by valueFrom'],
  },
  {
    proves: 'AWS_ROLE_ARN with $( cannot be verified',
    review: { object: podWithEnv(roleEnv(`arn:aws:iam::${account}:role/$(NAME)`)) },
    reason: 'RoleNotVerifiable',
    outcome: 'denied',
  },
  {
    proves: '--source-accounts may be named by AWS_ROLE_ARN',
    server: 'strict',
    review: { object: podWithEnv(roleEnv('arn:aws:iam::123456789012:role/hub')) },
    reason: 'Injected',
    outcome: 'mutated',
  },
  {
    proves: 'the pod label inject: disabled does not lift the boundary',
    review: { object: podWithEnv(roleEnv(foreignRole), { labels: optOut }) },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
  },
  {
    proves: 'the skip label of EKS does not lift the boundary',
    review: {
      object: podWithEnv(roleEnv(foreignRole), { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': '' } }),
    },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
  },
  {
    proves: 'skip-containers does not lift the boundary',
    review: {
      object: podWithEnv(roleEnv(foreignRole), { annotations: { 'eks.amazonaws.com/skip-containers': 'app' } }),
    },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
  },
  {
    proves: 'an empty AWS_ROLE_ARN is warned of in any container: no skip lifts that',
    review: {
      object: podWithEnv(roleEnv(''), { annotations: { 'eks.amazonaws.com/skip-containers': 'app' } }),
    },
    reason: 'NothingToInject',
    outcome: 'allowed',
    warnings: ['EmptyRoleArn'],
  },
  {
    proves: 'an empty AWS_ROLE_ARN is warned of in a pod that opts out',
    review: { object: podWithEnv(roleEnv(''), { labels: optOut }) },
    reason: 'OptedOut',
    outcome: 'allowed',
    warnings: ['EmptyRoleArn'],
  },
  {
    proves: 'the annotation that names the role is never read as evidence',
    review: { object: podWithEnv(roleEnv(foreignRole), { annotations: { 'carm-webhook.dev/role-arn': foreignRole } }) },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
    says: ['account 999999999999 (annotation carm-webhook.dev/role-arn)', 'the pod was copied from there'],
  },
  {
    proves: 'a pod labelled inject: disabled is not injected',
    review: { object: pod({ labels: optOut }) },
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    proves: 'a pod with the skip label of EKS is not injected, whatever its value',
    review: { object: pod({ labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'false' } }) },
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    proves: 'a pod that opts out loses a role annotation that it brings',
    review: { object: pod({ labels: optOut, annotations: { 'carm-webhook.dev/role-arn': role } }) },
    reason: 'OptedOut',
    outcome: 'mutated',
    after: { '/metadata/annotations': { 'carm-webhook.dev/role-arn': '' } },
  },
  {
    proves: 'a volume of our name that is not ours is a conflict, never a half-injected pod',
    review: { object: pod({ volumes: [{ name: 'aws-iam-token', emptyDir: {} }] }) },
    reason: 'VolumeConflict',
    outcome: 'denied',
    says: ['volume aws-iam-token', '"sts.amazonaws.com"', 'To fix this, '],
  },
  {
    proves: 'a token volume of another audience is not ours',
    review: { object: pod({ volumes: [tokenVolume('vault')] }) },
    reason: 'VolumeConflict',
    outcome: 'denied',
  },
  {
    proves: 'a token volume of another path is not ours',
    review: { object: pod({ volumes: [tokenVolume('sts.amazonaws.com', 86_400, 'jwt')] }) },
    reason: 'VolumeConflict',
    outcome: 'denied',
  },
  {
    proves: 'a projected volume with a second source is not ours',
    review: {
      object: pod({
        volumes: [
          {
            name: 'aws-iam-token',
            projected: {
              sources: [
                { serviceAccountToken: { audience: 'sts.amazonaws.com', path: 'token' } },
                { configMap: { name: 'x' } },
              ],
            },
          },
        ],
      }),
    },
    reason: 'VolumeConflict',
    outcome: 'denied',
  },
  {
    proves: 'our volume with another expiration and mode is ours',
    review: {
      object: pod({
        volumes: [
          {
            name: 'aws-iam-token',
            projected: {
              defaultMode: 288,
              sources: [
                { serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 900, path: 'token' } },
              ],
            },
          },
        ],
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/spec/volumes/2': undefined, '/spec/containers/0/env': injectedEnv(role) },
  },
  {
    proves: 'a foreign volume of our name is no conflict when no container uses our token',
    review: {
      object: podWithEnv([{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/t' }], {
        volumes: [{ name: 'aws-iam-token', emptyDir: {} }],
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['IncompleteWebIdentity'],
  },
  {
    proves: 'a mount of another volume at our path is a conflict',
    review: { object: withMount(mountOf('data', ours)) },
    reason: 'VolumeConflict',
    outcome: 'denied',
    says: ['volume "data"', ours],
  },
  {
    proves: 'a mount below our path is a conflict',
    review: { object: withMount(mountOf('data', `${ours}/deep/er`)) },
    reason: 'VolumeConflict',
    outcome: 'denied',
  },
  {
    proves: 'mount paths are normalised',
    review: { object: withMount(mountOf('data', '/var/run//secrets/./x/../eks.amazonaws.com/serviceaccount/')) },
    reason: 'VolumeConflict',
    outcome: 'denied',
  },
  {
    proves: 'a mount above our path that can be written is nothing',
    review: { object: withMount(mountOf('data', '/var/run/secrets')) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/spec/containers/0/volumeMounts/2': tokenMount },
  },
  ...[
    { what: 'Secret', source: { secret: { secretName: 'x' } } },
    { what: 'ConfigMap', source: { configMap: { name: 'x' } } },
    { what: 'downwardAPI volume', source: { downwardAPI: {} } },
    { what: 'projected volume', source: { projected: { sources: [] } } },
  ].map(
    ({ what, source }): Row => ({
      proves: `a read-only ${what} above our path is nothing: kubelet creates the folder`,
      review: { object: withVolume(source, mountOf('data', '/var/run', { readOnly: true })) },
      reason: 'Injected',
      outcome: 'mutated',
    }),
  ),
  {
    proves: 'a read-only emptyDir above our path is a conflict: the container could never start',
    review: { object: withMount(mountOf('data', '/var/run', { readOnly: true })) },
    reason: 'VolumeConflict',
    outcome: 'denied',
    says: ['"data"', '"/var/run"', 'could never start', 'eks.amazonaws.com/skip-containers'],
  },
  {
    proves: '/validate judges a read-only emptyDir above our path',
    endpoint: 'validate',
    review: {
      object: pod({
        containers: [
          container('app', {
            env: injectedEnv(role),
            mounts: [tokenMount, mountOf('data', '/var/run', { readOnly: true })],
          }),
        ],
        volumes: [otherVolume, tokenVolume()],
      }),
    },
    reason: 'VolumeConflict',
    outcome: 'denied',
  },
  {
    proves: 'a read-only emptyDir above our path that another container can write is a warning',
    review: {
      object: pod({
        initContainers: [container('setup', { mounts: [mountOf('data', '/var/run')] })],
        containers: [container('app', { mounts: [mountOf('data', '/var/run', { readOnly: true })] })],
        volumes: [otherVolume],
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['TokenMountNested'],
    says: ['container "app"'],
  },
  ...[
    { what: 'hostPath', source: { hostPath: { path: '/x' } }, readOnly: true },
    { what: 'claim', source: { persistentVolumeClaim: { claimName: 'x' } }, readOnly: true },
    {
      what: 'claim, by its source',
      source: { persistentVolumeClaim: { claimName: 'x', readOnly: true } },
      readOnly: false,
    },
    { what: 'CSI volume, by its source', source: { csi: { driver: 'x', readOnly: true } }, readOnly: false },
    { what: 'image, which always is', source: { image: { reference: 'x' } }, readOnly: false },
  ].map(
    ({ what, source, readOnly }): Row => ({
      proves: `a warning of a read-only volume above our path: ${what}`,
      review: { object: withVolume(source, mountOf('data', '/var/run', { readOnly })) },
      reason: 'Injected',
      outcome: 'mutated',
      warnings: ['TokenMountNested'],
      says: [
        'container "app" starts only if',
        '"/var/run" has the folder secrets/eks.amazonaws.com/serviceaccount;',
        'eks.amazonaws.com/skip-containers',
      ],
    }),
  ),
  {
    proves: 'containers with read-only volumes above our path are named together',
    review: {
      object: pod({
        containers: ['/var/run', '/run'].map((path, index) =>
          container(`c${index}`, { mounts: [mountOf('data', path)] }),
        ),
        volumes: [{ name: 'data', image: { reference: 'x' } }],
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['TokenMountNested'],
    says: ['containers "c0", "c1" start only if', 'such as secrets/eks.amazonaws.com/serviceaccount in "/var/run"'],
  },
  ...['/run', '/run/secrets'].flatMap((path): readonly Row[] => [
    {
      proves: `a read-only emptyDir at ${path} is a warning: in many images /var/run is a link to /run`,
      review: { object: withMount(mountOf('data', path, { readOnly: true })) },
      reason: 'Injected',
      outcome: 'mutated',
      warnings: ['TokenMountNested'],
      says: [`"${path}"`],
    },
    {
      proves: `a volume at ${path} that can be written is nothing`,
      review: { object: withMount(mountOf('data', path)) },
      reason: 'Injected',
      outcome: 'mutated',
    },
  ]),
  {
    proves: 'the nearest of two mounts above our path decides',
    review: {
      object: pod({
        containers: [
          container('app', { mounts: [mountOf('claim', '/var/run'), mountOf('data', '/var', { readOnly: true })] }),
        ],
        volumes: [otherVolume, { name: 'claim', persistentVolumeClaim: { claimName: 'x' } }],
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
  },
  {
    proves:
      'a StatefulSet has its claims in place of volumes of their name: a read-only one above our path is a warning',
    endpoint: 'validate',
    review: (() => {
      const template = withMount(mountOf('data', '/var/run', { readOnly: true }));
      const { object, resource } = workload('StatefulSet', template);
      const spec = { ...(object['spec'] as Json), volumeClaimTemplates: [{ metadata: { name: 'data' } }] };
      return { object: { ...object, spec }, resource, kind: 'StatefulSet' };
    })(),
    reason: 'Checked',
    outcome: 'allowed',
    warnings: ['TokenMountNested'],
  },
  {
    proves: 'a mount beside our path is nothing',
    review: { object: withMount(mountOf('data', `${ours}2`)) },
    reason: 'Injected',
    outcome: 'mutated',
  },
  {
    proves: 'our volume mounted in part only is a conflict',
    review: {
      object: pod({
        containers: [container('app', { mounts: [mountOf('aws-iam-token', ours, { subPath: 'token' })] })],
        volumes: [tokenVolume()],
      }),
    },
    reason: 'VolumeConflict',
    outcome: 'denied',
  },
  {
    proves: 'on its own output the patch is empty',
    review: {
      object: pod({
        annotations: { 'carm-webhook.dev/role-arn': role },
        containers: [container('app', { env: injectedEnv(role), mounts: [tokenMount] })],
        volumes: [tokenVolume()],
      }),
    },
    reason: 'NothingToInject',
    outcome: 'allowed',
    roleArn: role,
  },
  {
    proves: 'a sidecar that another webhook added after ours is injected, and nothing else touched',
    review: {
      object: pod({
        annotations: { 'carm-webhook.dev/role-arn': role },
        containers: [container('app', { env: injectedEnv(role), mounts: [tokenMount] }), container('late')],
        volumes: [tokenVolume()],
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
    after: {
      '/spec/containers/1/env': injectedEnv(role),
      '/spec/containers/0/env': injectedEnv(role),
      '/spec/volumes/2': undefined,
    },
  },
  {
    proves: '/validate lets the final object pass',
    endpoint: 'validate',
    review: {
      object: pod({
        containers: [container('app', { env: injectedEnv(role), mounts: [tokenMount] })],
        volumes: [tokenVolume()],
      }),
    },
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    proves: '/validate judges the boundary again: a role that a later webhook planted is denied',
    endpoint: 'validate',
    review: { object: podWithEnv(roleEnv(foreignRole)) },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
  },
  {
    proves: '/validate judges the boundary of a pod that opted out',
    endpoint: 'validate',
    review: { object: podWithEnv([byReference], { labels: optOut }) },
    reason: 'RoleNotVerifiable',
    outcome: 'denied',
  },
  {
    proves: '/validate judges conflicts again',
    endpoint: 'validate',
    review: {
      object: podWithEnv(injectedEnv(role), { volumes: [{ name: 'aws-iam-token', emptyDir: {} }] }),
    },
    reason: 'VolumeConflict',
    outcome: 'denied',
  },
  {
    proves: '/validate holds the volume against the audience of the ServiceAccount',
    endpoint: 'validate',
    review: { object: podWithEnv(injectedEnv(role), { serviceAccountName: 'audience', volumes: [tokenVolume()] }) },
    reason: 'VolumeConflict',
    outcome: 'denied',
    says: ['"example.com"'],
  },
  {
    proves: '/validate has nothing against an opted-out pod',
    endpoint: 'validate',
    review: { object: pod({ labels: optOut }) },
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    proves: '/validate does not refuse what only /mutate completes',
    endpoint: 'validate',
    review: { object: pod({ namespace: 'unmapped' }) },
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    proves: 'a role of the namespace by its own pair and our path gets our mount',
    review: {
      object: podWithEnv([
        { name: 'AWS_ROLE_ARN', value: role },
        { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: tokenFile },
      ]),
    },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/spec/containers/0/volumeMounts/1': tokenMount, '/spec/volumes/1': tokenVolume() },
  },
];
