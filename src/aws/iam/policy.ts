/**
 * Policy documents of IAM, as far as we write them.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */

/** One value, or several. */
export type PolicyValues = string | readonly string[];

type ConditionOperator = 'StringEquals' | 'StringLike';

export type Conditions = Readonly<Partial<Record<ConditionOperator, Readonly<Record<string, PolicyValues>>>>>;

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow';
  readonly Principal?: Readonly<Partial<Record<'AWS' | 'Federated' | 'Service', PolicyValues>>>;
  readonly Action: PolicyValues;
  readonly Resource?: PolicyValues;
  readonly Condition?: Conditions;
}

/** @typeParam S what it states: a policy that was read may state what we never write. */
export interface PolicyDocument<S = Statement> {
  readonly Version: '2012-10-17';
  readonly Statement: readonly S[];
}

export function policyOf<S>(statements: readonly S[]): PolicyDocument<S> {
  return { Version: '2012-10-17', Statement: statements };
}

/** Values in a stable order, each once; a single one stands by itself, as IAM gives it back. */
export function policyValues(values: Iterable<string>): PolicyValues {
  const [first = '', ...others] = [...new Set(values)].sort();
  return others.length === 0 ? first : [first, ...others];
}

/**
 * The length of a policy as IAM counts it: without white space.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
 */
export function policyLength(policy: PolicyDocument<unknown>): number {
  return JSON.stringify(policy).replaceAll(/\s/g, '').length;
}
