/**
 * What goes back to kube-apiserver, admission.k8s.io/v1.
 * https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response
 */

/** `response` of an AdmissionReview, ready for JSON. */
export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
  readonly patchType?: 'JSONPatch';
  /** A JSON Patch (RFC 6902), base64. */
  readonly patch?: string;
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

/** `{kind, apiVersion, response}` around a response. */
export interface AdmissionReviewAnswer {
  readonly kind: 'AdmissionReview';
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly response: AdmissionResponse;
}

/** Wraps a response as the API server expects it. */
export function answerReview(response: AdmissionResponse): AdmissionReviewAnswer {
  return { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response };
}
