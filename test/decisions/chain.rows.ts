import {
  chainedEnv,
  chainVolume,
  configFile,
  container,
  type EnvEntry,
  injectedEnv,
  type Json,
  type PodOptions,
  pod,
  podWithEnv,
  tokenFile,
  tokenMount,
  tokenVolume,
  workload,
} from './manifests.ts';
import type { Row } from './row.ts';
import { account, foreignRole, role } from './state.ts';

/** Pods that get their role by a hub role. */

const env = '/spec/containers/0/env';
const volume = '/spec/volumes/1';
const config = '/metadata/annotations/carm-webhook.dev~1aws-config';
const roleAnnotation = '/metadata/annotations/carm-webhook.dev~1role-arn';
const awsConfig = 'carm-webhook.dev/aws-config';
const hub = 'arn:aws:iam::123456789012:role/pods-hub';
const fullUri = { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' };
const injected = { server: 'chain', reason: 'Injected', outcome: 'mutated' } as const;
const denied = { server: 'chain', outcome: 'denied' } as const;
const conflict = { ...denied, reason: 'CredentialConflict' } as const;
const debug = { operation: 'UPDATE', subResource: 'ephemeralcontainers' } as const;

interface ConfigOf {
  readonly by?: string | undefined;
  readonly target?: string;
  readonly id?: string | undefined;
  readonly session?: string | undefined;
  readonly region?: string;
  readonly file?: string;
}

/** The text of the config file, written out once more. */
function text({ by = hub, target = role, id = `${account}/shop`, ...more }: ConfigOf = {}): string {
  const { session = 'shop.default', region, file = tokenFile } = more;
  const name = session === '' ? [] : [`role_session_name = ${session}`];
  const first = ['[profile carm-hub]', `role_arn = ${by}`, `web_identity_token_file = ${file}`, ...name, ''];
  return [
    ...(by === '' ? [] : first),
    '[default]',
    `role_arn = ${target}`,
    by === '' ? 'credential_source = EcsContainer' : 'source_profile = carm-hub',
    ...(id === '' ? [] : [`external_id = ${id}`]),
    ...name,
    ...(region === undefined ? [] : [`region = ${region}`]),
    '',
  ].join('\n');
}

/** A pod as `/mutate` of the server `chain` leaves it. */
function complete({ said = text(), ...options }: PodOptions & { readonly said?: string | null } = {}): Json {
  return pod({
    containers: [container('app', { env: chainedEnv(), mounts: [tokenMount] })],
    volumes: [chainVolume()],
    annotations: { 'carm-webhook.dev/role-arn': role, ...(said === null ? {} : { [awsConfig]: said }) },
    ...options,
  });
}

const given: readonly Row[] = [
  {
    ...injected,
    proves: 'chain mode gives the config file in place of the pair, by one volume with token and config',
    review: { object: pod() },
    after: {
      [env]: chainedEnv(),
      '/spec/containers/0/volumeMounts/1': tokenMount,
      [volume]: chainVolume(),
      [config]: text(),
      [roleAnnotation]: role,
    },
    accountId: account,
    roleArn: role,
  },
  {
    ...injected,
    proves: 'the namespace says chain, and names hub role and external id; its region stands in the file too',
    server: 'strict',
    review: { object: pod({ namespace: 'chained' }) },
    after: {
      [env]: chainedEnv({ region: 'eu-central-1' }),
      [config]: text({
        by: 'arn:aws:iam::123456789012:role/hubs/chained',
        id: `${account}/chained:default`,
        session: 'chained.default',
        region: 'eu-central-1',
      }),
    },
  },
  {
    ...injected,
    proves: 'a namespace keeps web identity where the flag says chain',
    review: { object: pod({ namespace: 'by-web-identity' }) },
    after: { [env]: injectedEnv(role, { namespace: 'by-web-identity' }), [config]: undefined },
  },
  {
    ...injected,
    proves: 'in one namespace, a ServiceAccount keeps web identity beside others that chain',
    review: { object: pod({ serviceAccountName: 'web-identity-mode' }) },
    after: {
      [env]: injectedEnv(role, { serviceAccountName: 'web-identity-mode' }),
      [volume]: tokenVolume(),
      [config]: undefined,
    },
  },
  {
    ...injected,
    proves: 'the ServiceAccount names another hub role and external id than the flags',
    review: { object: pod({ serviceAccountName: 'own-hub' }) },
    after: {
      [config]: text({ by: 'arn:aws:iam::123456789012:role/own-hub', id: 'a=b:own-hub', session: 'shop.own-hub' }),
    },
  },
  {
    ...injected,
    proves: 'empty annotations of the chain are no annotations',
    review: { object: pod({ serviceAccountName: 'empty-chain' }) },
    after: { [config]: text({ session: 'shop.empty-chain' }) },
  },
  {
    ...injected,
    proves: 'a requested role is the one that the chain ends at',
    review: { object: pod({ serviceAccountName: 'bare-name' }) },
    after: {
      [config]: text({ target: `arn:aws:iam::${account}:role/s3-reader`, session: 'shop.bare-name' }),
      [roleAnnotation]: `arn:aws:iam::${account}:role/s3-reader`,
    },
  },
  {
    ...injected,
    proves: 'audience and lifetime of the token are those of the ServiceAccount and the pod',
    review: {
      object: pod({
        serviceAccountName: 'audience',
        annotations: { 'eks.amazonaws.com/token-expiration': '3600' },
      }),
    },
    after: { [volume]: chainVolume('example.com', 3600) },
  },
  {
    ...injected,
    proves: 'in a file without session names SDKs name the sessions; without the metadata switch they may ask the node',
    server: 'chain-of-teams',
    review: { object: pod({ namespace: 'team-only' }) },
    after: {
      [env]: chainedEnv().slice(0, -1),
      [config]: text({
        by: 'arn:aws:iam::272727272727:role/hub',
        target: 'arn:aws:iam::444444444444:role/platform-pods',
        id: 'team-only',
        session: '',
      }),
    },
  },
  {
    ...injected,
    proves: 'on Windows the variable has a path of Windows, and the config slashes, which nothing takes for an escape',
    review: { object: pod({ spec: { os: { name: 'windows' } } }) },
    after: {
      [`${env}/1/value`]: 'C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\config',
      [config]: text({ file: `C:${tokenFile}` }),
    },
  },
  {
    ...injected,
    proves: 'in chain mode skipped containers get nothing, and may have whatever they like',
    review: {
      object: pod({
        containers: [container('app'), container('mine', { env: [{ name: 'AWS_PROFILE', value: 'x' }] })],
        initContainers: [container('setup')],
        annotations: { 'eks.amazonaws.com/skip-containers': 'mine' },
      }),
    },
    after: {
      [env]: chainedEnv(),
      '/spec/initContainers/0/env': chainedEnv(),
      '/spec/containers/1/env': [{ name: 'AWS_PROFILE', value: 'x' }],
      '/spec/containers/1/volumeMounts/1': undefined,
    },
  },
  {
    ...injected,
    proves: 'a config that a user wrote is replaced by the one that is due',
    review: { object: pod({ annotations: { [awsConfig]: text({ target: foreignRole }) } }) },
    after: { [config]: text() },
  },
  {
    ...injected,
    reason: 'NothingToInject',
    outcome: 'allowed',
    proves: 'a pod that has its chain is left as it is',
    review: { object: complete() },
  },
  {
    ...injected,
    reason: 'NothingToInject',
    proves: 'a chain of an earlier day, such as from a backup, gets the config of today',
    review: { object: complete({ said: text({ by: 'arn:aws:iam::123456789012:role/old-hub' }) }) },
    after: { [config]: text(), [env]: chainedEnv() },
  },
  {
    ...injected,
    proves: 'variables of the user that say the same gain what is missing',
    review: {
      object: podWithEnv([
        { name: 'AWS_EC2_METADATA_DISABLED', value: 'false' },
        { name: 'AWS_CONFIG_FILE', value: `${configFile}/` },
      ]),
    },
    after: { [`${env}/3`]: { name: 'AWS_SDK_LOAD_CONFIG', value: '1' }, [`${env}/4`]: undefined, [config]: text() },
  },
];

const overPodIdentity: readonly Row[] = [
  {
    ...injected,
    proves: 'over EKS Pod Identity the chain starts from the role of the association, without a token of ours',
    review: { object: podWithEnv([fullUri]) },
    after: { [env]: [fullUri, ...chainedEnv()], [volume]: chainVolume(''), [config]: text({ by: '' }) },
  },
  {
    ...injected,
    proves: 'over EKS Pod Identity no hub role is needed',
    server: 'chain-without-hub',
    review: { object: podWithEnv([{ name: 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', value: '/x' }]) },
    after: { [config]: text({ by: '', id: '' }) },
  },
  {
    ...injected,
    proves: 'where EKS Pod Identity serves some containers only, all of them start from the hub role',
    review: { object: pod({ containers: [container('a', { env: [fullUri] }), container('b')] }) },
    after: { [env]: [fullUri, ...chainedEnv()], '/spec/containers/1/env': chainedEnv(), [config]: text() },
  },
  {
    ...denied,
    proves: 'where EKS Pod Identity serves some containers only and there is no hub role, the pod is denied',
    server: 'chain-without-hub',
    reason: 'HubRoleMissing',
    review: { object: pod({ containers: [container('a', { env: [fullUri] }), container('b')] }) },
    says: ['EKS Pod Identity does not serve "b"', '--hub-role-arn'],
  },
  {
    ...injected,
    proves: 'a pod all of whose containers are skipped needs no hub role',
    server: 'chain-without-hub',
    reason: 'NothingToInject',
    outcome: 'allowed',
    review: { object: pod({ annotations: { 'eks.amazonaws.com/skip-containers': 'app' } }) },
  },
  {
    ...injected,
    proves: 'a chain over EKS Pod Identity may have the token of an earlier chain beside it',
    reason: 'NothingToInject',
    review: {
      object: complete({
        containers: [container('app', { env: [fullUri, ...chainedEnv()], mounts: [tokenMount] })],
      }),
    },
    after: { [config]: text({ by: '' }), [volume]: chainVolume() },
  },
];

const settings: readonly Row[] = [
  {
    ...denied,
    proves: 'a credentials mode that there is not is denied, with those that there are',
    reason: 'InvalidAnnotation',
    review: { object: pod({ serviceAccountName: 'odd-mode' }) },
    says: ['carm-webhook.dev/credentials "Chain"', 'web-identity or chain'],
  },
  {
    ...denied,
    proves: 'the same on the namespace, whatever the flags say',
    server: 'plain',
    reason: 'InvalidAnnotation',
    review: { object: pod({ namespace: 'odd-credentials' }) },
    says: ['namespace "odd-credentials" has carm-webhook.dev/credentials "irsa"', 'web-identity or chain'],
  },
  {
    ...denied,
    proves: 'chain mode without a hub role is denied, with the ways to one',
    server: 'chain-without-hub',
    reason: 'HubRoleMissing',
    review: { object: pod() },
    says: ['--hub-role-arn', 'kubectl annotate namespace shop carm-webhook.dev/hub-role-arn=HUB_ROLE_ARN'],
  },
  {
    ...denied,
    proves: 'a hub role that is no role is denied',
    reason: 'InvalidRoleArn',
    review: { object: pod({ serviceAccountName: 'garbage-hub' }) },
    says: ['has carm-webhook.dev/hub-role-arn'],
  },
  ...(['foreign-hub', 'own-account-hub'] as const).map(
    (serviceAccountName): Row => ({
      ...denied,
      proves: `a hub role of a tenant's own is denied: ${serviceAccountName}`,
      reason: 'RoleOutsideAccount',
      review: { object: pod({ serviceAccountName }) },
      says: ['which is not in --source-accounts'],
    }),
  ),
  {
    ...denied,
    proves: 'a hub role of the namespace outside of the source accounts is denied',
    server: 'plain',
    reason: 'RoleOutsideAccount',
    review: { object: pod({ namespace: 'chained' }) },
    says: ['namespace "chained" has carm-webhook.dev/hub-role-arn'],
  },
  {
    ...denied,
    proves: 'a hub role in another partition is denied',
    reason: 'RoleOutsideAccount',
    review: { object: pod({ serviceAccountName: 'cn-hub' }) },
    says: ['partition aws-cn', 'in partition aws'],
  },
  {
    ...denied,
    proves: 'a hub role that ACK works with is denied, without --require-pods-key too: its maps name it',
    reason: 'ControllerRole',
    review: { object: pod({ serviceAccountName: 'ack-hub' }) },
    says: ["a role of ACK's controllers", 'ack-system/ack-role-account-map'],
  },
  {
    ...conflict,
    proves: 'a requested role that is the hub role itself is denied, whatever its path and case',
    review: { object: pod({ serviceAccountName: 'hub-wish' }) },
    says: ['carm-webhook.dev/role', 'another role'],
  },
  {
    ...conflict,
    proves: 'a mapped role that is the hub role itself is denied',
    server: 'chain-of-teams',
    review: { object: pod({ namespace: 'mapped-hub' }) },
    says: ['map another role'],
  },
  ...(['line', 'section', 'comment', 'semicolon', 'placeholder', 'long'] as const).map(
    (what): Row => ({
      ...denied,
      proves: `an external id that is none for STS is denied, and never written: ${what}`,
      reason: 'InvalidAnnotation',
      review: { object: pod({ serviceAccountName: `${what}-external-id` }) },
      says: ['carm-webhook.dev/external-id', '2 to 1224 letters'],
    }),
  ),
  {
    ...denied,
    proves: 'an external id of the flag that comes to a single character is denied',
    server: 'chain-of-teams',
    reason: 'InvalidAnnotation',
    review: { object: pod({ namespace: 'a' }) },
    says: ['--external-id', '2 to 1224'],
  },
];

const own = (name: string, value: string): readonly EnvEntry[] => [{ name, value }];
const mine = `arn:aws:iam::${account}:role/mine`;

const conflicts: readonly Row[] = [
  ...(
    [
      ['AWS_ROLE_ARN', mine],
      ['AWS_ROLE_ARN', ''],
      ['AWS_WEB_IDENTITY_TOKEN_FILE', tokenFile],
      ['AWS_CONFIG_FILE', '/mine'],
      ['AWS_CONFIG_FILE', ''],
      ['AWS_CONFIG_FILE', configFile.replace(/config$/, '$(UP)/../config')],
      ['AWS_PROFILE', 'app'],
      ['AWS_PROFILE', ''],
      ['AWS_DEFAULT_PROFILE', 'app'],
      ['AWS_SHARED_CREDENTIALS_FILE', '/mine'],
      ['AWS_SDK_LOAD_CONFIG', '0'],
      ['AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE'],
      ['AWS_SECRET_ACCESS_KEY', 'AKIAIOSFODNN7EXAMPLE'],
      ['AWS_SESSION_TOKEN', 'AKIAIOSFODNN7EXAMPLE'],
      ['AWS_ACCESS_KEY', 'AKIAIOSFODNN7EXAMPLE'],
      ['AWS_SECRET_KEY', 'AKIAIOSFODNN7EXAMPLE'],
    ] as const
  ).flatMap(([name, value]): readonly Row[] => [
    {
      ...conflict,
      proves: `${name}=${value} beside the chain is denied`,
      review: { object: podWithEnv(own(name, value)) },
      says: [`container "app" sets ${name};`, 'skip-containers', 'carm-webhook.dev/credentials=web-identity'],
      neverSays: ['AKIA'],
    },
    {
      ...conflict,
      endpoint: 'validate',
      proves: `${name}=${value} that came beside the chain is denied`,
      review: {
        object: complete({
          containers: [
            container('app', {
              env: [...chainedEnv().filter(entry => entry.name !== name || value === '0'), ...own(name, value)],
              mounts: [tokenMount],
            }),
            container('other', { env: chainedEnv(), mounts: [tokenMount] }),
          ],
        }),
      },
      ...(name === 'AWS_CONFIG_FILE' ? { reason: 'Checked', outcome: 'allowed' } : { says: [`sets ${name};`] }),
    },
  ]),
  ...(
    [
      'AWS_SHARED_CREDENTIALS_FILE',
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'AWS_ACCESS_KEY',
    ] as const
  ).map(
    (name): Row => ({
      ...injected,
      proves: `an empty ${name} is none`,
      review: { object: podWithEnv(own(name, '')) },
      after: { [env]: [...own(name, ''), ...chainedEnv()] },
    }),
  ),
  {
    ...conflict,
    proves: 'all variables of the first container that conflicts are named at once',
    review: {
      object: podWithEnv([
        { name: 'AWS_ACCESS_KEY_ID', valueFrom: { secretKeyRef: { name: 'aws', key: 'id' } } },
        { name: 'AWS_PROFILE', value: 'app' },
      ]),
    },
    says: ['AWS_PROFILE, AWS_ACCESS_KEY_ID'],
  },
  {
    ...conflict,
    proves: 'on Windows what conflicts is known in any case',
    review: { object: podWithEnv(own('aws_profile', 'app'), { spec: { os: { name: 'windows' } } }) },
  },
  {
    ...injected,
    proves: 'on Linux nothing reads it in another case',
    review: { object: podWithEnv(own('aws_profile', 'app')) },
  },
  {
    ...denied,
    proves: 'a role of another account beside the chain is denied as everywhere',
    reason: 'RoleOutsideAccount',
    review: { object: podWithEnv(own('AWS_ROLE_ARN', foreignRole)) },
  },
  {
    ...conflict,
    proves:
      'a pod that was injected in mode web-identity, such as from a backup, is denied in chain mode, and told why',
    review: {
      object: pod({
        containers: [container('app', { env: injectedEnv(role), mounts: [tokenMount] })],
        volumes: [tokenVolume()],
        annotations: { 'carm-webhook.dev/role-arn': role },
      }),
    },
    says: ['AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE', 'an earlier injection in mode web-identity'],
  },
  {
    ...conflict,
    proves:
      'a pod that was injected in chain mode, such as from a backup, is denied in mode web-identity, and told why',
    server: 'plain',
    review: { object: complete() },
    says: ['the file of chain mode', 'an earlier injection'],
  },
  {
    ...conflict,
    proves: 'the final pod of mode web-identity must not read the file of chain mode either',
    server: 'plain',
    endpoint: 'validate',
    review: { object: complete() },
  },
  {
    ...denied,
    proves: 'a volume of our name without the config is denied in chain mode',
    reason: 'VolumeConflict',
    review: { object: pod({ volumes: [tokenVolume()] }) },
    says: ['carm-webhook.dev/aws-config', 'path "config"'],
  },
  {
    ...denied,
    proves: 'a volume of chain mode with another audience is denied',
    reason: 'VolumeConflict',
    review: { object: complete({ volumes: [chainVolume('vault')] }) },
  },
  {
    ...denied,
    proves: 'the volume of a chain over EKS Pod Identity has no token for a chain from the hub role',
    reason: 'VolumeConflict',
    review: { object: complete({ volumes: [chainVolume('')] }) },
  },
  ...(['mutate', 'validate'] as const).flatMap((endpoint): readonly Row[] => [
    {
      ...denied,
      endpoint,
      proves: `/${endpoint}: a volume that shows the annotation as ours does is denied where no container chains`,
      server: 'plain',
      reason: 'VolumeConflict',
      review: {
        object: pod({
          volumes: [chainVolume()],
          annotations: { [awsConfig]: text(), 'eks.amazonaws.com/skip-containers': 'app' },
        }),
      },
      says: ['shows its annotation carm-webhook.dev/aws-config'],
    },
    {
      ...denied,
      endpoint,
      proves: `/${endpoint}: the same in a pod that opted out`,
      reason: 'VolumeConflict',
      review: {
        object: pod({
          volumes: [chainVolume()],
          annotations: { [awsConfig]: text() },
          labels: { 'carm-webhook.dev/inject': 'disabled' },
        }),
      },
    },
  ]),
];

const final: readonly Row[] = [
  {
    server: 'chain',
    endpoint: 'validate',
    proves: 'the final pod of a chain is checked',
    reason: 'Checked',
    outcome: 'allowed',
    review: { object: complete() },
  },
  ...(
    [
      ['another role', text({ target: mine })],
      ['another hub role', text({ by: 'arn:aws:iam::123456789012:role/other' })],
      ['another external id', text({ id: 'other' })],
      ['a line more', `${text()}credential_process = /bin/sh\n`],
      ['a line less', text().slice(0, -1)],
      ['an empty text', ''],
      ['no annotation', null],
    ] as const
  ).map(
    ([what, said]): Row => ({
      ...denied,
      endpoint: 'validate',
      proves: `the final pod of a chain with ${what} in its config is denied`,
      reason: 'ForgedAnnotation',
      review: { object: complete({ said }) },
      says: ['carm-webhook.dev/aws-config'],
    }),
  ),
  ...(
    [
      ['is denied', {}, 'ForgedAnnotation', 'denied'],
      [
        'runs as it was written, if it is let pass for something else',
        {
          containers: [
            container('app', { env: chainedEnv(), mounts: [tokenMount] }),
            container('other', { env: own('AWS_PROFILE', 'app') }),
          ],
        },
        'CredentialConflict',
        'warned',
      ],
    ] as const
  ).map(
    ([what, more, reason, outcome]): Row => ({
      server: 'chain',
      endpoint: 'validate',
      proves: `mode warn: a final pod whose config is not the one that is due ${what}`,
      reason,
      outcome,
      review: { object: complete({ namespace: 'chained-warn', said: text({ target: mine }), ...more }) },
    }),
  ),
  {
    server: 'chain',
    endpoint: 'validate',
    proves: 'mode warn: the final pod of a chain is checked',
    reason: 'Checked',
    outcome: 'allowed',
    review: {
      object: complete({
        namespace: 'chained-warn',
        said: text({ id: `${account}/chained-warn`, session: 'chained-warn.default' }),
      }),
    },
  },
  {
    ...denied,
    server: 'chain-without-hub',
    endpoint: 'validate',
    proves: 'the final pod of a chain needs its hub role',
    reason: 'HubRoleMissing',
    review: { object: complete() },
  },
  {
    ...denied,
    endpoint: 'validate',
    proves: 'the final pod of a chain needs a credentials mode',
    reason: 'InvalidAnnotation',
    review: { object: complete({ serviceAccountName: 'odd-mode' }) },
  },
  {
    ...denied,
    server: 'warning',
    endpoint: 'validate',
    outcome: 'warned',
    proves: 'mode warn softens what a chain is denied for, as everything else about pods',
    reason: 'HubRoleMissing',
    review: { object: pod({ namespace: 'chained-warn' }) },
  },
];

const workloads: readonly Row[] = [
  ...(
    [
      ['CredentialConflict', 'chain', podWithEnv(own('AWS_PROFILE', 'app'))],
      ['HubRoleMissing', 'chain-without-hub', pod()],
      ['InvalidAnnotation', 'chain', pod({ serviceAccountName: 'odd-mode' })],
    ] as const
  ).map(
    ([reason, server, object]): Row => ({
      endpoint: 'validate',
      server,
      proves: `a Deployment is warned of what its pods would be denied for in chain mode: ${reason}`,
      reason,
      outcome: 'warned',
      review: { ...workload('Deployment', object), kind: 'Deployment' },
      says: ['pods of Deployment "web" will not start'],
    }),
  ),
];

/** A running pod, and a debug container that joins it. */
function debugged(running: Json, added: Json = {}): Row['review'] {
  const { spec, ...rest } = running as { spec: Json };
  const ephemeralContainers = [{ name: 'debugger', image: 'busybox', ...added }];
  return { ...debug, object: { ...rest, spec: { ...spec, ephemeralContainers } }, oldObject: running };
}

const debugEnv = '/spec/ephemeralContainers/0/env';
const notInjected = {
  server: 'chain',
  reason: 'NothingToInject',
  outcome: 'allowed',
  warnings: ['DebugContainerNotInjected'],
} as const;

const debugging: readonly Row[] = [
  {
    ...injected,
    proves: "a debug container gets the pod's config as it is, whatever is due today",
    review: debugged(complete({ said: text({ target: mine }) })),
    after: { [debugEnv]: chainedEnv(), '/spec/ephemeralContainers/0/volumeMounts': [tokenMount] },
    roleArn: mine,
  },
  {
    ...injected,
    proves: 'a debug container joins a chain in a namespace that uses web identity today',
    server: 'plain',
    review: debugged(complete()),
    after: { [debugEnv]: chainedEnv() },
  },
  {
    ...injected,
    proves: 'a debug container joins a pod of web identity in a namespace that chains today',
    review: debugged(pod({ volumes: [tokenVolume()] })),
    after: { [debugEnv]: injectedEnv(role) },
  },
  {
    ...notInjected,
    proves: 'a debug container gets nothing where the config is not one of ours',
    review: debugged(complete({ said: `${text()}credential_process = /bin/sh\n` })),
    says: ['is not one that carm-webhook wrote'],
  },
  {
    ...notInjected,
    proves: 'a debug container gets nothing by a config without text',
    review: debugged(complete({ said: null })),
  },
  {
    ...notInjected,
    proves: 'a debug container gets nothing by a config that ends in another account',
    review: debugged(complete({ said: text({ target: foreignRole }) })),
    says: [`is not in account ${account}`],
  },
  {
    ...notInjected,
    proves: 'a debug container gets nothing by a chain over EKS Pod Identity, which does not serve it',
    review: debugged(complete({ said: text({ by: '' }), volumes: [chainVolume('')] })),
    says: ['EKS Pod Identity'],
  },
  {
    ...injected,
    proves: 'a debug container that has the variables of EKS Pod Identity joins the chain over it',
    review: debugged(complete({ said: text({ by: '' }), volumes: [chainVolume('')] }), { env: [fullUri] }),
    after: { [debugEnv]: [fullUri, ...chainedEnv()] },
  },
  {
    ...notInjected,
    proves: 'a debug container with credentials of its own gets nothing beside them',
    review: debugged(complete(), { env: own('AWS_PROFILE', 'app') }),
    says: ['AWS_PROFILE'],
  },
];

export const chainRows: readonly Row[] = [
  ...given,
  ...overPodIdentity,
  ...settings,
  ...conflicts,
  ...final,
  ...workloads,
  ...debugging,
];
