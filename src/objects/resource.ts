import { type JsonObject, optionalObject, optionalString, requiredObject } from './json.ts';
import { isTerminating, readFinalizers, readWrittenMetadata, type WrittenMetadata } from './metadata.ts';

/** What ACK wrote down about a resource once it took it up: where it is. */
export interface ResourceMetadata {
  readonly ownerAccountId: string | undefined;
  readonly region: string | undefined;
  readonly arn: string | undefined;
}

export interface Resource extends WrittenMetadata {
  readonly name: string;
  readonly generateName: string;
  readonly finalizers: readonly string[];
  readonly terminating: boolean;
  readonly spec: unknown;
  /** From `status`; nothing in what a user writes. */
  readonly ack: ResourceMetadata;
  /** Whole; as `ack`. */
  readonly status: JsonObject | undefined;
}

/** https://github.com/aws-controllers-k8s/runtime/blob/main/apis/core/v1alpha1/resource_metadata.go */
function readStatus(object: JsonObject): Pick<Resource, 'ack' | 'status'> {
  const status = optionalObject(object, 'status', '');
  const fields = optionalObject(status ?? {}, 'ackResourceMetadata', '/status') ?? {};
  const text = (key: string) => optionalString(fields, key, '/status/ackResourceMetadata') || undefined;
  return { ack: { ownerAccountId: text('ownerAccountID'), region: text('region'), arn: text('arn') }, status };
}

const noAck: ResourceMetadata = { ownerAccountId: undefined, region: undefined, arn: undefined };

/**
 * Reads an ACK resource as it is stored, or as a request for its status would have it.
 * @throws {MalformedObjectError}
 */
export function readResource(object: unknown): Resource {
  return { ...readWrittenResource(object), ...readStatus(requiredObject(object, '')) };
}

/**
 * Reads an ACK resource as a user writes it: its status, which the API server drops, is not looked at.
 * @throws {MalformedObjectError}
 */
export function readWrittenResource(object: unknown): Resource {
  const fields = requiredObject(object, '');
  const metadata = optionalObject(fields, 'metadata', '') ?? {};
  return {
    name: optionalString(metadata, 'name', '/metadata') ?? '',
    generateName: optionalString(metadata, 'generateName', '/metadata') ?? '',
    ...readWrittenMetadata(fields),
    finalizers: readFinalizers(metadata),
    terminating: isTerminating(metadata),
    spec: fields['spec'],
    ack: noAck,
    status: undefined,
  };
}
