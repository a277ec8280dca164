/** The Deployment of an ACK controller: the flags that change what ACK makes of bindings, as its process gets them. */

import { isJsonObject, type JsonObject } from './json.ts';

/** A value as the process gets it; undefined where it is not in the Deployment: from a ConfigMap, a Secret or the pod. */
export type ControllerValue = string | undefined;

/** Flags that nobody sets have ACK's own defaults here. */
export interface AckController {
  /** The alias of the service that it serves. */
  readonly alias: string;
  readonly serviceAccountName: string | undefined;
  readonly featureGates: ControllerValue;
  readonly enableCarm: ControllerValue;
  readonly watchNamespace: ControllerValue;
  readonly region: ControllerValue;
  /** The namespace of its maps. */
  readonly systemNamespace: ControllerValue;
}

function fieldsOf(parent: unknown, ...keys: readonly string[]): JsonObject {
  let fields = parent;
  for (const key of keys) fields = isJsonObject(fields) ? fields[key] : undefined;
  return isJsonObject(fields) ? fields : {};
}

function itemsOf(parent: JsonObject, key: string): readonly unknown[] {
  const items = parent[key];
  return Array.isArray(items) ? items : [];
}

/** Characters of a value: variables of variables of variables could be of any length. */
const longestValue = 64 * 1024;

type Environment = ReadonlyMap<string, ControllerValue>;

/**
 * `$(NAME)` as the kubelet replaces it: `$$` is a dollar sign, and a variable that is not there stays as it is written.
 * https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 * @param isOpen whether there may be variables that the Deployment does not show.
 */
function expand(text: string, env: Environment, isOpen: boolean): ControllerValue {
  let isKnown = true;
  let inserted = 0;
  const expanded = text.replace(/\$(?:\$|\(([^)]{0,1024})\))/g, (written: string, name: string | undefined) => {
    if (name === undefined) return '$';
    const value = env.get(name);
    if (value === undefined && (isOpen || env.has(name))) isKnown = false;
    inserted += value?.length ?? 0;
    if (inserted <= longestValue) return value ?? written;
    isKnown = false;
    return '';
  });
  return isKnown ? expanded : undefined;
}

/** Each variable may refer to those before it. */
function environmentOf(container: JsonObject, namespace: string): Environment {
  const env = new Map<string, ControllerValue>();
  const isOpen = itemsOf(container, 'envFrom').length > 0;
  for (const variable of itemsOf(container, 'env')) {
    if (!isJsonObject(variable) || typeof variable['name'] !== 'string') continue;
    const { name, value, valueFrom } = variable;
    // ACK's chart and its kustomization set ACK_SYSTEM_NAMESPACE so.
    const isOwnNamespace = fieldsOf(valueFrom, 'fieldRef')['fieldPath'] === 'metadata.namespace';
    if (isJsonObject(valueFrom)) env.set(name, isOwnNamespace ? namespace : undefined);
    else env.set(name, typeof value === 'string' ? expand(value, env, isOpen) : '');
  }
  return env;
}

/**
 * Flags as ACK's parser takes them: `--flag=value` or `--flag value`, the last one counts, and a switch takes its value only
 * after `=`. https://pkg.go.dev/github.com/spf13/pflag#hdr-Command_line_flag_syntax
 */
function flagsOf(words: readonly string[], expanded: (word: string) => ControllerValue): Environment {
  const flags = new Map<string, ControllerValue>();
  for (let index = 0; index < words.length; index++) {
    // One whose value is not known still says which flag it is.
    const word = words[index] ?? '';
    const whole = expanded(word);
    const arg = whole ?? word;
    if (arg === '--') break;
    const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === undefined) continue;
    const next = words[index + 1];
    if (value !== undefined) flags.set(name, whole === undefined ? undefined : value);
    else if (name.startsWith('enable-')) flags.set(name, 'true');
    else if (next !== undefined && !next.startsWith('--')) {
      flags.set(name, expanded(next));
      index += 1;
    }
  }
  return flags;
}

const byName = /^ack-([a-z0-9]+)-controller$/;
const byChart = /^([a-z0-9]+)-chart$/;

/**
 * The service of an ACK controller. Its chart names the Deployment after the release, and the label after itself, `s3-chart`;
 * the kustomization names both `ack-s3-controller`, as both do its ServiceAccount.
 * https://github.com/aws-controllers-k8s/s3-controller/tree/main/helm
 */
function aliasOf({ metadata }: JsonObject, spec: JsonObject): string | undefined {
  const label = fieldsOf(metadata, 'labels')['app.kubernetes.io/name'];
  const match = (form: RegExp, name: unknown) => (typeof name === 'string' ? form.exec(name)?.[1] : undefined);
  const names = [label, spec['serviceAccountName'], fieldsOf(metadata)['name']];
  return match(byChart, label) ?? names.map(name => match(byName, name)).find(alias => alias !== undefined);
}

/** ACK's image has the path `./bin/controller`. Others may add containers to its pods. */
function isController(container: unknown): container is JsonObject {
  if (!isJsonObject(container)) return false;
  const isCommand = itemsOf(container, 'command').some(
    word => typeof word === 'string' && /\bbin\/controller$/.test(word),
  );
  return isCommand || container['name'] === 'controller';
}

/**
 * Reads a Deployment of whatever shape, and throws nothing.
 * @returns undefined where it is none of an ACK controller, or runs no pod.
 */
export function readAckController(deployment: JsonObject, namespace: string): AckController | undefined {
  const template = fieldsOf(deployment, 'spec', 'template', 'spec');
  const alias = aliasOf(deployment, template);
  const container = itemsOf(template, 'containers').find(isController);
  if (alias === undefined || container === undefined) return undefined;
  if (fieldsOf(deployment, 'spec')['replicas'] === 0) return undefined;
  const env = environmentOf(container, namespace);
  const isOpen = itemsOf(container, 'envFrom').length > 0;
  const words = [...itemsOf(container, 'command'), ...itemsOf(container, 'args')];
  const flags = flagsOf(
    words.filter(word => typeof word === 'string'),
    word => expand(word, env, isOpen),
  );
  const variable = (name: string, otherwise: ControllerValue) =>
    env.has(name) ? env.get(name) : isOpen ? undefined : otherwise;
  const flag = (name: string, otherwise: ControllerValue) => (flags.has(name) ? flags.get(name) : otherwise);
  const { serviceAccountName } = template;
  return {
    alias,
    serviceAccountName: typeof serviceAccountName === 'string' ? serviceAccountName : undefined,
    featureGates: flag('feature-gates', ''),
    enableCarm: flag('enable-carm', 'true'),
    watchNamespace: flag('watch-namespace', ''),
    region: flag('aws-region', variable('AWS_REGION', '')),
    // https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/cache/cache.go
    systemNamespace: variable('ACK_SYSTEM_NAMESPACE', variable('K8S_NAMESPACE', 'ack-system')),
  };
}
