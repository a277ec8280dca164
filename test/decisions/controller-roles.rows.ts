import { container, type EnvEntry, pod, podWithEnv, workload } from './manifests.ts';
import type { ReviewOptions } from './review.ts';
import type { Row } from './row.ts';
import { account, role } from './state.ts';

/** With `--require-pods-key`, no pod gets a role that ACK provisions with by naming it. */

const arn = (name: string, of = account, partition = 'aws') => `arn:${partition}:iam::${of}:role/${name}`;
const roleEnv = (value: string) => [{ name: 'AWS_ROLE_ARN', value }];
const literal = (value: string, namespace = 'shop') => podWithEnv(roleEnv(value), { namespace });
const wishing = (serviceAccountName: string, namespace = 'shop') => ({
  object: pod({ serviceAccountName, namespace }),
});
const disabled = { 'carm-webhook.dev/inject': 'disabled' };
const denied = { server: 'strict', reason: 'ControllerRole', outcome: 'denied' } as const;
const injected = { server: 'strict', reason: 'Injected', outcome: 'mutated' } as const;

function debug(env: readonly EnvEntry[] | undefined, serviceAccountName = 'default'): ReviewOptions {
  const options = { serviceAccountName };
  const added = { name: 'debugger', image: 'busybox', ...(env === undefined ? {} : { env }) };
  return {
    operation: 'UPDATE',
    subResource: 'ephemeralcontainers',
    object: pod({ ...options, ephemeralContainers: [added] }),
    oldObject: pod(options),
  };
}

const requested: readonly Row[] = [
  ...(
    [
      ['ack-wish', 'a bare name in carm-webhook.dev/role'],
      ['ack-eks-wish', 'a bare name in eks.amazonaws.com/role-arn'],
      ['ack-arn-wish', 'an ARN in carm-webhook.dev/role'],
      ['ack-eks-arn-wish', 'an ARN in eks.amazonaws.com/role-arn'],
      ['ack-case-wish', 'the name in another case, which is no other role for IAM'],
      ['ack-path-wish', 'the name under a path, which is no other role for IAM'],
    ] as const
  ).map(
    ([name, what]): Row => ({
      ...denied,
      proves: `a ServiceAccount may not ask for ACK's role: ${what}`,
      review: wishing(name),
      accountId: account,
      says: [
        `ServiceAccount "${name}"`,
        "which is a role of ACK's controllers (ConfigMap ack-system/ack-role-account-map): --require-pods-key",
        'remove that annotation',
      ],
    }),
  ),
  {
    ...injected,
    proves: 'a role whose name only begins like that of ACK may be asked for',
    review: wishing('ack-neighbour-wish'),
    roleArn: arn('ack-controller-2'),
  },
  {
    server: 'plain',
    proves: "without --require-pods-key a ServiceAccount may ask for ACK's role",
    review: wishing('ack-wish'),
    reason: 'Injected',
    outcome: 'mutated',
    roleArn: arn('ack-controller'),
  },
  {
    ...denied,
    proves: "a role under the key of a service is one of ACK's, whatever the gate",
    review: wishing('service-wish', 'keyed'),
  },
  {
    ...injected,
    proves: 'a role that the platform team maps for both pods and ACK is for pods',
    review: wishing('default', 'both-keys'),
    roleArn: arn('both', '262626262626'),
  },
  {
    ...injected,
    proves: 'and may be asked for by name: it is the one that pods get anyway',
    review: wishing('both-wish', 'both-keys'),
    roleArn: arn('both', '262626262626'),
  },
  {
    ...denied,
    proves: "the controllers' role of a source account may not be asked for",
    review: wishing('source-ack-wish'),
  },
  {
    ...injected,
    proves: 'another role of a source account may be asked for',
    review: wishing('source-wish'),
    roleArn: arn('hub', '123456789012'),
  },
  {
    ...denied,
    server: 'strict-systems',
    proves: "a role that another ACK system's map gives is ACK's too",
    review: wishing('iam-wish'),
    says: ['ConfigMap ack-iam/ack-role-account-map'],
  },
  {
    ...injected,
    proves: 'the map of a namespace that is no ACK system gives ACK nothing',
    review: wishing('iam-wish'),
    roleArn: arn('iam-controller'),
  },
  {
    ...injected,
    server: 'strict-systems',
    proves: "pods.<id> of another ACK system's map is no role of ACK's",
    review: wishing('unused-wish'),
    roleArn: arn('never-looked-up'),
  },
  ...(['platform-wish', 'platform-s3-wish', 'platform-account-wish'] as const).map(
    (name): Row => ({
      ...denied,
      server: 'strict-teams',
      proves: `a team's ServiceAccount may not ask for ACK's role: ${name}`,
      review: wishing(name, 'team-only'),
    }),
  ),
  {
    ...injected,
    server: 'strict-teams',
    proves: "a team's ServiceAccount may ask for another role of its account",
    review: wishing('bare-name', 'team-only'),
    roleArn: arn('s3-reader', '444444444444'),
  },
  {
    ...denied,
    server: 'strict-teams',
    proves: "the role of a team in the same account is ACK's for a namespace that is bound by account",
    review: { object: literal(arn('s3', '444444444444'), 'team-account') },
  },
];

