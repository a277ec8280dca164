import { ackCommonGroup } from '../../../accounts/ack-service.ts';
import type { Config } from '../../../admission/config.ts';
import type { EntryRule, Requirement, WebhookEntry } from './webhook-entry.ts';

/** The namespaces that the shipped manifests name. */
const shippedOwnNamespace = 'carm-webhook';
const shippedAckNamespace = 'ack-system';
/** No namespace has this name. */
const ownMark = '<own>';
const namespaceName = 'kubernetes.io/metadata.name';

/** Conditions that name ACK's controllers, as each installation has them. */
const ofIdentities: ReadonlySet<string> = new Set(['not-ack']);

function isSubset(some: readonly string[], all: readonly string[]): boolean {
  const set = new Set(all);
  return some.every(each => set.has(each));
}

/** Rules of the same calls as one, so that it does not count in how many of them they are written. */
function merged(rules: readonly EntryRule[]): ReadonlyMap<string, ReadonlySet<string>> {
  const calls = new Map<string, Set<string>>();
  for (const { apiGroups, apiVersions, resources, operations, scope } of rules) {
    for (const resource of resources) {
      const key = [resource, [...operations].sort().join(' '), [...apiVersions].sort().join(' '), scope].join(' of ');
      const groups = calls.get(key) ?? new Set();
      calls.set(key, groups);
      for (const group of apiGroups) groups.add(group);
    }
  }
  return calls;
}

function isAckGroup(group: string): boolean {
  return group === ackCommonGroup || group.endsWith(`.${ackCommonGroup}`);
}

/** More of ACK's groups than are shipped, or all groups, are a choice of whoever installs. */
function differInRules(shipped: readonly EntryRule[], actual: readonly EntryRule[]): boolean {
  const [due, there] = [merged(shipped), merged(actual)];
  if (due.size !== there.size) return true;
  for (const [key, groups] of due) {
    const found = there.get(key);
    if (found === undefined) return true;
    const others = [...found].filter(group => !groups.has(group));
    if (others.includes('*')) continue;
    if (!isSubset([...groups], [...found])) return true;
    if (others.some(group => !isAckGroup(group))) return true;
  }
  return false;
}

/** More requirements, and more names that are left out, are a choice of whoever installs. */
function lacksRequirement(due: Requirement, actual: readonly Requirement[], config: Config): boolean {
  const values = due.values.map(value => (value === shippedOwnNamespace ? config.ownNamespace : value));
  return !actual.some(
    ({ key, operator, values: found }) =>
      key === due.key &&
      operator === due.operator &&
      (operator === 'NotIn' ? isSubset(values, found) : isSubset(values, found) && found.length === values.length),
  );
}

/** Whether an entry sees the maps of an ACK system namespace. */
function selectsByName(selector: readonly Requirement[], name: string): boolean {
  return selector
    .filter(({ key }) => key === namespaceName)
    .every(({ operator, values }) => values.includes(name) === (operator === 'In'));
}

function differInSelector(shipped: WebhookEntry, actual: WebhookEntry, config: Config): boolean {
  const isOfAck = shipped.namespaceSelector.some(({ values }) => values.includes(shippedAckNamespace));
  if (isOfAck) return config.ackSystems.some(({ namespace }) => !selectsByName(actual.namespaceSelector, namespace));
  return shipped.namespaceSelector.some(due => lacksRequirement(due, actual.namespaceSelector, config));
}

interface Expression {
  /** Without white space, and with a mark for each list of names. */
  readonly form: string;
  readonly lists: readonly (readonly string[])[];
}

/** An expression of CEL without what is only layout. Lists of names after `in` may be longer than shipped. */
function readExpression(text: string, own: string): Expression {
  const lists: string[][] = [];
  const form = text
    .replaceAll(/\bin\s+\[([^[\]]*)\]/g, (_, list: string) => {
      const names = [...list.matchAll(/'([^']*)'/g)].map(([, name = '']) => (name === own ? ownMark : name));
      lists.push(names);
      return 'in[]';
    })
    .replaceAll(/\s+/g, '');
  return { form, lists };
}

/** What is only asked with the gate IAMRoleSelector, as the chart turns it on. To ask it without the gate only costs calls. */
function withSelectors(form: string): string {
  return form.replaceAll('(false&&', '(true&&');
}

function differInExpression(shipped: string, actual: string, { ownNamespace, featureGates }: Config): boolean {
  const [due, found] = [readExpression(shipped, shippedOwnNamespace), readExpression(actual, ownNamespace)];
  const asks = found.form === withSelectors(due.form);
  const isDue = asks || (found.form === due.form && !featureGates.IAMRoleSelector);
  return !isDue || due.lists.some((names, index) => !isSubset(names, found.lists[index] ?? []));
}

/** What of an entry differs from the shipped one, by field. What whoever installs may choose is no difference. */
export function entryDifferences(shipped: WebhookEntry, actual: WebhookEntry, config: Config): readonly string[] {
  const conditions = [...shipped.matchConditions].flatMap(([name, expression]) => {
    const found = actual.matchConditions.get(name);
    if (found === undefined) return [`matchConditions ${name} (missing)`];
    const differs = !ofIdentities.has(name) && differInExpression(expression, found, config);
    return differs ? [`matchConditions ${name}`] : [];
  });
  const settings = [...shipped.settings].flatMap(([key, due]) => {
    const found = actual.settings.get(key) ?? '';
    return found === due ? [] : [`${key} (${found} instead of ${due})`];
  });
  return [
    ...(differInRules(shipped.rules, actual.rules) ? ['rules'] : []),
    ...(differInSelector(shipped, actual, config) ? ['namespaceSelector'] : []),
    ...conditions,
    ...settings,
  ];
}
