/** Judges policies as IAM does, as far as ours go: what it does not know is an error and not a refusal. */

type Values = string | readonly string[];

export interface AnyStatement {
  readonly Effect: string;
  readonly Principal?: Readonly<Record<string, Values>>;
  readonly Action: Values;
  readonly Resource?: Values;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, Values>>>>;
}

export interface AnyPolicy {
  readonly Statement: readonly AnyStatement[];
}

export interface Asked {
  readonly action: string;
  /** Of a trust or resource policy: who asks. */
  readonly principal?: { readonly type: 'AWS' | 'Federated' | 'Service'; readonly id: string };
  /** Of a permission policy: what for. */
  readonly resource?: string;
  readonly context?: Readonly<Record<string, string>>;
}

const listOf = (values: Values): readonly string[] => [values].flat();

function isLike(value: string, pattern: string): boolean {
  const escaped = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('\\*', '.*').replaceAll('\\?', '.')}$`, 's').test(value);
}

const operators: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  StringEquals: (value, wanted) => value === wanted,
  StringLike: isLike,
};

function conditionHolds(condition: AnyStatement['Condition'], context: Asked['context'] = {}): boolean {
  return Object.entries(condition ?? {}).every(([name, keys]) => {
    const holds = operators[name];
    if (holds === undefined) throw new Error(`unknown operator ${name}`);
    return Object.entries(keys).every(([key, wanted]) => {
      const value = context[key];
      return value !== undefined && listOf(wanted).some(each => holds(value, each));
    });
  });
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html */
export function allows(policy: AnyPolicy | undefined, { action, principal, resource, context }: Asked): boolean {
  return (policy?.Statement ?? []).some(statement => {
    if (statement.Effect !== 'Allow') throw new Error(`unknown effect ${statement.Effect}`);
    const ids = principal === undefined ? [] : listOf(statement.Principal?.[principal.type] ?? []);
    const isMeant = principal === undefined ? statement.Principal === undefined : ids.includes(principal.id);
    const isResource = resource === undefined || listOf(statement.Resource ?? []).some(each => isLike(resource, each));
    return (
      isMeant && isResource && listOf(statement.Action).includes(action) && conditionHolds(statement.Condition, context)
    );
  });
}