const literals: readonly Row[] = [
  ...(['mutate', 'validate'] as const).flatMap((endpoint): Row[] => [
    {
      ...denied,
      endpoint,
      proves: `a container may not name ACK's role: /${endpoint}`,
      review: { object: literal(arn('ack-controller')) },
      accountId: account,
      says: ['container "app" sets AWS_ROLE_ARN', 'remove AWS_ROLE_ARN'],
    },
    {
      ...denied,
      endpoint,
      proves: `a pod that opted out may not name ACK's role: /${endpoint}`,
      review: { object: podWithEnv(roleEnv(arn('ack-controller')), { labels: disabled }) },
    },
    {
      ...denied,
      endpoint,
      proves: `a debug container may not name ACK's role: /${endpoint}`,
      review: debug(roleEnv(arn('ack-controller'))),
      says: ['ephemeral container "debugger"'],
    },
    {
      ...denied,
      endpoint,
      proves: `a container may not name the role of a service: /${endpoint}`,
      review: { object: literal(arn('keyed-s3', '252525252525'), 'keyed') },
    },
    {
      ...denied,
      endpoint,
      proves: `a container may not name the controllers' role of a source account: /${endpoint}`,
      review: { object: literal(arn('ack-hub', '123456789012')) },
    },
  ]),
  {
    ...denied,
    proves: 'an init container may not either',
    review: { object: pod({ initContainers: [container('setup', { env: roleEnv(arn('ack-controller')) })] }) },
    says: ['init container "setup"'],
  },
  {
    ...denied,
    proves: "any occurrence of ACK's role is denied, not only the last",
    review: { object: podWithEnv([...roleEnv(arn('ack-controller')), ...roleEnv(role)]) },
  },
  {
    ...denied,
    proves: "a skipped container may not name ACK's role",
    review: {
      object: podWithEnv(roleEnv(arn('ack-controller')), {
        annotations: { 'eks.amazonaws.com/skip-containers': 'app' },
      }),
    },
  },
  {
    ...denied,
    proves: "ACK's role in another case or under a path is ACK's role",
    review: { object: literal(arn('team/ACK-Controller')) },
  },
  {
    server: 'strict',
    endpoint: 'validate',
    proves: 'the injected role of pods passes /validate',
    review: { object: literal(role) },
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    server: 'strict',
    endpoint: 'validate',
    proves: 'the role that is mapped for both passes /validate',
    review: { object: literal(arn('both', '262626262626'), 'both-keys') },
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    server: 'strict',
    endpoint: 'validate',
    proves: 'another role of the account passes /validate',
    review: { object: literal(arn('ack-controller-2')) },
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    server: 'plain',
    endpoint: 'validate',
    proves: "without --require-pods-key a container may name ACK's role",
    review: { object: literal(arn('ack-controller')) },
    reason: 'Checked',
    outcome: 'allowed',
  },
  {
    ...denied,
    endpoint: 'validate',
    proves: "where pods.<id> is missing, ACK's role is still ACK's",
    review: { object: literal(arn('ack-controller', '555555555555'), 'shared') },
  },
  {
    ...denied,
    endpoint: 'validate',
    server: 'strict',
    proves: 'ControllerRole follows the mode of the namespace, as all of pods does',
    review: { object: literal(arn('ack-controller'), 'shop-audit') },
    outcome: 'audited',
  },
  {
    ...denied,
    endpoint: 'validate',
    proves: "a Deployment whose pods name ACK's role is warned of",
    review: { ...workload('Deployment', literal(arn('ack-controller'))), kind: 'Deployment' },
    outcome: 'warned',
    says: ['carm-webhook: pods of Deployment "web" will not start: '],
  },
  {
    server: 'strict',
    proves: "a debug container is not given ACK's role that the ServiceAccount asks for: a warning",
    review: {
      ...debug(undefined, 'ack-wish'),
      object: pod({
        serviceAccountName: 'ack-wish',
        volumes: [{ name: 'aws-iam-token', emptyDir: {} }],
        ephemeralContainers: [{ name: 'debugger', image: 'busybox' }],
      }),
    },
    reason: 'NothingToInject',
    outcome: 'allowed',
    warnings: ['DebugContainerNotInjected'],
    says: ["which is a role of ACK's controllers"],
  },
];

export const controllerRoleRows: readonly Row[] = [...requested, ...literals];
