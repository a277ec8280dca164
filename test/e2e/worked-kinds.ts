import { bucketKind, topicKind } from './ack-crds.ts';
import type { WorkedKind } from './ack-stand-in.ts';

/** Buckets. https://github.com/aws-controllers-k8s/s3-controller/blob/v1.10.0/pkg/resource/bucket/resource.go (PopulateResourceFromAnnotation) */
export const bucketWork: WorkedKind = {
  kind: bucketKind,
  adoptionField: 'name',
  arnOf: ({ name }) => `arn:aws:s3:::${name}`,
};

/** Topics. https://github.com/aws-controllers-k8s/sns-controller/blob/main/pkg/resource/topic/resource.go (PopulateResourceFromAnnotation) */
export const topicWork: WorkedKind = {
  kind: topicKind,
  adoptionField: 'arn',
  arnOf: ({ accountId, region, name }) => `arn:aws:sns:${region}:${accountId}:${name}`,
};
