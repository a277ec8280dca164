import { adoptionFieldsAnnotation, adoptionPolicyAnnotation, deletionPolicyAnnotation } from '../../objects/keys.ts';

/**
 * Whether a finalizer is one of ACK's controllers: `finalizers.s3.services.k8s.aws/Bucket`,
 * `finalizers.services.k8s.aws/FieldExport`.
 */
export function isControllersFinalizer(finalizer: string): boolean {
  return finalizer.startsWith('finalizers.') && /^finalizers\.(?:[a-z0-9-]+\.)?services\.k8s\.aws\//.test(finalizer);
}

/** What identifies a resource in AWS takes some hundred characters. Parsing costs more than all else that reads annotations. */
const longestAdoptionFields = 16_384;

function isObjectOfStrings(text: string): boolean {
  if (text.length > longestAdoptionFields) return false;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return Object.values(value).every(item => typeof item === 'string');
  } catch {
    return false;
  }
}

/** What each annotation may hold. ACK takes any other `deletion-policy` for `retain`, and stops at the others. */
export const annotationForms: readonly {
  readonly key: string;
  readonly allows: (value: string) => boolean;
  readonly allowed: string;
}[] = [
  {
    key: adoptionPolicyAnnotation,
    allows: value => value === 'adopt' || value === 'adopt-or-create',
    allowed: 'adopt or adopt-or-create',
  },
  {
    key: adoptionFieldsAnnotation,
    allows: isObjectOfStrings,
    allowed: `a JSON object of strings of at most ${longestAdoptionFields.toLocaleString('en')} characters`,
  },
  {
    key: deletionPolicyAnnotation,
    allows: value => value === 'delete' || value === 'retain',
    allowed: 'delete or retain',
  },
];
