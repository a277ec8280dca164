/** What an expression of PromQL asks for: as much of its grammar as our alerts and our dashboard use. https://prometheus.io/docs/prometheus/latest/querying/basics/ */

export interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

export interface Query {
  readonly selectors: readonly Selector[];
  /** Labels that results are grouped or joined by. */
  readonly labels: readonly string[];
}

const tokenPattern =
  /\s+|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\d+(?:\.\d+)?(?:[smhdwy]\b)?|[a-zA-Z_:][\w:]*|=~|!~|!=|>=|<=|==|[-+*/<>=(){},]/y;
const groupings: ReadonlySet<string> = new Set(['by', 'on']);
const operators: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'offset']);
const functions: ReadonlySet<string> = new Set([
  ...['absent', 'count', 'histogram_quantile', 'increase', 'max', 'max_over_time', 'min', 'rate', 'sum', 'time'],
]);

/** @throws {SyntaxError} also for what our expressions have no need of yet */
function tokensOf(expression: string): readonly string[] {
  const tokens: string[] = [];
  const pattern = new RegExp(tokenPattern);
  while (pattern.lastIndex < expression.length) {
    const at = pattern.lastIndex;
    const [token] = pattern.exec(expression) ?? [];
    if (token === undefined) throw new SyntaxError(`unknown at ${JSON.stringify(expression.slice(at, at + 20))}`);
    if (token.trim() !== '') tokens.push(token);
  }
  return tokens;
}

function isOperator(text: string | undefined): text is Matcher['operator'] {
  return text === '=' || text === '!=' || text === '=~' || text === '!~';
}

function readMatchers(inBraces: readonly string[]): readonly Matcher[] {
  const matchers: Matcher[] = [];
  for (let at = 0; at < inBraces.length; at += 4) {
    const [label = '', operator, value = '', comma] = inBraces.slice(at, at + 4);
    if (!isOperator(operator) || (comma ?? ',') !== ',') throw new SyntaxError(`not matchers: ${inBraces.join('')}`);
    matchers.push({ label, operator, value: JSON.parse(value) as string });
  }
  return matchers;
}

/** @throws {SyntaxError} */
export function readQuery(expression: string): Query {
  const tokens = tokensOf(expression);
  const selectors: Selector[] = [];
  const labels: string[] = [];
  const until = (close: string, from: number): readonly string[] => tokens.slice(from, tokens.indexOf(close, from));
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    if (!/^[a-zA-Z_]/.test(token) || operators.has(token)) continue;
    const next = tokens[at + 1];
    if (groupings.has(token)) {
      const grouped = until(')', at + 2);
      labels.push(...grouped.filter(each => each !== ','));
      at += grouped.length + 2;
    } else if (functions.has(token)) {
      // An aggregation may be followed by its grouping.
      if (next !== '(' && next !== 'by') throw new SyntaxError(`${token} without arguments`);
    } else {
      const inBraces = next === '{' ? until('}', at + 2) : [];
      selectors.push({ metric: token, matchers: readMatchers(inBraces) });
      if (next === '{') at += inBraces.length + 2;
    }
  }
  return { selectors, labels };
}

/** A selector as PromQL. */
export function selectorText({ metric, matchers }: Selector): string {
  const inBraces = matchers.map(({ label, operator, value }) => `${label}${operator}${JSON.stringify(value)}`);
  return `${metric}{${inBraces.join()}}`;
}

/** Whether a series with this value of the label is among those that the matcher asks for. */
export function matches({ operator, value }: Matcher, actual: string): boolean {
  const isRegExp = operator.endsWith('~');
  const isEqual = isRegExp ? new RegExp(`^(?:${value})$`).test(actual) : value === actual;
  return operator.startsWith('!') ? !isEqual : isEqual;
}
