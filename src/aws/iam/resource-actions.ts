import type { ResourceService } from './resource-arn.ts';

interface ServiceActions {
  readonly read: readonly string[];
  /** Besides those. */
  readonly write: readonly string[];
}

/**
 * What a pod commonly does with a resource. Of buckets and their objects, see `resource-policy.ts`.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 */
export const resourceActions: Readonly<Record<ResourceService, ServiceActions>> = {
  s3: { read: ['s3:GetObject'], write: ['s3:AbortMultipartUpload', 's3:DeleteObject', 's3:PutObject'] },
  ecr: {
    read: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
    write: ['ecr:CompleteLayerUpload', 'ecr:InitiateLayerUpload', 'ecr:PutImage', 'ecr:UploadLayerPart'],
  },
  kms: { read: ['kms:Decrypt', 'kms:DescribeKey'], write: ['kms:Encrypt', 'kms:GenerateDataKey'] },
  sqs: {
    read: [
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
    ],
    write: ['sqs:SendMessage'],
  },
  sns: { read: ['sns:GetTopicAttributes', 'sns:Subscribe'], write: ['sns:Publish'] },
  secretsmanager: {
    read: ['secretsmanager:DescribeSecret', 'secretsmanager:GetSecretValue'],
    write: ['secretsmanager:PutSecretValue'],
  },
};

/** On a bucket itself, not on its objects. */
export const bucketActions: readonly string[] = ['s3:GetBucketLocation', 's3:ListBucket'];

/** Without it nobody can log in to a registry; it is of no one repository, so no repository's policy can give it. */
export const registryAction = 'ecr:GetAuthorizationToken';
