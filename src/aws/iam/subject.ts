import { requireForm } from './plain-value.ts';

/** Whom a role trusts: one ServiceAccount, or every one of a namespace. */
export interface Subject {
  readonly namespace: string;
  /** Undefined for every ServiceAccount of the namespace. */
  readonly serviceAccount: string | undefined;
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names */
const namespaceForm = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names */
const serviceAccountForm = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

/**
 * Holds the names to what the API server takes. A folder of manifests may have others: one with a colon would be another
 * namespace's subject. @throws {UnsafeNameError}
 */
export function requireSubject(subject: Subject): Subject {
  const { namespace, serviceAccount } = subject;
  requireForm('namespace', namespace, namespaceForm, 'lower-case letters, digits and -, at most 63');
  if (serviceAccount !== undefined) {
    requireForm(
      `ServiceAccount of namespace "${namespace}"`,
      serviceAccount,
      serviceAccountForm,
      'lower-case letters, digits, - and ., at most 253',
    );
  }
  return subject;
}

/**
 * The `sub` of a token; with a wildcard for the name alone, which the colon before it keeps within the namespace.
 * https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
 */
export function tokenSubject({ namespace, serviceAccount = '*' }: Subject): string {
  return `system:serviceaccount:${namespace}:${serviceAccount}`;
}

/** Subjects without those that a wildcard of the same list has already. */
export function withoutCovered(subjects: readonly Subject[]): readonly Subject[] {
  const whole = new Set(subjects.flatMap(each => (each.serviceAccount === undefined ? [each.namespace] : [])));
  return subjects.filter(({ namespace, serviceAccount }) => serviceAccount === undefined || !whole.has(namespace));
}
