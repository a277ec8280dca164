import { type Partition, partitionOfRegion } from '../accounts/partition.ts';

export interface RegionWarning {
  readonly reason: 'InvalidRegion';
  readonly value: string;
  readonly from: 'namespace' | 'flag';
  readonly partition: Partition;
}

export interface RegionChoice {
  readonly region: string | undefined;
  readonly warning: RegionWarning | undefined;
}

/**
 * The region for a pod: the namespace's, else the flag's. One without the form of a region, or of another partition
 * than the role's, is not injected: the role cannot be assumed there.
 */
export function chooseRegion(
  ofNamespace: string | undefined,
  ofFlag: string | undefined,
  partition: Partition,
): RegionChoice {
  const value = ofNamespace || ofFlag;
  if (!value) return { region: undefined, warning: undefined };
  if (partitionOfRegion(value) === partition) return { region: value, warning: undefined };
  const from = ofNamespace ? 'namespace' : 'flag';
  return { region: undefined, warning: { reason: 'InvalidRegion', value, from, partition } };
}
