import { container, injectedEnv, pod, podWithEnv, sessionEntry, tokenFile } from './manifests.ts';
import type { Row } from './row.ts';
import { account, longName, role } from './state.ts';

/** What is added beside the pair: the name of its sessions, and the switch for instance metadata. */

const env = '/spec/containers/0/env';
const named = (value: string) => ({ name: 'AWS_ROLE_SESSION_NAME', value });
const noMetadata = { name: 'AWS_EC2_METADATA_DISABLED', value: 'true' };
const injected = { reason: 'Injected', outcome: 'mutated' } as const;
const [sts, roleEntry, tokenEntry] = injectedEnv(role);
const withName = (value: string) => [sts, roleEntry, tokenEntry, named(value)];
const fullUri = { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23/v1/credentials' };

export const podSessionRows: readonly Row[] = [
  {
    ...injected,
    proves: 'sessions are named after the namespace and the ServiceAccount, behind the pair',
    review: { object: pod({ serviceAccountName: 'short-token' }) },
    after: { [env]: withName('shop.short-token') },
  },
  {
    ...injected,
    proves: 'a session name that is too long is cut, and ends in a hash of the whole',
    review: { object: pod({ serviceAccountName: longName }) },
    after: { [env]: withName(`shop.${longName.slice(0, 42)}=21aaefc9da616e8d`) },
  },
  ...(['mine', ''] as const).map(
    (value): Row => ({
      ...injected,
      proves: `a session name of the user stays: ${JSON.stringify(value)}`,
      review: { object: podWithEnv([named(value)]) },
      after: { [env]: [named(value), sts, roleEntry, tokenEntry] },
    }),
  ),
  {
    ...injected,
    proves: 'on Windows a session name of the user is known in any case',
    review: {
      object: podWithEnv([{ name: 'aws_role_session_name', value: 'mine' }], { spec: { os: { name: 'windows' } } }),
    },
    after: { [`${env}/4`]: undefined },
  },
  {
    ...injected,
    proves: 'no session is named in a container that EKS Pod Identity serves',
    server: 'named',
    review: { object: podWithEnv([fullUri]) },
    after: { [env]: [fullUri, sts] },
  },
  {
    ...injected,
    proves: 'no session is named where the pair is not given',
    server: 'named',
    review: { object: podWithEnv([{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/my/token' }]) },
    warnings: ['IncompleteWebIdentity'],
    after: { [env]: [{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/my/token' }, sts] },
  },
  {
    ...injected,
    proves: '--role-session-name and --disable-instance-metadata=always: name and switch, in this order',
    server: 'named',
    review: { object: pod() },
    after: { [env]: [...withName(`${account}@shop`), noMetadata] },
  },
  {
    ...injected,
    proves: '{account} is the account of the role of the team',
    server: 'named',
    review: { object: pod({ namespace: 'team-only' }) },
    after: { [`${env}/3`]: named('444444444444@team-only') },
  },
  {
    ...injected,
    proves: 'name and switch come with the token file of a role that the user named',
    server: 'named',
    review: { object: podWithEnv([{ name: 'AWS_ROLE_ARN', value: role }]) },
    after: {
      [env]: [{ name: 'AWS_ROLE_ARN', value: role }, sts, tokenEntry, named(`${account}@shop`), noMetadata],
    },
  },
  {
    ...injected,
    proves: 'a metadata switch of the user stays',
    server: 'named',
    review: { object: podWithEnv([{ name: 'AWS_EC2_METADATA_DISABLED', value: 'false' }]) },
    after: { [env]: [{ name: 'AWS_EC2_METADATA_DISABLED', value: 'false' }, ...withName(`${account}@shop`)] },
  },
  {
    ...injected,
    proves: '--role-session-name=none leaves the names to the SDKs',
    server: 'unnamed',
    review: { object: pod() },
    after: { [env]: [sts, roleEntry, tokenEntry] },
  },
  {
    ...injected,
    proves: 'a container gets its session name whatever the one beside it has',
    review: { object: pod({ containers: [container('a', { env: [named('mine')] }), container('b')] }) },
    after: { [`${env}/0`]: named('mine'), '/spec/containers/1/env/3': sessionEntry() },
  },
  {
    ...injected,
    proves: 'a debug container gets the session name of its pod',
    review: {
      operation: 'UPDATE',
      subResource: 'ephemeralcontainers',
      object: pod({
        volumes: [
          {
            name: 'aws-iam-token',
            projected: { sources: [{ serviceAccountToken: { audience: 'sts.amazonaws.com', path: 'token' } }] },
          },
        ],
        ephemeralContainers: [{ name: 'debugger', image: 'busybox' }],
      }),
      oldObject: pod(),
    },
    after: {
      '/spec/ephemeralContainers/0/env': [
        sts,
        roleEntry,
        { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: tokenFile },
        sessionEntry(),
      ],
    },
  },
];
