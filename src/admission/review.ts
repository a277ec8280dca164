/**
 * The AdmissionReview that kube-apiserver sends, admission.k8s.io/v1.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request
 */

import { isJsonObject, type JsonObject } from '../objects/json.ts';
import type { Excess } from '../objects/object-size.ts';
import type { ParsedReview } from './review-bytes.ts';

/** An API group, version and resource, as `request.resource` names them. */
export interface GroupVersionResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** Who asks, as far as decisions read `request.userInfo`. */
export interface UserInfo {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  /** As it came: whoever reads it checks its shape. */
  readonly extra: unknown;
}

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** The parts of `request` that a decision reads. Objects stay as they came: whoever reads one checks its shape. */
export interface AdmissionRequest {
  readonly uid: string;
  readonly resource: GroupVersionResource;
  readonly subResource: string | undefined;
  readonly kind: string;
  /** Empty for an object that the API server is still to name (`generateName`). */
  readonly name: string;
  /** Empty for an object outside of any namespace; a Namespace's own review carries its name. */
  readonly namespace: string;
  readonly operation: Operation;
  readonly userInfo: UserInfo;
  readonly object: unknown;
  readonly oldObject: unknown;
  readonly dryRun: boolean;
  /** What the object, or the old one, holds too much of to be parsed: then both are left out. */
  readonly excess?: Excess;
  /** Whether the object that is stored is being deleted, where it was left out. */
  readonly terminating?: boolean;
}

/** What is wrong with a body that is no admission.k8s.io/v1 AdmissionReview with a uid; answered by HTTP 400. */
export class ReviewError extends Error {
  override readonly name = 'ReviewError';
  readonly code = 'InvalidReview';
}

const operations: ReadonlySet<string> = new Set<Operation>(['CREATE', 'UPDATE', 'DELETE', 'CONNECT']);

function isOperation(value: unknown): value is Operation {
  return typeof value === 'string' && operations.has(value);
}

/** A string field; absent and of another type alike are empty: an empty field is what the decision then denies or ignores. */
function text(fields: JsonObject, field: string): string {
  const value = fields[field];
  return typeof value === 'string' ? value : '';
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : [];
}

function readUserInfo(value: unknown): UserInfo {
  const fields = isJsonObject(value) ? value : {};
  return {
    username: text(fields, 'username'),
    uid: text(fields, 'uid'),
    groups: strings(fields['groups']),
    extra: fields['extra'],
  };
}

/**
 * Reads a parsed body.
 * @throws {ReviewError} for anything that cannot be answered by its uid. A review with a uid is read whatever else
 * it holds: its faults are the decision's to name.
 */
export function readReview(
  body: unknown,
  { excess, terminating }: Partial<Pick<ParsedReview, 'excess' | 'terminating'>> = {},
): AdmissionRequest {
  if (!isJsonObject(body)) throw new ReviewError('the body is not an AdmissionReview object');
  if (body['kind'] !== 'AdmissionReview' || body['apiVersion'] !== 'admission.k8s.io/v1') {
    throw new ReviewError('the body is not an AdmissionReview of apiVersion admission.k8s.io/v1');
  }
  const request = body['request'];
  if (!isJsonObject(request)) throw new ReviewError('the AdmissionReview has no request');
  const uid = request['uid'];
  if (typeof uid !== 'string' || uid === '') throw new ReviewError('the request of the AdmissionReview has no uid');
  const resource = isJsonObject(request['resource']) ? request['resource'] : {};
  const kind = isJsonObject(request['kind']) ? request['kind'] : {};
  const operation = request['operation'];
  return {
    uid,
    resource: {
      group: text(resource, 'group'),
      version: text(resource, 'version'),
      resource: text(resource, 'resource'),
    },
    subResource: text(request, 'subResource') || undefined,
    kind: text(kind, 'kind'),
    name: text(request, 'name'),
    namespace: text(request, 'namespace'),
    // An operation that Kubernetes does not have yet is none that we judge.
    operation: isOperation(operation) ? operation : 'CONNECT',
    userInfo: readUserInfo(request['userInfo']),
    object: request['object'] ?? undefined,
    oldObject: request['oldObject'] ?? undefined,
    dryRun: request['dryRun'] === true,
    ...(excess !== undefined && { excess, terminating: terminating ?? false }),
  };
}
