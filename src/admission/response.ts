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

/**
 * The AdmissionReview around a response, as JSON. Base64 needs no escaping: a patch of half a megabyte is not looked through
 * for it.
 */
export function answerText({ patch, ...response }: AdmissionResponse): string {
  const text = JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response });
  return patch === undefined ? text : `${text.slice(0, -2)},"patch":"${patch}"}}`;
}
