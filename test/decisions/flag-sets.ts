/** The servers of the table: each a set of flags, all on the same state. */
export const flagSets = {
  plain: [],
  teams: ['--feature-gates=TeamLevelCARM=true'],
  'no-maps': ['--ack-system-namespace=elsewhere', '--feature-gates=ServiceLevelCARM=true,TeamLevelCARM=true'],
  strict: [
    '--require-pods-key',
    '--default-region=us-east-1',
    '--source-accounts=123456789012',
    '--token-expiration=2h',
    '--support-message=Ask in #platform.',
  ],
  'strict-teams': ['--require-pods-key', '--feature-gates=TeamLevelCARM=true'],
  'strict-systems': ['--require-pods-key', '--ack-system-namespace=ack-system,ack-iam'],
  named: [
    '--role-session-name={account}@{namespace}',
    '--disable-instance-metadata=always',
    '--feature-gates=TeamLevelCARM=true',
  ],
  unnamed: ['--role-session-name=none', '--disable-instance-metadata=never'],
  warning: ['--default-mode=warn'],
  auditing: ['--default-mode=audit'],
  chain: [
    '--credentials=chain',
    '--hub-role-arn=arn:aws:iam::123456789012:role/pods-hub',
    '--external-id={account}/{namespace}',
    '--source-accounts=123456789012',
  ],
  'chain-of-teams': [
    '--credentials=chain',
    '--source-accounts=272727272727',
    '--hub-role-arn=arn:aws:iam::272727272727:role/hub',
    '--external-id={namespace}',
    '--feature-gates=TeamLevelCARM=true',
    '--role-session-name=none',
    '--disable-instance-metadata=never',
  ],
  'chain-without-hub': ['--credentials=chain'],
  'workloads-denied': ['--workloads=deny'],
  'workloads-off': ['--workloads=off'],
  services: ['--feature-gates=ServiceLevelCARM=true'],
  'services-and-teams': ['--feature-gates=ServiceLevelCARM=true,TeamLevelCARM=true'],
  selectors: ['--feature-gates=IAMRoleSelector=true'],
  'selectors-warning': ['--feature-gates=IAMRoleSelector=true', '--default-mode=warn'],
  'unbound-denied': ['--unbound-resources=deny'],
  'unbound-denied-warning': ['--unbound-resources=deny', '--default-mode=warn'],
  'unbound-allowed': ['--unbound-resources=allow'],
  releases: ['--ack-system-namespace=ack-system,ack-iam'],
  shards: ['--ack-system-namespace=ack-system=s3,ack-iam=s3+iam'],
  systems: ['--ack-system-namespace=ack-system=s3+sqs,ack-iam', '--feature-gates=ServiceLevelCARM=true'],
  authorizing: ['--authorize-bindings'],
  'authorizing-teams': ['--authorize-bindings', '--feature-gates=TeamLevelCARM=true'],
  'authorizing-warning': ['--authorize-bindings', '--default-mode=warn'],
  trusting: [
    '--ack-identities=custom/controller,arn:aws:sts::111111111111:assumed-role/AckCapability/',
    '--restore-identities=velero/server',
    '--allowed-endpoint-urls=http://localstack.tools:4566,https://vpce.example.com',
    '--cross-namespace-references=shop:shared,*:common',
    '--require-pods-key',
    '--authorize-bindings',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type FlagSet = keyof typeof flagSets;

/** A folder of manifests does not tell who may bind; in process the table does. */
const isOfTable = (set: FlagSet): boolean => set.startsWith('authorizing');

/**
 * The sets that the built server is started with: by them it takes every flag that changes a decision. The rows of the others
 * are answered in process, by the rules that the same flags make. `SERVE_EVERY_FLAG_SET=1` starts a server for each.
 */
export const servedFlagSets: readonly FlagSet[] =
  process.env['SERVE_EVERY_FLAG_SET'] === '1'
    ? (Object.keys(flagSets) as FlagSet[]).filter(set => !isOfTable(set))
    : [
        'plain',
        'strict',
        'named',
        'chain',
        'warning',
        'workloads-denied',
        'unbound-denied',
        'selectors',
        'systems',
        'trusting',
      ];
