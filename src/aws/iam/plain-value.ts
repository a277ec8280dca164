import { quote } from '../../objects/quote.ts';

/**
 * What a value of a policy may be made of: what role ARNs, names of Kubernetes, external ids and URLs need. Nothing of it ends a
 * string of JSON, of a shell or of HCL; none is a wildcard (`*`, `?`), or begins a policy variable or an HCL template (`${`, `%{`).
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 */
const form = /^[\w+=,.@:/-]+$/;

const longest = 2048;

/** An error to be thrown when a name must not come into a policy; the message names it. */
export class UnsafeNameError extends Error {
  override readonly name = 'UnsafeNameError';
  readonly code = 'UnsafeName';
}

/** @param what how the message calls it. @throws {UnsafeNameError} */
export function requireForm(what: string, value: string, allowed: RegExp, inWords: string): string {
  if (!allowed.test(value)) {
    throw new UnsafeNameError(`${what} ${quote(value)} cannot be written into a policy: it may have ${inWords}`);
  }
  return value;
}

/** @throws {UnsafeNameError} */
export function requirePlain(what: string, value: string): string {
  if (value.length > longest) throw new UnsafeNameError(`${what} ${quote(value)} is longer than ${longest} characters`);
  return requireForm(what, value, form, 'letters, digits and _+=,.@:/-');
}
