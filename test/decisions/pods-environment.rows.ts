import {
  container,
  injectedEnv,
  pod,
  podWithEnv,
  sessionEntry,
  tokenFile,
  tokenMount,
  tokenVolume,
} from './manifests.ts';
import type { Row } from './row.ts';
import { account, role } from './state.ts';

/** What stands in the environment of a pod's containers. */

const env = '/spec/containers/0/env';
const sts = { name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'regional' };
const rolePair = injectedEnv(role).slice(1, 3);
const tokenEntry = { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: tokenFile };
const mine = `arn:aws:iam::${account}:role/mine`;
const foreign = 'carm-webhook.dev/role-arn';
const annotation = '/metadata/annotations/carm-webhook.dev~1role-arn';
const windowsFile = 'C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token';
const windowsEnv = [sts, rolePair[0], { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: windowsFile }, sessionEntry()];
const fullUri = { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' };

export const podEnvironmentRows: readonly Row[] = [
  {
    proves: 'every container, init container and native sidecar gets the environment',
    review: {
      object: pod({
        containers: [container('a'), container('b', { env: [{ name: 'X', value: '1' }] })],
        initContainers: [container('setup'), container('proxy', { more: { restartPolicy: 'Always' } })],
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
    after: {
      [env]: injectedEnv(role),
      '/spec/containers/1/env': [{ name: 'X', value: '1' }, ...injectedEnv(role)],
      '/spec/initContainers/0/env': injectedEnv(role),
      '/spec/initContainers/1/env': injectedEnv(role),
      '/spec/initContainers/1/restartPolicy': 'Always',
      '/spec/initContainers/1/volumeMounts/1': tokenMount,
    },
  },
  {
    proves: "the namespace's default-region is injected, in the peer's order",
    review: { object: pod({ namespace: 'regional' }) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { [env]: injectedEnv(role, { region: 'eu-central-1', namespace: 'regional' }) },
  },
  {
    proves: "the namespace's default-region wins over --default-region",
    server: 'strict',
    review: { object: pod({ namespace: 'regional' }) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { [env]: injectedEnv(role, { region: 'eu-central-1', namespace: 'regional' }) },
  },
  {
    proves: '--default-region is injected where the namespace has none',
    server: 'strict',
    review: { object: pod() },
    reason: 'Injected',
    outcome: 'mutated',
    after: { [env]: injectedEnv(role, { region: 'us-east-1' }) },
  },
  {
    proves: 'one region variable present suppresses both',
    review: { object: podWithEnv([{ name: 'AWS_REGION', value: 'eu-west-1' }], { namespace: 'regional' }) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { [env]: [{ name: 'AWS_REGION', value: 'eu-west-1' }, ...injectedEnv(role, { namespace: 'regional' })] },
  },
  {
    proves: 'AWS_DEFAULT_REGION present suppresses AWS_REGION too, even when it is empty',
    review: { object: podWithEnv([{ name: 'AWS_DEFAULT_REGION', value: '' }], { namespace: 'regional' }) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { [env]: [{ name: 'AWS_DEFAULT_REGION', value: '' }, ...injectedEnv(role, { namespace: 'regional' })] },
  },
  {
    proves: 'a region without the form of one is a warning and is not injected',
    review: { object: pod({ namespace: 'bad-region' }) },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['InvalidRegion'],
    says: ['"Frankfurt"'],
    after: { [env]: injectedEnv(role, { namespace: 'bad-region' }) },
  },
  {
    proves: "a region outside of the role's partition is a warning and is not injected",
    review: { object: pod({ namespace: 'other-region' }) },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['InvalidRegion'],
    says: ['"cn-north-1"', 'partition aws'],
    after: { [env]: injectedEnv(role, { namespace: 'other-region' }) },
  },
  {
    proves: 'AWS_STS_REGIONAL_ENDPOINTS of the user stays and is not doubled',
    review: { object: podWithEnv([{ name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'legacy' }]) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { [env]: [{ name: 'AWS_STS_REGIONAL_ENDPOINTS', value: 'legacy' }, ...rolePair, sessionEntry()] },
  },
  {
    proves: 'the ServiceAccount annotation sts-regional-endpoints=false leaves the STS setting out',
    review: { object: pod({ serviceAccountName: 'global-sts' }) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { [env]: [...rolePair, sessionEntry('global-sts')] },
  },
  {
    proves: 'a literal in-account AWS_ROLE_ARN without a token file gains the token file',
    review: { object: podWithEnv([{ name: 'AWS_ROLE_ARN', value: mine }]) },
    reason: 'Injected',
    outcome: 'mutated',
    after: {
      [env]: [{ name: 'AWS_ROLE_ARN', value: mine }, sts, tokenEntry, sessionEntry()],
      '/spec/volumes/1': tokenVolume(),
      [annotation]: mine,
    },
  },
  {
    proves: 'the token file alone suppresses both, with a warning',
    review: { object: podWithEnv([{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/my/token' }]) },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['IncompleteWebIdentity'],
    after: {
      [env]: [{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/my/token' }, sts],
      '/spec/volumes/1': undefined,
      '/spec/containers/0/volumeMounts/1': undefined,
    },
  },
  {
    proves: 'a container that names our token path itself gets the mount',
    review: { object: podWithEnv([tokenEntry]) },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['IncompleteWebIdentity'],
    after: { '/spec/containers/0/volumeMounts/1': tokenMount, '/spec/volumes/1': tokenVolume() },
  },
  {
    proves: 'a pair of the user with a token of their own gets neither mount nor volume',
    review: {
      object: podWithEnv([
        { name: 'AWS_ROLE_ARN', value: role },
        { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/my/token' },
        sts,
      ]),
    },
    reason: 'NothingToInject',
    outcome: 'allowed',
  },
  {
    proves: 'an empty AWS_ROLE_ARN counts as present, and is warned of',
    review: { object: podWithEnv([{ name: 'AWS_ROLE_ARN', value: '' }]) },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['EmptyRoleArn'],
    after: { [env]: [{ name: 'AWS_ROLE_ARN', value: '' }, sts] },
  },
  {
    proves: 'a static AWS_ACCESS_KEY_ID shadows the role: a warning, never its value',
    review: { object: podWithEnv([{ name: 'AWS_ACCESS_KEY_ID', value: 'AKIAIOSFODNN7EXAMPLE' }]) },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['StaticAccessKey'],
    neverSays: ['AKIA'],
  },
  {
    proves: 'envFrom with a suppressed pair is warned of',
    review: {
      object: pod({
        containers: [
          container('app', {
            env: [{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/t' }],
            more: { envFrom: [{ secretRef: { name: 'aws' } }] },
          }),
        ],
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['IncompleteWebIdentity', 'EnvFromUnverified'],
  },
  {
    proves: 'envFrom beside the injected pair needs no warning: env wins over it',
    review: {
      object: pod({ containers: [container('app', { more: { envFrom: [{ configMapRef: { name: 'x' } }] } })] }),
    },
    reason: 'Injected',
    outcome: 'mutated',
  },
  {
    proves: 'at most five names are listed in a warning',
    review: {
      object: pod({
        containers: ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(name =>
          container(name, { env: [{ name: 'AWS_ACCESS_KEY_ID', value: 'x' }] }),
        ),
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['StaticAccessKey'],
    says: ['"a", "b", "c", "d", "e" and 2 more'],
    neverSays: ['"f"'],
  },
  {
    proves: 'a container with AWS_CONTAINER_CREDENTIALS_FULL_URI gets no role pair',
    review: { object: podWithEnv([fullUri]) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { [env]: [fullUri, sts], '/spec/volumes/1': undefined, [annotation]: undefined },
  },
  {
    proves: 'EKS Pod Identity: a warning when the wish of the ServiceAccount is thereby ignored',
    review: {
      object: podWithEnv([{ name: 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', value: '/v2/x' }], {
        serviceAccountName: 'bare-name',
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['ConfiguredByPodIdentity'],
  },
  {
    proves: 'EKS Pod Identity in one container leaves the others to us',
    review: { object: pod({ containers: [container('a', { env: [fullUri] }), container('b')] }) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/spec/containers/1/env': injectedEnv(role), [annotation]: role },
  },
  ...[
    { how: 'spec.os.name', spec: { os: { name: 'windows' } } },
    { how: 'the nodeSelector kubernetes.io/os', spec: { nodeSelector: { 'kubernetes.io/os': 'windows' } } },
    { how: 'the nodeSelector beta.kubernetes.io/os', spec: { nodeSelector: { 'beta.kubernetes.io/os': 'windows' } } },
  ].map(
    ({ how, spec }): Row => ({
      proves: `Windows by ${how}: the token path has a drive and backslashes, the mount has not`,
      review: { object: pod({ spec }) },
      reason: 'Injected',
      outcome: 'mutated',
      after: { [env]: windowsEnv, '/spec/containers/0/volumeMounts/1': tokenMount },
    }),
  ),
  {
    proves: 'on Windows names compare without case',
    review: {
      object: podWithEnv(
        [
          { name: 'aws_role_arn', value: role },
          { name: 'Aws_Web_Identity_Token_File', value: 'C:\\t' },
        ],
        {
          spec: { os: { name: 'windows' } },
        },
      ),
    },
    reason: 'Injected',
    outcome: 'mutated',
    after: {
      [env]: [{ name: 'aws_role_arn', value: role }, { name: 'Aws_Web_Identity_Token_File', value: 'C:\\t' }, sts],
    },
  },
  {
    proves: 'the boundary compares names without case on Windows too',
    review: {
      object: podWithEnv([{ name: 'Aws_Role_Arn', value: 'arn:aws:iam::999999999999:role/x' }], {
        spec: { os: { name: 'windows' } },
      }),
    },
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
  },
  {
    proves: 'skip-containers is trimmed, and takes init containers too',
    review: {
      object: pod({
        annotations: { 'eks.amazonaws.com/skip-containers': ' sidecar ,setup' },
        containers: [container('app'), container('sidecar')],
        initContainers: [container('setup')],
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
    after: {
      [env]: injectedEnv(role),
      '/spec/containers/1/env': undefined,
      '/spec/initContainers/0/env': undefined,
      '/spec/containers/1/volumeMounts/1': undefined,
    },
  },
  {
    proves: 'a skipped name that matches no container is warned of',
    review: { object: pod({ annotations: { 'eks.amazonaws.com/skip-containers': 'app,ghost' } }) },
    reason: 'NothingToInject',
    outcome: 'allowed',
    warnings: ['UnknownContainer'],
    says: ['"ghost"'],
  },
  {
    proves: 'the annotation that names the role is written over whatever is there',
    review: { object: pod({ annotations: { [foreign]: 'forged', other: 'kept' } }) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/metadata/annotations': { [foreign]: role, other: 'kept' } },
  },
  {
    proves: 'the annotation is emptied when nobody got a role',
    review: {
      object: pod({ annotations: { [foreign]: 'forged', 'eks.amazonaws.com/skip-containers': 'app' } }),
    },
    reason: 'NothingToInject',
    outcome: 'mutated',
    after: { [annotation]: '' },
  },
  {
    proves: 'the audience of the ServiceAccount wins',
    review: { object: pod({ serviceAccountName: 'audience' }) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/spec/volumes/1': tokenVolume('example.com') },
  },
  {
    proves: 'the expiration of the ServiceAccount wins over the flag',
    server: 'strict',
    review: { object: pod({ serviceAccountName: 'short-token' }) },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/spec/volumes/1': tokenVolume('sts.amazonaws.com', 3600) },
  },
  {
    proves: '--token-expiration is the default',
    server: 'strict',
    review: { object: pod() },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/spec/volumes/1': tokenVolume('sts.amazonaws.com', 7200) },
  },
  {
    proves: "the pod's expiration wins over the ServiceAccount's",
    review: {
      object: pod({
        serviceAccountName: 'short-token',
        annotations: { 'eks.amazonaws.com/token-expiration': '1200' },
      }),
    },
    reason: 'Injected',
    outcome: 'mutated',
    after: { '/spec/volumes/1': tokenVolume('sts.amazonaws.com', 1200) },
  },
  {
    proves: 'an expiration below 600 is clamped with a warning',
    review: { object: pod({ serviceAccountName: 'too-short-token' }) },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['TokenExpirationClamped'],
    after: { '/spec/volumes/1': tokenVolume('sts.amazonaws.com', 600) },
  },
  {
    proves: 'an expiration above 86400 is clamped with a warning',
    review: { object: pod({ serviceAccountName: 'too-long-token' }) },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['TokenExpirationClamped'],
    after: { '/spec/volumes/1': tokenVolume('sts.amazonaws.com', 86_400) },
  },
  {
    proves: 'an expiration that is not a number falls to the default with a warning',
    review: { object: pod({ serviceAccountName: 'garbage-token' }) },
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['InvalidTokenExpiration'],
    says: ['"1h"'],
    after: { '/spec/volumes/1': tokenVolume() },
  },
];
