import { issuer } from './iam-runs.ts';

/** Roles that are there trust a whole namespace then. */
export const anyServiceAccount = [
  ...['-n', 'team-a', '--any-serviceaccount', '--existing', 'roles,oidc-providers'],
  ...['--oidc-issuer', issuer],
];

/** Command lines of `iam`, each for one kind of output. */
export const cases: Readonly<Record<string, readonly string[]>> = {
  'whole-map': [
    '--all',
    '--oidc-issuer',
    `${issuer},https://keys.example.com/two`,
    '--feature-gates',
    'TeamLevelCARM=true,ServiceLevelCARM=true',
    '--ack-role-arn',
    'arn:aws:iam::111111111111:role/ack-controllers',
  ],
  namespace: ['-n', 'team-a', '--serviceaccount', 'web,reports', '--oidc-issuer', issuer],
  'any-serviceaccount': anyServiceAccount,
  'pod-identity': [
    '-n',
    'team-a',
    '--pod-identity',
    '--eks-cluster-arn',
    'arn:aws:eks:eu-central-1:111111111111:cluster/one',
  ],
  s3: ['-n', 'team-a', '--resource', 's3', '--resource-arn', 'arn:aws:s3:::reports'],
  ecr: [
    '-n',
    'team-c',
    '--resource',
    'ecr',
    '--resource-arn',
    'arn:aws:ecr:eu-central-1:999988887777:repository/team/app',
  ],
  kms: [
    '-n',
    'team-c',
    '--resource',
    'kms',
    '--resource-arn',
    'arn:aws:kms:eu-central-1:999988887777:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  ],
  sqs: [
    '-n',
    'team-c',
    '--resource',
    'sqs',
    '--resource-arn',
    'arn:aws:sqs:eu-central-1:999988887777:jobs.fifo',
    '--resource-write',
  ],
  sns: [
    '-n',
    'team-c',
    '--resource',
    'sns',
    '--resource-arn',
    'arn:aws:sns:eu-central-1:999988887777:news',
    '--resource-write',
  ],
  secretsmanager: [
    '-n',
    'team-c',
    '--resource',
    'secretsmanager',
    '--resource-arn',
    'arn:aws:secretsmanager:eu-central-1:999988887777:secret:db/password-AbCdEf',
  ],
};
