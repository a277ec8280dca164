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
  warning: ['--default-mode=warn'],
  auditing: ['--default-mode=audit'],
  'workloads-denied': ['--workloads=deny'],
  'workloads-off': ['--workloads=off'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type FlagSet = keyof typeof flagSets;
