import type { Partition } from '../accounts/partition.ts';
import { chooseRegion } from '../injection/region.ts';

/**
 * Where AWS STS is asked for a role of a partition when nobody names a region. `implicitGlobalRegion` of
 * https://github.com/aws/aws-sdk-go-v2/blob/main/internal/endpoints/awsrulesfn/partitions.json
 */
const defaultRegions: Readonly<Record<Partition, string>> = {
  aws: 'us-east-1',
  'aws-cn': 'cn-northwest-1',
  'aws-us-gov': 'us-gov-west-1',
  'aws-iso': 'us-iso-east-1',
  'aws-iso-b': 'us-isob-east-1',
  'aws-iso-e': 'eu-isoe-west-1',
  'aws-iso-f': 'us-isof-south-1',
  'aws-eusc': 'eusc-de-east-1',
};

/** The region whose STS a role is asked for at: that which its pods get, else the partition's own. */
export function stsRegionFor(
  partition: Partition,
  { ofNamespace, ofFlag }: { readonly ofNamespace: string | undefined; readonly ofFlag: string | undefined },
): string {
  return chooseRegion(ofNamespace, ofFlag, partition).region ?? defaultRegions[partition];
}
