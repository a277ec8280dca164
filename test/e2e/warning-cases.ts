import {
  boundNamespace,
  type Container,
  container,
  containerWith,
  deployment,
  injectedEnvironment,
  type Metadata,
  type PodFields,
  pod,
  serviceAccount,
  storedTokenMount,
  storedTokenVolume,
} from './cluster-objects.ts';

const account = '111122223333';
const foreignRole = 'arn:aws:iam::999999999999:role/admin';
const uri = { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' };
const tokenFile = { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/mine/token' };
const profile = { name: 'AWS_PROFILE', value: 'app' };
const credentialsFile = { name: 'AWS_SHARED_CREDENTIALS_FILE', value: '/aws/credentials' };
const staticKey = { name: 'AWS_ACCESS_KEY_ID', value: 'AKIAIOSFODNN7EXAMPLE' };

/** Line breaks, an escape sequence of a terminal, other controls, quotes and letters beyond ASCII: nothing of it may get through as it is. */
export const evil = 'a"b\nWarning: forged\r\u0000\u001b[31m\u0007\u0085\u2028é\u202e';

/** Values of the account map that are named by their keys. */
export const accountMap = {
  [account]: `arn:aws:iam::${account}:role/shop`,
  '222222222222': evil,
};

/** One `kubectl apply`, and every warning that it prints, in their order. */
export interface WarningCase {
  readonly what: string;
  readonly reasons: readonly string[];
  /** The namespace's metadata beside its binding; the whole of it where the binding is given too. */
  readonly namespace?: Metadata;
  /** Annotations of the ServiceAccount `app`. */
  readonly serviceAccount?: Readonly<Record<string, string>>;
  /** What is applied in the namespace, once both are there; without it the namespace itself is the subject. */
  readonly object?: (namespace: string) => object;
  /** What the API server itself finds wrong, after the webhook was asked. */
  readonly invalid?: RegExp;
}

function ofPod(what: string, fields: PodFields, ...reasons: readonly string[]): WarningCase {
  return { what, reasons, object: inNamespace => pod(inNamespace, 'web', fields) };
}

const of = (...containers: readonly Container[]): PodFields => ({ containers });

const token = 'eks.amazonaws.com/token-expiration';

const pods: readonly WarningCase[] = [
  ofPod('too short an expiration', { annotations: { [token]: '60' } }, 'TokenExpirationClamped'),
  ofPod('too long an expiration', { annotations: { [token]: '9'.repeat(18) } }, 'TokenExpirationClamped'),
  ofPod('an expiration in words', { annotations: { [token]: '1h' } }, 'InvalidTokenExpiration'),
  ofPod('an expiration with controls', { annotations: { [token]: evil } }, 'InvalidTokenExpiration'),
  ofPod(
    'a skip name of nobody',
    { annotations: { 'eks.amazonaws.com/skip-containers': 'app, ap' } },
    'UnknownContainer',
  ),
  ofPod(
    'seven skip names of nobody, with controls',
    { annotations: { 'eks.amazonaws.com/skip-containers': ['1', '2', '3', '4', '5', '6', evil].reverse().join() } },
    'UnknownContainer',
  ),
  ofPod('a static key', of(containerWith(staticKey)), 'StaticAccessKey'),
  ofPod(
    'a static key in seven containers',
    of(...Array.from({ length: 7 }, (_, index) => ({ ...containerWith(staticKey), name: `app-${index}` }))),
    'StaticAccessKey',
  ),
  ofPod('half a pair', of(containerWith(tokenFile)), 'IncompleteWebIdentity'),
  ofPod(
    'half a pair, the other half perhaps from a Secret',
    of({ ...containerWith(tokenFile), envFrom: [{ secretRef: { name: 'aws' } }] }),
    'IncompleteWebIdentity',
    'EnvFromUnverified',
  ),
  ofPod('an empty role', of(containerWith({ name: 'AWS_ROLE_ARN', value: '' })), 'EmptyRoleArn'),
  ofPod(
    'an empty role in a container that is skipped',
    {
      annotations: { 'eks.amazonaws.com/skip-containers': 'app' },
      ...of(containerWith({ name: 'AWS_ROLE_ARN', value: '' })),
    },
    'EmptyRoleArn',
  ),
  ofPod(
    'an empty role in a pod that opts out',
    {
      labels: { 'carm-webhook.dev/inject': 'disabled' },
      ...of(containerWith({ name: 'AWS_ROLE_ARN', value: '' })),
    },
    'EmptyRoleArn',
  ),
  ofPod(
    'AWS_ROLE_ARN in lower case',
    of(containerWith({ name: 'aws_role_arn', value: 'arn:aws:iam::999999999999:role/x' })),
    'MisspelledVariable',
  ),
  {
    ...ofPod(
      'a pod that opts out where the account is not mapped',
      { labels: { 'eks.amazonaws.com/skip-pod-identity-webhook': 'true' } },
      'RunsWithoutRole',
    ),
    namespace: { annotations: { 'services.k8s.aws/owner-account-id': '444455556666' } },
  },
  {
    ...ofPod('a wish beside EKS Pod Identity', of(containerWith(uri)), 'ConfiguredByPodIdentity'),
    serviceAccount: { 'eks.amazonaws.com/role-arn': 'shop-reader' },
  },
  ofPod(
    'a read-only mount above our path',
    {
      ...of(container({ volumeMounts: [{ name: 'run', mountPath: '/var/run', readOnly: true }] })),
      volumes: [{ name: 'run', hostPath: { path: '/srv/run' } }],
    },
    'TokenMountNested',
  ),
  ofPod('a profile and a file of credentials', of(containerWith(profile, credentialsFile)), 'OtherCredentials'),
  ofPod(
    'a pod of a backup, with another role of the account',
    {
      ...of({
        ...container({ volumeMounts: [storedTokenMount] }),
        env: injectedEnvironment(`arn:aws:iam::${account}:role/before-the-backup`),
      }),
      volumes: [storedTokenVolume],
    },
    'RoleDiffers',
  ),
  ofPod(
    'an annotation under a wrong prefix',
    { annotations: { 'eks.amazon.com/skip-containers': 'app' } },
    'MisspelledKey',
  ),
  ofPod('a label that says neither', { labels: { 'carm-webhook.dev/inject': 'no' } }, 'InvalidLabel'),
  ofPod('an annotation of ServiceAccounts', { annotations: { 'eks.amazonaws.com/role-arn': evil } }, 'MisplacedKey'),
  ofPod('an unknown name under our own prefix', { annotations: { 'carm-webhook.dev/rolle-x': evil } }, 'MisspelledKey'),
  {
    ...ofPod("a ServiceAccount's annotations under wrong names", {}, 'MisplacedKey', 'MisspelledKey', 'MisplacedKey'),
    serviceAccount: {
      'carm-webhook.dev/role-arn': evil,
      'eks.amazonaws.com/rolearn': evil,
      'eks.amazonaws.com/skip-containers': evil,
    },
  },
  {
    ...ofPod("a ServiceAccount's annotation under a wrong prefix", {}, 'MisspelledKey'),
    serviceAccount: { 'eks.amazonws.com/role-arn': foreignRole },
  },
  {
    ...ofPod('a namespace whose region has controls', {}, 'InvalidRegion'),
    namespace: { annotations: { 'services.k8s.aws/default-region': evil } },
  },
  {
    ...ofPod(
      'all at once',
      {
        annotations: { [token]: evil, 'eks.amazon.com/role-arn': evil, 'eks.amazonaws.com/skip-containers': evil },
        containers: [
          { ...containerWith(staticKey, tokenFile), name: 'one', envFrom: [{ secretRef: { name: 'aws' } }] },
          { ...containerWith(uri), name: 'two' },
          { ...containerWith({ name: 'AWS_ROLE_ARN', value: '' }), name: 'three' },
        ],
      },
      'InvalidTokenExpiration',
      'InvalidRegion',
      'UnknownContainer',
      'EmptyRoleArn',
      'IncompleteWebIdentity',
      'EnvFromUnverified',
      'ConfiguredByPodIdentity',
      'MisspelledKey',
      'MisspelledKey',
    ),
    namespace: { annotations: { 'services.k8s.aws/default-region': evil } },
    serviceAccount: { 'eks.amazonaws.com/role-arn': 'shop-reader', 'eks.amazon.com/audience': evil },
  },
  {
    ...ofPod('a container whose name has controls', of({ ...containerWith(staticKey), name: evil }), 'StaticAccessKey'),
    invalid: /spec\.containers\[0\]\.name: Invalid value/,
  },
  {
    ...ofPod(
      'an annotation whose prefix has controls',
      { annotations: { 'eks.amazon\u001b\n.com/role-arn': 'x' } },
      'MisspelledKey',
    ),
    invalid: /metadata\.annotations: Invalid value/,
  },
];

const namespaces: readonly WarningCase[] = [
  {
    what: 'a binding to an account that is not mapped',
    reasons: ['BindingUnresolved'],
    namespace: { annotations: { 'services.k8s.aws/owner-account-id': '444455556666' } },
  },
  {
    what: 'a binding with controls',
    reasons: ['BindingUnresolved'],
    namespace: { annotations: { 'services.k8s.aws/owner-account-id': evil } },
  },
  {
    what: 'a binding to an account whose role has controls',
    reasons: ['BindingUnresolved'],
    namespace: { annotations: { 'services.k8s.aws/owner-account-id': '222222222222' } },
  },
  {
    what: 'a team id without the feature gate',
    reasons: ['BindingIgnored'],
    namespace: { annotations: { 'services.k8s.aws/owner-account-id': '', 'services.k8s.aws/team-id': evil } },
  },
  {
    what: 'a region of another partition',
    reasons: ['InvalidRegion'],
    namespace: { annotations: { 'services.k8s.aws/default-region': 'cn-north-1' } },
  },
  {
    what: 'an annotation of a namespace under a wrong prefix',
    reasons: ['MisspelledKey'],
    namespace: { annotations: { 'service.k8s.aws/default-region': evil } },
  },
  {
    what: 'an annotation of a resource on a namespace',
    reasons: ['MisplacedKey'],
    namespace: { annotations: { 'services.k8s.aws/region': evil } },
  },
  {
    what: 'a binding as a label',
    reasons: ['MisplacedKey'],
    namespace: { labels: { 'services.k8s.aws/owner-account-id': account } },
  },
];

const workloads: readonly WarningCase[] = [
  {
    what: 'a Deployment whose role has controls',
    reasons: ['RoleOutsideAccount'],
    object: inNamespace => deployment(inNamespace, 'web', of(containerWith({ name: 'AWS_ROLE_ARN', value: evil }))),
  },
  {
    what: 'a Deployment whose ServiceAccount has a wish with controls',
    reasons: ['InvalidRoleArn'],
    serviceAccount: { 'carm-webhook.dev/role': evil },
    object: inNamespace => deployment(inNamespace, 'web'),
  },
  {
    what: 'a Deployment that mounts at a path with controls',
    reasons: ['VolumeConflict'],
    object: inNamespace =>
      deployment(inNamespace, 'web', {
        ...of(
          container({
            volumeMounts: [{ name: 'mine', mountPath: `/var/run/secrets/eks.amazonaws.com/serviceaccount/${evil}` }],
          }),
        ),
        volumes: [{ name: 'mine', emptyDir: {} }],
      }),
  },
  {
    what: 'a Deployment whose pods are fine but for a static key',
    reasons: ['StaticAccessKey'],
    object: inNamespace => deployment(inNamespace, 'web', of(containerWith(staticKey))),
  },
];

export const warningCases: readonly WarningCase[] = [...pods, ...namespaces, ...workloads];

/** The namespace of a row, and what stands in it before. */
export function surroundings(
  row: WarningCase,
  name: string,
): { readonly namespace: object; readonly rest: readonly object[] } {
  const own = boundNamespace(name, account, row.namespace);
  return { namespace: own, rest: [serviceAccount(name, 'app', row.serviceAccount)] };
}
