/** What is asked for of an object or a list. */

const metadataOf = (kind: string): string => `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#metadata-only-fetches */
export const accept = {
  whole: { object: 'application/json', list: 'application/json' },
  metadata: { object: metadataOf('PartialObjectMetadata'), list: metadataOf('PartialObjectMetadataList') },
} as const;
