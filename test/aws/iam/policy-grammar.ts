/**
 * Whether a document has the form that IAM takes: its grammar, and what each kind of policy must and must not have.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */

export type PolicyKind = 'trust' | 'permission' | 'resource';

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A string, or a list of strings that is not empty and has none twice. */
function valuesOf(value: unknown): readonly string[] | undefined {
  const list = [value].flat();
  const isValid = list.length > 0 && list.every(item => typeof item === 'string' && item !== '');
  return isValid && new Set(list).size === list.length ? (list as string[]) : undefined;
}

const elements = new Set(['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition']);
const roleOrRoot = /^arn:aws[a-z-]*:iam::[0-9]{12}:(?:role\/[\w+=,.@/-]+|root)$/;
const principalForms: Readonly<Record<string, RegExp>> = {
  AWS: roleOrRoot,
  Federated: /^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider\/[a-z0-9.-]+(?::[0-9]+)?(?:\/[\w./-]+)?$/,
  Service: /^[a-z]+\.[a-z]+\.amazonaws\.com$/,
};
const actionForm = /^[a-z0-9-]+:(?:[A-Za-z]+|\*)$/;
const operators = new Set(['StringEquals', 'StringLike']);
const conditionKeyForm =
  /^(?:aws:[A-Za-z]+(?:\/[\w-]+)?|sts:ExternalId|[a-z0-9.-]+(?::[0-9]+)?(?:\/[\w./-]+)?:(?:aud|sub))$/;

function checkPrincipal(principal: unknown, wrong: (what: string) => void): void {
  const members = isFields(principal) ? Object.entries(principal) : [];
  if (members.length === 0) wrong('Principal is no object with members');
  for (const [type, value] of members) {
    const form = principalForms[type];
    if (form === undefined || !valuesOf(value)?.every(id => form.test(id))) wrong(`Principal ${type}`);
  }
}

function checkCondition(condition: unknown, wrong: (what: string) => void): void {
  const members = isFields(condition) ? Object.entries(condition) : [];
  if (members.length === 0) wrong('Condition');
  for (const [operator, keys] of members) {
    if (!operators.has(operator) || !isFields(keys) || Object.keys(keys).length === 0) wrong(`operator ${operator}`);
    for (const [key, value] of Object.entries(isFields(keys) ? keys : {})) {
      const values = valuesOf(value);
      if (!conditionKeyForm.test(key) || values === undefined) wrong(`condition ${key}`);
      // `?` and `${` are in none of ours, `*` only where StringLike takes it, once and last.
      const form = operator === 'StringLike' ? /^[^*?$]+:\*$/ : /^[^*?$]+$/;
      if (!values?.every(each => form.test(each))) wrong(`a value of ${key}`);
    }
  }
}

/** What is wrong with a policy, a line each; none for one that IAM takes. */
export function grammarErrors(policy: unknown, kind: PolicyKind): readonly string[] {
  const errors: string[] = [];
  const wrong = (what: string): void => void errors.push(what);
  if (!isFields(policy)) return ['no object'];
  if (Object.keys(policy).some(key => key !== 'Version' && key !== 'Statement')) wrong('an unknown member');
  if (policy['Version'] !== '2012-10-17') wrong('Version');
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
  if (!/^[\t\n\r\u0020-\u00ff]*$/.test(JSON.stringify(policy))) wrong('a character that no policy may have');
  const statements = policy['Statement'];
  if (!Array.isArray(statements) || statements.length === 0) return [...errors, 'Statement'];
  for (const statement of statements) {
    if (!isFields(statement)) return [...errors, 'a statement is no object'];
    for (const key of Object.keys(statement)) if (!elements.has(key)) wrong(`element ${key}`);
    if (statement['Effect'] !== 'Allow') wrong('Effect');
    if (!valuesOf(statement['Action'])?.every(action => actionForm.test(action))) wrong('Action');
    if ('Sid' in statement && !/^[A-Za-z0-9]+$/.test(String(statement['Sid']))) wrong('Sid');
    if ('Condition' in statement) checkCondition(statement['Condition'], wrong);
    if (kind === 'permission') {
      if ('Principal' in statement) wrong('Principal in a permission policy');
      if (!valuesOf(statement['Resource'])?.every(each => each === '*' || /^arn:aws[a-z-]*:/.test(each)))
        wrong('Resource');
      continue;
    }
    checkPrincipal(statement['Principal'], wrong);
    if (kind === 'trust' && 'Resource' in statement) wrong('Resource in a trust policy');
  }
  return errors;
}
