/**
 * AWS partitions and the form of their regions.
 * https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html and the `regionRegex` of each
 * partition in https://github.com/aws/aws-sdk-go-v2/blob/main/internal/endpoints/awsrulesfn/partitions.json
 */
const regionForms = {
  'aws-cn': /^cn-[a-z]+-[0-9]{1,2}$/,
  'aws-us-gov': /^us-gov-[a-z]+-[0-9]{1,2}$/,
  'aws-iso': /^us-iso-[a-z]+-[0-9]{1,2}$/,
  'aws-iso-b': /^us-isob-[a-z]+-[0-9]{1,2}$/,
  'aws-iso-e': /^eu-isoe-[a-z]+-[0-9]{1,2}$/,
  'aws-iso-f': /^us-isof-[a-z]+-[0-9]{1,2}$/,
  'aws-eusc': /^eusc-[a-z]{2}-[a-z]+-[0-9]{1,2}$/,
  // Last: AWS adds country prefixes to this partition only, so it takes every one that no other partition has.
  aws: /^[a-z]{2}-[a-z]+-[0-9]{1,2}$/,
} as const;

export type Partition = keyof typeof regionForms;

export const partitions = Object.keys(regionForms) as readonly Partition[];

export function isPartition(text: string): text is Partition {
  return Object.hasOwn(regionForms, text);
}

/** The partition of a region such as `eu-central-1`; undefined for what has not the form of a region. */
export function partitionOfRegion(region: string): Partition | undefined {
  return partitions.find(partition => regionForms[partition].test(region));
}
