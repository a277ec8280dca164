import { type AccountId, isAccountId } from '../../accounts/account-id.ts';
import { isPartition, type Partition } from '../../accounts/partition.ts';

/** The services whose resources have policies that we write statements for. */
export const resourceServices = ['s3', 'ecr', 'kms', 'sqs', 'sns', 'secretsmanager'] as const;
export type ResourceService = (typeof resourceServices)[number];

export interface ResourceArn {
  readonly service: ResourceService;
  readonly text: string;
  readonly partition: Partition;
  /** Empty for a bucket. */
  readonly region: string;
  /** Undefined for a bucket: its ARN names none. */
  readonly accountId: AccountId | undefined;
  /** Name of the bucket, repository, queue, topic or secret; id of the key. */
  readonly name: string;
}

/** Of the last section of an ARN: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html */
const nameForms: Readonly<Record<ResourceService, RegExp>> = {
  s3: /^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/,
  ecr: /^repository\/([a-z0-9](?:[a-z0-9._/-]{0,254}[a-z0-9])?)$/,
  kms: /^key\/((?:mrk-)?[a-f0-9-]{32,36})$/,
  sqs: /^([\w-]{1,75}(?:\.fifo)?)$/,
  sns: /^([\w-]{1,251}(?:\.fifo)?)$/,
  secretsmanager: /^secret:([\w/+=.@-]{1,512})$/,
};

/** The ARN of one resource of a service, without wildcards; undefined for everything else. */
export function parseResourceArn(service: ResourceService, text: string): ResourceArn | undefined {
  if (text.length > 1024) return undefined;
  const [arn, partition = '', ofService, region = '', account = '', ...rest] = text.split(':');
  const [, name] = nameForms[service].exec(rest.join(':')) ?? [];
  if (arn !== 'arn' || !isPartition(partition) || ofService !== service || name === undefined) return undefined;
  if (service === 's3') {
    const isBucket = region === '' && account === '';
    return isBucket ? { service, text, partition, region, accountId: undefined, name } : undefined;
  }
  if (!/^[a-z]+(?:-[a-z]+)+-[0-9]{1,2}$/.test(region) || !isAccountId(account)) return undefined;
  return { service, text, partition, region, accountId: account, name };
}
