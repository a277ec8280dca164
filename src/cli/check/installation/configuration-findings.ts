import { ackCommonGroup } from '../../../accounts/ack-service.ts';
import { ackServices } from '../../../accounts/ack-services.ts';
import type { Config } from '../../../admission/config.ts';
import { isJsonObject, type JsonObject } from '../../../objects/json.ts';
import { quote, quoteNames } from '../../../objects/quote.ts';
import { version } from '../../../version.ts';
import { type ConfigurationKind, configurationKinds } from '../../sources/installation-source.ts';
import { type Finding, type FoundObject, finding } from '../finding.ts';
import { entryDifferences } from './entry-differences.ts';
import shipped from './shipped-webhooks.json' with { type: 'json' };
import { isOwnEntry, readConfiguration, type WebhookConfiguration, type WebhookEntry } from './webhook-entry.ts';

/** In the shipped entries, each group of ACK's services. */
export const everyAckGroup = `*.${ackCommonGroup}`;
const ackGroups = [ackCommonGroup, ...ackServices.map(service => `${service}.${ackCommonGroup}`)];

function withAckGroups(entry: WebhookEntry): WebhookEntry {
  const rules = entry.rules.map(rule => ({
    ...rule,
    apiGroups: rule.apiGroups.flatMap(group => (group === everyAckGroup ? ackGroups : [group])),
  }));
  return { ...entry, rules };
}

/** The entries that this version is installed with. */
export function shippedEntries(kind: ConfigurationKind): readonly WebhookEntry[] {
  const object: unknown = shipped[kind];
  return readConfiguration(kind, isJsonObject(object) ? object : {}).entries.map(withAckGroups);
}

export function configurationObject({ kind, name }: Pick<WebhookConfiguration, 'kind' | 'name'>): FoundObject {
  return { kind, namespace: '', name };
}

export interface FoundConfigurations {
  /** Those that have an entry of this webhook. */
  readonly own: readonly WebhookConfiguration[];
  readonly others: readonly WebhookConfiguration[];
}

export function sortConfigurations(
  objects: Readonly<Record<ConfigurationKind, readonly JsonObject[]>>,
): FoundConfigurations {
  const all = configurationKinds.flatMap(kind => objects[kind].map(object => readConfiguration(kind, object)));
  const isOwn = ({ entries }: WebhookConfiguration) => entries.some(isOwnEntry);
  return { own: all.filter(isOwn), others: all.filter(each => !isOwn(each)) };
}

function missingEntries(own: readonly WebhookConfiguration[]): readonly Finding[] {
  return configurationKinds.flatMap(kind => {
    const ofKind = own.filter(each => each.kind === kind);
    const there = new Set(ofKind.flatMap(({ entries }) => entries.map(({ name }) => name)));
    const missing = shippedEntries(kind).filter(({ name }) => !there.has(name));
    if (missing.length === 0) return [];
    const name = ofKind[0]?.name ?? own[0]?.name ?? '';
    const names = quoteNames(missing.map(each => each.name));
    const message = `carm-webhook ${version} has ${missing.length === 1 ? 'an entry' : 'entries'} that it lacks: ${names}`;
    return [finding('WebhookEntryMissing', configurationObject({ kind, name }), message)];
  });
}

/** Fields of one entry that are told. */
const mostFields = 5;

function differences(own: readonly WebhookConfiguration[], config: Config): readonly Finding[] {
  return own.flatMap(configuration => {
    const due = new Map(shippedEntries(configuration.kind).map(entry => [entry.name, entry]));
    return configuration.entries.flatMap(entry => {
      const shippedEntry = due.get(entry.name);
      const fields = shippedEntry === undefined ? [] : entryDifferences(shippedEntry, entry, config);
      if (fields.length === 0) return [];
      const more = fields.length > mostFields ? ` and ${fields.length - mostFields} more` : '';
      const message = `${entry.name} is not that of carm-webhook ${version}: ${fields.slice(0, mostFields).join(', ')}${more}`;
      return [finding('WebhookConfigurationDiffers', configurationObject(configuration), message)];
    });
  });
}

function touchesPods({ rules }: WebhookEntry): boolean {
  const has = (list: readonly string[], ...words: readonly string[]) => words.some(word => list.includes(word));
  return rules.some(
    ({ apiGroups, resources, operations }) =>
      has(apiGroups, '', '*') && has(resources, 'pods', '*', '*/*') && has(operations, 'CREATE', '*'),
  );
}

/**
 * Mutating configurations are called in the order of their names.
 * https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/admission/configuration/mutating_webhook_manager.go
 */
function calledAfter({ own, others }: FoundConfigurations): readonly Finding[] {
  const ours = own.filter(({ kind }) => kind === 'MutatingWebhookConfiguration').map(({ name }) => name);
  const first = ours.sort()[0];
  if (first === undefined) return [];
  return others
    .filter(
      ({ kind, name, entries }) => kind === 'MutatingWebhookConfiguration' && name > first && entries.some(touchesPods),
    )
    .map(other => {
      const message = `it changes pods after ${quote(first)}, by its name: what it sets in a container, carm-webhook does not see at first`;
      return finding('MutatingWebhookAfterOurs', configurationObject(other), message);
    });
}

/** What is wrong with the configurations of this webhook, and which others are in its way. */
export function findInConfigurations(found: FoundConfigurations, config: Config): readonly Finding[] {
  return [...missingEntries(found.own), ...differences(found.own, config), ...calledAfter(found)];
}
