import type { JsonObject } from '../../objects/json.ts';
import { pointerSegment } from '../../objects/json.ts';
import { sameJson } from '../../objects/same-json.ts';
import type { ResourceChange } from './resource-review.ts';

/** Where a resource is: named first, for it decides the account in which ACK works. */
const metadataFields = [
  ['ownerAccountID', 'ownerAccountId'],
  ['region', 'region'],
  ['arn', 'arn'],
] as const;

function fieldOf(status: JsonObject, field: string): unknown {
  return Object.hasOwn(status, field) ? (status[field] ?? undefined) : undefined;
}

/**
 * A field that ACK takes for its own note of what and where a resource is, and that a request for its status changes. That may be
 * any but the conditions: what a call of AWS needs and the spec does not have, ACK takes from the field of that name in the status,
 * such as `associationID` to update and delete a PodIdentityAssociation.
 * https://github.com/aws-controllers-k8s/code-generator/blob/main/pkg/generate/code/set_sdk.go (SetSDK)
 * @returns a JSON Pointer; undefined where there is none.
 */
export function forgedStatusField({ resource, old }: ResourceChange): string | undefined {
  for (const [field, key] of metadataFields) {
    if (resource.ack[key] !== old?.ack[key]) return `/status/ackResourceMetadata/${field}`;
  }
  const [before, after] = [old?.status ?? {}, resource.status ?? {}];
  for (const status of [after, before]) {
    for (const field of Object.keys(status)) {
      if (field === 'conditions') continue;
      if (!sameJson(fieldOf(before, field), fieldOf(after, field))) return `/status/${pointerSegment(field)}`;
    }
  }
  return undefined;
}
