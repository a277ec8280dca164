import { ackCommonGroup } from '../../accounts/ack-service.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import { checkSize } from '../../objects/object-size.ts';
import { sameJson } from '../../objects/same-json.ts';
import type { ResourceChange, ResourceReview } from './resource-review.ts';

/** Where an AdoptedResource says what metadata its target gets, as users write it. */
export const targetMetadataPath = 'spec.kubernetes.metadata';

function objectIn(parent: unknown, key: string): JsonObject {
  const value = isJsonObject(parent) ? parent[key] : undefined;
  return isJsonObject(value) ? value : {};
}

/** A Map, for a key may be `__proto__`. What is no string ACK could not read. @throws {ObjectTooLargeError} */
function targetAnnotations(spec: unknown): ReadonlyMap<string, string> {
  const written = objectIn(objectIn(objectIn(spec, 'kubernetes'), 'metadata'), 'annotations');
  const annotations = new Map<string, string>();
  let units = 0;
  for (const key in written) {
    const value = written[key];
    if (typeof value !== 'string') continue;
    annotations.set(key, value);
    // No fewer bytes than that, which are what the API server counts.
    units += key.length + value.length;
    checkSize('bytes of annotations', units);
  }
  return annotations;
}

/** What an AdoptedResource adopts, and as which object. */
function targetOf(spec: unknown): unknown {
  const { group, kind, metadata } = objectIn(spec, 'kubernetes');
  const { name, namespace, generateName } = isJsonObject(metadata) ? metadata : {};
  return { aws: objectIn(spec, 'aws'), group, kind, name, namespace, generateName };
}

/**
 * The resource that ACK creates for an AdoptedResource: with the annotations that stand in the spec, copied as they are
 * by a controller that we never stand in the way of. So they are judged here, like those of a resource that its user
 * writes. ACK copies labels and owner references too, which decide on nothing of ours, and no finalizers.
 * https://github.com/aws-controllers-k8s/runtime/blob/v0.52.0/pkg/runtime/adoption_reconciler.go (Sync)
 * @returns undefined for every other kind.
 */
export function adoptedTarget({ request, resource, old }: ResourceReview): ResourceChange | undefined {
  if (request.kind !== 'AdoptedResource' || request.resource.group !== ackCommonGroup) return undefined;
  const written = { annotations: targetAnnotations(resource.spec), finalizers: [] };
  // Of another target nothing was there before.
  const isSame = old !== undefined && sameJson(targetOf(resource.spec), targetOf(old.spec));
  return {
    resource: { ...resource, ...written },
    old: isSame ? { ...old, annotations: targetAnnotations(old.spec), finalizers: [] } : undefined,
  };
}
