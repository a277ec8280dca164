/** Webhook configurations, read as far as they are compared. The API server has filled in every default. */

import { isJsonObject, type JsonObject } from '../../../objects/json.ts';
import type { ConfigurationKind } from '../../sources/installation-source.ts';

export interface EntryRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly string[];
  readonly scope: string;
}

/** `key` has one of the values, or none of them. */
export interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values: readonly string[];
}

export interface WebhookEntry {
  readonly name: string;
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number } | undefined;
  readonly url: string | undefined;
  /** PEM; empty without one. */
  readonly caPem: string;
  readonly rules: readonly EntryRule[];
  readonly namespaceSelector: readonly Requirement[];
  readonly matchConditions: ReadonlyMap<string, string>;
  /** Single values, by their names. */
  readonly settings: ReadonlyMap<string, string>;
}

export interface WebhookConfiguration {
  readonly kind: ConfigurationKind;
  readonly name: string;
  readonly entries: readonly WebhookEntry[];
}

/** What an API server sets where a manifest says nothing. https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/mutating-webhook-configuration-v1/ */
const defaults = {
  failurePolicy: 'Fail',
  matchPolicy: 'Equivalent',
  reinvocationPolicy: 'Never',
  timeoutSeconds: '10',
  sideEffects: '',
} as const;

function objectOf(parent: JsonObject, key: string): JsonObject {
  const value = parent[key];
  return isJsonObject(value) ? value : {};
}

function objectsOf(parent: JsonObject, key: string): readonly JsonObject[] {
  const value = parent[key];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function textOf(parent: JsonObject, key: string): string {
  const value = parent[key];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function textsOf(parent: JsonObject, key: string): readonly string[] {
  const value = parent[key];
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : [];
}

function requirementsOf(selector: JsonObject): readonly Requirement[] {
  const labels = Object.entries(objectOf(selector, 'matchLabels'));
  return [
    ...labels.map(([key, value]) => ({ key, operator: 'In', values: [String(value)] })),
    ...objectsOf(selector, 'matchExpressions').map(each => ({
      key: textOf(each, 'key'),
      operator: textOf(each, 'operator'),
      values: textsOf(each, 'values'),
    })),
  ];
}

function readEntry(entry: JsonObject): WebhookEntry {
  const client = objectOf(entry, 'clientConfig');
  const service = objectOf(client, 'service');
  const hasService = 'service' in client;
  return {
    name: textOf(entry, 'name'),
    service: hasService
      ? {
          namespace: textOf(service, 'namespace'),
          name: textOf(service, 'name'),
          port: Number(service['port'] ?? 443),
        }
      : undefined,
    url: textOf(client, 'url') || undefined,
    caPem: Buffer.from(textOf(client, 'caBundle'), 'base64').toString('latin1'),
    rules: objectsOf(entry, 'rules').map(rule => ({
      apiGroups: textsOf(rule, 'apiGroups'),
      apiVersions: textsOf(rule, 'apiVersions'),
      resources: textsOf(rule, 'resources'),
      operations: textsOf(rule, 'operations'),
      scope: textOf(rule, 'scope') || '*',
    })),
    namespaceSelector: requirementsOf(objectOf(entry, 'namespaceSelector')),
    matchConditions: new Map(
      objectsOf(entry, 'matchConditions').map(each => [textOf(each, 'name'), textOf(each, 'expression')]),
    ),
    settings: new Map(Object.entries(defaults).map(([key, usual]) => [key, textOf(entry, key) || usual])),
  };
}

export function readConfiguration(kind: ConfigurationKind, object: JsonObject): WebhookConfiguration {
  const name = textOf(objectOf(object, 'metadata'), 'name');
  return { kind, name, entries: objectsOf(object, 'webhooks').map(readEntry) };
}

/** Whether an entry is one of this webhook: their names are the same in every installation. */
export function isOwnEntry({ name }: WebhookEntry): boolean {
  return name.endsWith('.carm-webhook.dev');
}
