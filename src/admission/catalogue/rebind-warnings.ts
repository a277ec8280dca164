import { allowRebindAnnotation, defaultRegionAnnotation, regionAnnotation } from '../../objects/keys.ts';
import { mostNames, quote, quoteNames } from '../../objects/quote.ts';
import type { StoredResource } from '../cluster.ts';
import { nameOwners, nameResources, type StrandedResource } from './rebind-denial.ts';

/** What a change of a namespace does to its ACK resources, where that is no reason to deny it. */
export type RebindWarning =
  /** Without `stranded` where nobody could tell which. */
  | { readonly reason: 'ResourcesLeftBehind'; readonly stranded: readonly StrandedResource[] | undefined }
  | {
      readonly reason: 'ResourcesInOtherRegion';
      /** Undefined where nobody could tell which. */
      readonly resources: readonly Pick<StoredResource, 'kind' | 'name' | 'recorded'>[] | undefined;
      /** The namespace's new default; undefined where it has none any more. */
      readonly region: string | undefined;
    };

/** The regions that ACK has recorded for resources. */
function regionsOf(resources: readonly Pick<StoredResource, 'recorded'>[]): string {
  return quoteNames([...new Set(resources.slice(0, mostNames).map(({ recorded }) => recorded?.region ?? ''))]);
}

function newDefault(region: string | undefined): string {
  return region === undefined ? `without ${defaultRegionAnnotation}` : `with default-region ${quote(region)}`;
}

export const rebindWarnings = {
  ResourcesLeftBehind: {
    cause: `A change of a namespace leaves ACK resources behind, as its annotation \`${allowRebindAnnotation}\` allows: ACK stops reconciling them and cannot delete them. What they stand for stays in AWS, in the account of their status.`,
    remedy: `Remove the annotation afterwards. To have the resources deleted or edited again, undo the change.`,
    say: ({ stranded }: Extract<RebindWarning, { reason: 'ResourcesLeftBehind' }>) =>
      stranded === undefined
        ? `${allowRebindAnnotation}: could not determine in time which resources ACK can no longer change or delete`
        : `${allowRebindAnnotation}: ACK can no longer change or delete ${nameResources(stranded.map(({ resource }) => resource))} in ${nameOwners(stranded)}`,
  },
  ResourcesInOtherRegion: {
    cause: `The \`${defaultRegionAnnotation}\` of a namespace changes while ACK resources that name no region are in another one. ACK stops reconciling them, and cannot delete them. Where the namespace has no default any more, the region of ACK's controller counts.`,
    remedy: `Annotate the resources with \`${regionAnnotation}\` and the region in their status; any other change of a resource has the webhook do so.`,
    say: ({ resources, region }: Extract<RebindWarning, { reason: 'ResourcesInOtherRegion' }>) =>
      resources === undefined
        ? `could not determine in time whether ACK loses resources ${newDefault(region)}; those in another region need ${regionAnnotation}`
        : `ACK ${region === undefined ? 'may stop' : 'stops'} reconciling ${nameResources(resources)} in ${regionsOf(resources)} ${newDefault(region)}; annotate them with ${regionAnnotation}`,
  },
};
