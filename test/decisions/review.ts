import { type AdmissionRequest, readReview } from '../../src/admission/review.ts';
import { parseReview } from '../../src/admission/review-bytes.ts';

/** What a test says of a review; everything else is filled in as kube-apiserver does. */
export interface ReviewOptions {
  readonly object: unknown;
  readonly oldObject?: unknown;
  readonly operation?: string;
  readonly subResource?: string;
  /** `GROUP/VERSION/RESOURCE`, such as `apps/v1/deployments` or `/v1/pods`. */
  readonly resource?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly username?: string;
  readonly groups?: readonly string[];
  readonly dryRun?: boolean;
  readonly uid?: string;
}

type JsonObject = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

let reviews = 0;

/**
 * The body of an AdmissionReview as kube-apiserver 1.36 sends it, in its order.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request
 */
export function reviewBody(options: ReviewOptions): JsonObject {
  const { object, oldObject, operation = 'CREATE', subResource, resource = '/v1/pods' } = options;
  const [group = '', version = '', plural = ''] = resource.split('/');
  const subject = fieldsOf(object ?? oldObject);
  const metadata = fieldsOf(subject['metadata']);
  const gvk = { group, version, kind: options.kind ?? (textOf(subject['kind']) || 'Pod') };
  const gvr = { group, version, resource: plural };
  const name = options.name ?? textOf(metadata['name']);
  const namespace = options.namespace ?? (plural === 'namespaces' ? name : textOf(metadata['namespace']));
  const dryRun = options.dryRun ?? false;
  reviews += 1;
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: options.uid ?? `705ab4f5-6393-11e8-b7cc-${String(reviews).padStart(12, '0')}`,
      kind: gvk,
      resource: gvr,
      ...(subResource === undefined ? {} : { subResource }),
      requestKind: gvk,
      requestResource: gvr,
      ...(subResource === undefined ? {} : { requestSubResource: subResource }),
      ...(name === '' ? {} : { name }),
      ...(namespace === '' ? {} : { namespace }),
      operation,
      userInfo: {
        username: options.username ?? 'jane@example.com',
        uid: '014fbff9a07c',
        groups: options.groups ?? ['developers', 'system:authenticated'],
        extra: { 'authentication.kubernetes.io/credential-id': ['X509SHA256=0f1e'] },
      },
      object: object ?? null,
      oldObject: oldObject ?? null,
      dryRun,
      options:
        operation === 'CREATE'
          ? { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-client-side-apply' }
          : { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl-edit' },
    },
  };
}

/** The same, read: for tests that call the core without a server. */
export function readRequest(options: ReviewOptions): AdmissionRequest {
  return readReview(JSON.parse(JSON.stringify(reviewBody(options))));
}

/** The same by way of its bytes, as the server reads it. */
export async function readRequestBytes(options: ReviewOptions): Promise<AdmissionRequest> {
  const parsed = await parseReview(Buffer.from(JSON.stringify(reviewBody(options))));
  return readReview(parsed.body, parsed);
}
