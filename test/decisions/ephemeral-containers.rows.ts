import { container, injectedEnv, type Json, pod, tokenMount, tokenVolume } from './manifests.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { foreignRole, role } from './state.ts';

/** `kubectl debug`: UPDATE of pods/ephemeralcontainers. */

const running = (old: readonly Json[] = [], options: Parameters<typeof pod>[0] = {}) =>
  pod({
    annotations: { 'carm-webhook.dev/role-arn': role },
    containers: [container('app', { env: injectedEnv(role), mounts: [tokenMount] })],
    volumes: [tokenVolume()],
    ...(old.length > 0 ? { ephemeralContainers: old } : {}),
    ...options,
  });

const bare = (name: string, more: Json = {}): Json => ({ name, image: 'busybox', stdin: true, ...more });

function debug(
  added: readonly Json[],
  old: readonly Json[] = [],
  options: Parameters<typeof pod>[0] = {},
): ReviewOptions {
  return {
    operation: 'UPDATE',
    subResource: 'ephemeralcontainers',
    object: running([...old, ...added], options),
    oldObject: running(old, options),
  };
}

const first = '/spec/ephemeralContainers/0';
const second = '/spec/ephemeralContainers/1';
const planted = bare('debugger', { env: [{ name: 'AWS_ROLE_ARN', value: foreignRole }] });

export const ephemeralContainerRows: readonly Row[] = [
  {
    proves: 'a new ephemeral container gets environment and mount',
    review: debug([bare('debugger')]),
    reason: 'Injected',
    outcome: 'mutated',
    after: {
      [`${first}/env`]: injectedEnv(role),
      [`${first}/volumeMounts`]: [tokenMount],
      '/spec/volumes/2': undefined,
    },
  },
  {
    proves: 'only those absent from the old object: an old ephemeral container stays as it was',
    review: debug([bare('second')], [bare('first')]),
    reason: 'Injected',
    outcome: 'mutated',
    after: { [`${first}/env`]: undefined, [`${second}/env`]: injectedEnv(role) },
  },
  {
    proves: 'a pod without our volume gains nothing: its volumes can change no more',
    review: debug([bare('debugger')], [], { volumes: [] }),
    reason: 'NothingToInject',
    outcome: 'allowed',
    warnings: ['DebugContainerNotInjected'],
    says: ['the pod has no volume aws-iam-token'],
  },
  {
    proves: 'a debug container with a token file of its own misses nothing in a pod without our volume',
    review: debug(
      [
        bare('debugger', {
          env: [
            { name: 'AWS_ROLE_ARN', value: role },
            { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/my/token' },
          ],
        }),
      ],
      [],
      { volumes: [] },
    ),
    reason: 'NothingToInject',
    outcome: 'allowed',
  },
  {
    proves: 'a debug container that EKS Pod Identity serves misses nothing either',
    review: debug(
      [bare('debugger', { env: [{ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1' }] })],
      [],
      { volumes: [] },
    ),
    reason: 'NothingToInject',
    outcome: 'allowed',
  },
  {
    proves: 'an empty role of a debug container is remarked on, also where none is given',
    review: debug([bare('debugger', { env: [{ name: 'AWS_ROLE_ARN', value: '' }] })], [], { namespace: 'unmapped' }),
    reason: 'NothingToInject',
    outcome: 'allowed',
    warnings: ['DebugContainerNotInjected', 'EmptyRoleArn'],
  },
  {
    proves: 'the role of an ephemeral container is resolved again; a fault in the map is a warning there',
    review: debug([bare('debugger')], [], { namespace: 'unmapped' }),
    reason: 'NothingToInject',
    outcome: 'allowed',
    warnings: ['DebugContainerNotInjected'],
    says: ['has no role for account'],
  },
  {
    proves: 'an ephemeral container of a namespace that lost its binding is a warning',
    review: debug([bare('debugger')], [], { namespace: 'unbound' }),
    reason: 'NothingToInject',
    outcome: 'allowed',
    warnings: ['DebugContainerNotInjected'],
  },
  {
    proves: 'the boundary denies an ephemeral container',
    review: debug([planted]),
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
    says: ['ephemeral container "debugger"'],
  },
  {
    proves: '/validate judges the boundary of ephemeral containers too',
    endpoint: 'validate',
    review: debug([planted]),
    reason: 'RoleOutsideAccount',
    outcome: 'denied',
  },
  {
    proves: '/validate judges only the new ephemeral containers',
    endpoint: 'validate',
    review: debug([bare('second')], [planted]),
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    proves: 'an ephemeral container by valueFrom cannot be verified',
    review: debug([
      bare('debugger', { env: [{ name: 'AWS_ROLE_ARN', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] }),
    ]),
    reason: 'RoleNotVerifiable',
    outcome: 'denied',
  },
  {
    proves: 'a foreign volume of our name is a warning for an ephemeral container, never a denial',
    review: debug([bare('debugger')], [], { volumes: [{ name: 'aws-iam-token', emptyDir: {} }] }),
    reason: 'NothingToInject',
    outcome: 'allowed',
    warnings: ['DebugContainerNotInjected'],
    says: ['the pod has a volume aws-iam-token that is not'],
  },
  {
    proves: 'a pod that opted out is debugged without a role',
    review: debug([bare('debugger')], [], { labels: { 'carm-webhook.dev/inject': 'disabled' } }),
    reason: 'OptedOut',
    outcome: 'allowed',
  },
  {
    proves: 'a skipped ephemeral container gets nothing',
    review: debug([bare('debugger')], [], { annotations: { 'eks.amazonaws.com/skip-containers': 'debugger' } }),
    reason: 'NothingToInject',
    outcome: 'allowed',
  },
  {
    proves: 'EKS Pod Identity in an ephemeral container: a warning when a wish is thereby ignored',
    review: debug(
      [bare('debugger', { env: [{ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/' }] })],
      [],
      { serviceAccountName: 'bare-name' },
    ),
    reason: 'Injected',
    outcome: 'mutated',
    warnings: ['ConfiguredByPodIdentity'],
  },
  {
    proves: 'an ephemeral container in a namespace that is not managed is not ours',
    review: debug([planted], [], { namespace: 'free' }),
    reason: 'NamespaceNotManaged',
    outcome: 'allowed',
  },
  {
    proves: 'the dry run of kubectl debug has the same answer',
    review: { ...debug([bare('debugger')]), dryRun: true },
    reason: 'Injected',
    outcome: 'mutated',
    after: { [`${first}/env`]: injectedEnv(role) },
  },
];
