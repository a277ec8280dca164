import { nearestName } from '../../objects/edit-distance.ts';
import {
  adoptionFieldsAnnotation,
  adoptionPolicyAnnotation,
  deletionPolicyAnnotation,
  readOnlyAnnotation,
} from '../../objects/keys.ts';

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

/** An adoption policy that a comment of ACK's names and its code does not know, and words for yes and no. */
const neverPolicies: ReadonlySet<string> = new Set(['adopt-only', 'true', 'false', 'yes']);
const longestPolicy = 40;

/** Whether a later version of ACK may know a policy: a plain word, or several, and no slip of one that is known. */
function mayBePolicy(value: string, known: readonly string[]): boolean {
  if (value.length > longestPolicy || !/^[a-z]{3,}(?:-[a-z]+)*$/.test(value)) return false;
  return !neverPolicies.has(value) && nearestName(value, known) === undefined;
}

export interface AnnotationForm {
  readonly key: string;
  readonly allows: (value: string) => boolean;
  readonly allowed: string;
  /** Whether a later version of ACK may know a value that this one does not: then it is warned of, not denied. */
  readonly mayBeNewer: (value: string) => boolean;
}

function policyForm(key: string, known: readonly string[]): AnnotationForm {
  return {
    key,
    allows: value => known.includes(value),
    allowed: known.join(' or '),
    mayBeNewer: value => mayBePolicy(value, known),
  };
}

/**
 * What each annotation may hold. ACK takes any other `deletion-policy` for `retain` and any other `read-only` for false, and
 * stops at the others. https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/util.go
 */
export const annotationForms: readonly AnnotationForm[] = [
  policyForm(adoptionPolicyAnnotation, ['adopt', 'adopt-or-create']),
  {
    key: adoptionFieldsAnnotation,
    allows: isObjectOfStrings,
    allowed: `a JSON object of strings of at most ${longestAdoptionFields.toLocaleString('en')} characters`,
    mayBeNewer: () => false,
  },
  policyForm(deletionPolicyAnnotation, ['delete', 'retain']),
  {
    key: readOnlyAnnotation,
    allows: value => /^(?:true|false)$/i.test(value),
    allowed: 'true or false',
    mayBeNewer: () => false,
  },
];

/**
 * Whether nothing says what a resource with `adopt` adopts: ACK stops at it. Another annotation of adoption may say it to a
 * later version, as newer ones adopt by tags.
 */
export function namesNothingToAdopt(annotations: ReadonlyMap<string, string>): boolean {
  if (annotations.get(adoptionPolicyAnnotation) !== 'adopt') return false;
  const fields = annotations.get(adoptionFieldsAnnotation);
  // One of another form is denied as such.
  if (fields !== undefined && !/^\s*\{\s*\}\s*$/.test(fields)) return false;
  for (const key of annotations.keys()) if (isOtherAdoption(key)) return false;
  return true;
}

function isOtherAdoption(key: string): boolean {
  if (key === adoptionPolicyAnnotation || key === adoptionFieldsAnnotation) return false;
  return key.startsWith('services.k8s.aws/adoption-');
}
