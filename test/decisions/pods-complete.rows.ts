import { container, type EnvEntry, type PodOptions, pod, tokenFile, tokenMount, tokenVolume } from './manifests.ts';
import type { Row } from './row.ts';
import { account, foreignRole, role } from './state.ts';

/** Pods that come with their credentials: written out by users, injected by amazon-eks-pod-identity-webhook, or from a backup. */

const annotationKey = 'carm-webhook.dev/role-arn';
const annotation = '/metadata/annotations/carm-webhook.dev~1role-arn';
const old = `arn:aws:iam::${account}:role/old`;
const sts = { name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' };
const longRole = `arn:aws:iam::${account}:role/${'path/'.repeat(50)}old`;
const inject = { 'carm-webhook.dev/inject': 'disabled' };

const pairOf = (roleArn: string, file = tokenFile): readonly EnvEntry[] => [
  { name: 'AWS_ROLE_ARN', value: roleArn },
  { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: file },
];

/** As an injection leaves it: the pair, mount and volume, and what else its environment has. */
function complete(roleArn: string, options: PodOptions = {}, before: readonly EnvEntry[] = [sts]) {
  const env = [...before, ...pairOf(roleArn)];
  return pod({ containers: [container('app', { env, mounts: [tokenMount] })], volumes: [tokenVolume()], ...options });
}

const said = (roleArn: string) => ({ annotations: { [annotationKey]: roleArn } });
const untouched = { reason: 'NothingToInject', outcome: 'allowed' } as const;
const injected = { reason: 'Injected', outcome: 'mutated' } as const;
const regionOf = (value: string) => ['AWS_DEFAULT_REGION', 'AWS_REGION'].map(name => ({ name, value }));
const region = [sts, ...regionOf('us-west-2')];

export const podCompleteRows: readonly Row[] = [
  {
    ...untouched,
    proves: 'a pod that has settings, role, token file, mount and volume written out is left as it is: no annotation',
    review: { object: complete(role, { namespace: 'regional' }, region) },
  },
  {
    ...injected,
    proves: 'a pod that amazon-eks-pod-identity-webhook injected without its flags gets the settings, and no more',
    review: { object: complete(role, { namespace: 'regional' }, []) },
    after: {
      '/spec/containers/0/env': [...pairOf(role), sts, ...regionOf('eu-central-1')],
      [annotation]: undefined,
    },
  },
  {
    ...untouched,
    proves: 'a pod that an injection without session names completed is left as it is',
    review: { object: complete(role, said(role)) },
  },
  {
    ...untouched,
    proves: 'nor does --disable-instance-metadata change a pod that is complete',
    server: 'named',
    review: { object: complete(role) },
  },
  {
    reason: 'NothingToInject',
    outcome: 'mutated',
    proves: 'an annotation that names another role than a complete pod has is corrected',
    review: { object: complete(role, said(old)) },
    after: { [annotation]: role, '/spec/containers/0/env': [sts, ...pairOf(role)] },
  },
  {
    reason: 'NothingToInject',
    outcome: 'mutated',
    proves: 'an empty annotation on a complete pod is corrected',
    review: { object: complete(role, said('')) },
    after: { [annotation]: role },
  },
  {
    ...untouched,
    proves: 'an annotation is true of a role that only a skipped container has',
    review: {
      object: complete(role, { annotations: { [annotationKey]: role, 'eks.amazonaws.com/skip-containers': 'app' } }),
    },
  },
  {
    reason: 'OptedOut',
    outcome: 'allowed',
    proves: 'an opted-out pod keeps an annotation that is true',
    review: { object: complete(role, { labels: inject, ...said(role) }) },
  },
  {
    ...injected,
    proves: 'a pair of the user at our path without our mount gets mount, volume and settings, and no annotation',
    review: { object: pod({ containers: [container('app', { env: pairOf(role) })] }) },
    after: {
      '/spec/containers/0/env': [...pairOf(role), region[0]],
      '/spec/containers/0/volumeMounts/1': tokenMount,
      [annotation]: undefined,
    },
  },
  {
    ...injected,
    proves: 'a late container beside a complete one gets all, and the pod its annotation',
    review: {
      object: complete(role, {
        containers: [container('app', { env: [sts, ...pairOf(role)], mounts: [tokenMount] }), container('late')],
      }),
    },
    after: {
      '/spec/containers/0/env': [sts, ...pairOf(role)],
      '/spec/containers/1/env/1': pairOf(role)[0],
      [annotation]: role,
    },
  },
  {
    ...untouched,
    proves: 'a pod from a backup keeps role, region and annotation, with a warning that names both roles',
    review: { object: complete(old, { namespace: 'regional', ...said(old) }, region) },
    warnings: ['RoleDiffers'],
    says: ['container "app"', old, role],
  },
  {
    ...untouched,
    proves: 'a pod that amazon-eks-pod-identity-webhook injected before its backup is told the same',
    review: { object: complete(old) },
    warnings: ['RoleDiffers'],
  },
  {
    ...untouched,
    proves: 'roles with long paths are named by what fits',
    review: { object: complete(longRole) },
    warnings: ['RoleDiffers'],
    says: [`role "old" of account ${account}`],
    neverSays: ['path/path'],
  },
  {
    ...untouched,
    proves: 'containers of a backup are named together, once',
    review: {
      object: complete(old, {
        containers: ['a', 'b'].map(name => container(name, { env: [sts, ...pairOf(old)], mounts: [tokenMount] })),
      }),
    },
    warnings: ['RoleDiffers'],
    says: ['containers "a", "b" keep'],
  },
  {
    ...untouched,
    proves: 'of several roles of backups the first is told, with the containers that have it',
    review: {
      object: complete(old, {
        containers: [
          container('a', { env: [sts, ...pairOf(old)], mounts: [tokenMount] }),
          container('b', { env: [sts, ...pairOf(`${old}er`)], mounts: [tokenMount] }),
          container('c', { env: [sts, ...pairOf(old)], mounts: [tokenMount] }),
        ],
      }),
    },
    warnings: ['RoleDiffers'],
    says: ['containers "a", "c" keep'],
  },
  {
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
    proves: 'a backup of another account is denied, whatever its annotation says',
    review: { object: complete(foreignRole, said(foreignRole)) },
  },
  {
    ...injected,
    proves: 'a role of the user alone is no earlier injection, whatever the annotation says',
    review: { object: pod({ containers: [container('app', { env: pairOf(old).slice(0, 1) })], ...said(old) }) },
    after: { [annotation]: old },
  },
  {
    ...untouched,
    proves: 'a role of the user that has got its token file is no earlier injection when the pod is seen again',
    review: {
      object: pod({
        ...said(old),
        containers: [
          container('app', {
            env: [...pairOf(old).slice(0, 1), ...region, ...pairOf(old).slice(1)],
            mounts: [tokenMount],
          }),
        ],
        volumes: [tokenVolume()],
      }),
    },
  },
  {
    ...injected,
    proves: 'a pair of the user with a token of their own is no earlier injection',
    review: { object: pod({ containers: [container('app', { env: pairOf(old, '/my/token') })] }) },
    after: { '/spec/containers/0/env': [...pairOf(old, '/my/token'), region[0]], [annotation]: undefined },
  },
  ...(
    [
      ['AWS_PROFILE', 'app'],
      ['AWS_PROFILE', ''],
      ['AWS_DEFAULT_PROFILE', 'app'],
      ['AWS_SHARED_CREDENTIALS_FILE', '/aws/credentials'],
      ['AWS_CONFIG_FILE', '/aws/config'],
    ] as const
  ).map(
    ([name, value]): Row => ({
      ...injected,
      proves: `${name}=${JSON.stringify(value)} beside the injected role is warned of, never with its value`,
      review: { object: pod({ containers: [container('app', { env: [{ name, value }] })] }) },
      warnings: ['OtherCredentials'],
      says: [`${name} in container "app"`],
      neverSays: ['/aws/'],
    }),
  ),
  {
    ...injected,
    proves: 'other credentials of many containers are one warning, beside that of static keys',
    review: {
      object: pod({
        containers: [
          container('a', { env: [{ name: 'AWS_PROFILE', value: 'a' }] }),
          container('b', {
            env: [
              { name: 'AWS_ACCESS_KEY_ID', value: 'AKIA' },
              { name: 'AWS_CONFIG_FILE', value: '/c' },
            ],
          }),
        ],
      }),
    },
    warnings: ['OtherCredentials', 'StaticAccessKey'],
    says: ['AWS_PROFILE, AWS_CONFIG_FILE in containers "a", "b"'],
  },
  ...['AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE', 'AWS_ACCESS_KEY_ID'].map(
    (name): Row => ({
      ...injected,
      proves: `an empty ${name} is nothing to an AWS SDK`,
      review: { object: pod({ containers: [container('app', { env: [{ name, value: '' }] })] }) },
    }),
  ),
  {
    ...injected,
    proves: 'static keys and profiles where no role is given override none',
    review: {
      object: pod({
        containers: [
          container('app', {
            env: [
              { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/' },
              { name: 'AWS_ACCESS_KEY_ID', value: 'AKIA' },
              { name: 'AWS_PROFILE', value: 'x' },
            ],
          }),
        ],
      }),
    },
  },
];
