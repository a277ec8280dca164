import { serviceKeys } from '../../accounts/ack-service.ts';
import { ackSystemOf } from '../../accounts/ack-system.ts';
import { type Binding, readBinding } from '../../accounts/binding.ts';
import { isIgnoredByAck } from '../../accounts/managed-namespace.ts';
import { podKeys, podsPrefix } from '../../accounts/pod-role.ts';
import { lookUpRole, type MappedRole, sameAccount } from '../../accounts/role-map.ts';
import { isJsonObject, optionalObject, optionalString } from '../../objects/json.ts';
import { type RoleMap, type RoleMapKind, readRoleMap, roleMapNames } from '../../objects/role-map.ts';
import type { Problem } from '../catalogue/denials.ts';
import type { Warning } from '../catalogue/warnings.ts';
import type { View } from '../cluster.ts';
import type { Config } from '../config.ts';
import { isNamespaceController } from '../controllers.ts';
import { allow } from '../decision.ts';
import { denyObject, firstThatCounts, messageContext } from '../deny-object.ts';
import { modeOf } from '../mode.ts';
import { readOnce } from '../read-once.ts';
import type { AdmissionRequest } from '../review.ts';
import { defineRule } from '../rule.ts';
import { type EntryProblem, entryProblem, readMapKey } from './map-entries.ts';
import { hasUnknownPrefix, misspelledMapKeys } from './map-prefixes.ts';
import { entryUsedByStatus } from './map-use.ts';

interface MapChange {
  readonly kind: RoleMapKind;
  readonly before: RoleMap;
  readonly after: RoleMap;
}

const empty: RoleMap = new Map();

/** Which of the maps a request is about, by the stored object too: a deletecollection names none. */
function mapKindOf(request: AdmissionRequest, config: Config): RoleMapKind | undefined {
  if (!config.ackSystems.some(({ namespace }) => namespace === request.namespace)) return undefined;
  const names = [request.object, request.oldObject].map(object => {
    const metadata = isJsonObject(object) ? (optionalObject(object, 'metadata', '') ?? {}) : {};
    return optionalString(metadata, 'name', '/metadata');
  });
  const kinds: readonly RoleMapKind[] = ['account', 'team'];
  return kinds.find(kind => [request.name, ...names].includes(roleMapNames[kind]));
}

function dataOf(object: unknown): RoleMap {
  return isJsonObject(object) ? readRoleMap(object) : empty;
}

/** Bindings of namespaces that look up this kind of map, with the namespaces of each. */
function boundNamespaces(kind: RoleMapKind, view: View, config: Config): ReadonlyMap<Binding, readonly string[]> {
  const bindings = new Map<string, Binding>();
  const namespaces = new Map<Binding, string[]>();
  for (const { name, annotations } of view.namespaces()) {
    const read = isIgnoredByAck(name) ? undefined : readBinding(annotations, config.featureGates);
    if (!read?.ok || read.value.kind !== kind) continue;
    const binding = bindings.get(read.value.id) ?? read.value;
    bindings.set(binding.id, binding);
    const names = namespaces.get(binding);
    if (names === undefined) namespaces.set(binding, [name]);
    else names.push(name);
  }
  for (const names of namespaces.values()) names.sort();
  return namespaces;
}

/** By id, the aliases of services that have a key of their own before or after, and whose controllers read the maps here. */
function aliasesWithKeys(
  ackSystem: string,
  { kind, before, after }: MapChange,
  config: Config,
): ReadonlyMap<string, ReadonlySet<string>> {
  const aliases = new Map<string, Set<string>>();
  if (!config.featureGates.ServiceLevelCARM) return aliases;
  for (const key of [...before.keys(), ...after.keys()]) {
    const { prefix = podsPrefix, binding } = readMapKey(kind, key) ?? {};
    if (prefix === podsPrefix || binding === undefined) continue;
    if (ackSystemOf(config.ackSystems, prefix).namespace !== ackSystem) continue;
    const known = aliases.get(binding.id);
    if (known === undefined) aliases.set(binding.id, new Set([prefix]));
    else known.add(prefix);
  }
  return aliases;
}

/**
 * Every way in which a binding is looked up in the maps of an ACK system namespace: by pods, if it is the first; by ACK's
 * controllers of the services that it serves, unless they go by selectors. Services without a key of their own look up alike.
 */
function* keysLookedUp(
  binding: Binding,
  ackSystem: string,
  aliases: Iterable<string>,
  config: Config,
): Generator<readonly string[]> {
  if (config.ackSystems[0].namespace === ackSystem) yield podKeys(binding, config.requirePodsKey);
  if (config.featureGates.IAMRoleSelector) return;
  yield [binding.id];
  for (const alias of aliases) yield serviceKeys(binding, alias, config.featureGates);
}

interface Lookup {
  readonly binding: Binding;
  readonly namespaces: readonly string[];
  readonly before: MappedRole;
  /** Undefined where it resolves no more. */
  readonly after: MappedRole | undefined;
}

/** What becomes of every look-up of bound namespaces that resolved before. */
function* lookups(ackSystem: string, change: MapChange, view: View, config: Config): Generator<Lookup> {
  if (change.before.size === 0) return;
  const aliases = aliasesWithKeys(ackSystem, change, config);
  for (const [binding, namespaces] of boundNamespaces(change.kind, view, config)) {
    for (const keys of keysLookedUp(binding, ackSystem, aliases.get(binding.id) ?? [], config)) {
      const before = lookUpRole(binding, change.before, keys);
      const after = lookUpRole(binding, change.after, keys);
      if (before.ok) yield { binding, namespaces, before: before.value, after: after.ok ? after.value : undefined };
    }
  }
}

/** What is wrong with what a change adds or alters: a map that was broken before can be fixed step by step. */
function* entryProblems({ kind, before, after }: MapChange): Generator<EntryProblem> {
  for (const [key, value] of after) {
    const problem = before.get(key) === value ? undefined : entryProblem(kind, key, value);
    if (problem !== undefined) yield problem;
  }
}

function sameRole(a: MappedRole, b: MappedRole): boolean {
  return a.role.text === b.role.text;
}

/**
 * Entries that bound namespaces use and that a change removes, or moves to another account. What an entry is removed for
 * may be the one that it falls back to: pods would get the role that ACK provisions with, and nobody had written it down.
 */
function* usedEntries(ackSystem: string, change: MapChange, view: View, config: Config): Generator<MapProblem> {
  for (const { namespaces, before, after } of lookups(ackSystem, change, view, config)) {
    const isKept = Boolean(change.after.get(before.key));
    const follows = after !== undefined && sameAccount(after, before) && (isKept || sameRole(after, before));
    if (follows) continue;
    const key = isKept ? (after?.key ?? before.key) : before.key;
    yield { reason: 'MappingInUse', map: change.kind, key, namespaces };
  }
}

function replacedRoles(ackSystem: string, change: MapChange, view: View, config: Config): readonly Warning[] {
  const warnings = new Map<string, Warning>();
  for (const { namespaces, before, after } of lookups(ackSystem, change, view, config)) {
    if (after === undefined || sameRole(after, before)) continue;
    warnings.set(after.key, { reason: 'RoleReplaced', key: after.key, namespaces: namespaces.length });
  }
  return [...warnings.values()];
}

/** New keys that come with a prefix that no service is known by; those that are a slip say which was meant. */
function unknownPrefixes({ kind, before, after }: MapChange): readonly Warning[] {
  const added = [...after.keys()].filter(key => !before.has(key));
  const misspelled = misspelledMapKeys(kind, added);
  const told = new Set(misspelled.map(({ key }) => key));
  const unknown = added.filter(key => !told.has(key) && hasUnknownPrefix(kind, key));
  return [...misspelled, ...(unknown.length === 0 ? [] : [{ reason: 'UnknownService', keys: unknown } as const])];
}

function becomesImmutable({ object, oldObject }: AdmissionRequest): boolean {
  const isImmutable = (value: unknown) => isJsonObject(value) && value['immutable'] === true;
  return isImmutable(object) && !isImmutable(oldObject);
}

type MapProblem = EntryProblem | Extract<Problem, { readonly reason: 'MappingInUse' | 'MapImmutable' }>;

function* problemsOf(request: AdmissionRequest, change: MapChange, view: View, config: Config): Generator<MapProblem> {
  if (becomesImmutable(request)) yield { reason: 'MapImmutable', map: change.kind };
  yield* entryProblems(change);
  yield* usedEntries(request.namespace, change, view, config);
}

/** What a map's review reads of its request. */
const readChangeOf = readOnce(({ object, oldObject }: AdmissionRequest) => ({
  before: dataOf(oldObject),
  after: dataOf(object),
}));

/** The account map and the team map. */
export const mapRules = [
  defineRule({
    webhook: 'maps.carm-webhook.dev',
    endpoint: 'validate',
    matches: [{ group: '', kind: 'ConfigMap', resource: 'configmaps', operations: ['CREATE', 'UPDATE', 'DELETE'] }],
    reasons: {
      allow: ['Checked', 'ExemptIdentity', 'NotApplicable'],
      mutate: [],
      deny: ['AccountMismatch', 'InvalidAccountId', 'InvalidRoleArn', 'InvalidTeamId', 'MapImmutable', 'MappingInUse'],
    },
    /** ACK's own controllers are judged like everybody: they never write the maps but when a FieldExport makes them. */
    decide(request, view, config) {
      const kind = mapKindOf(request, config);
      if (kind === undefined) return allow('NotApplicable');
      if (request.operation === 'DELETE' && isNamespaceController(request.userInfo)) return allow('ExemptIdentity');
      const change: MapChange = { kind, ...readChangeOf(request) };
      const at = messageContext(request.namespace, config, { ackSystemNamespace: request.namespace });
      const modeHere = () => modeOf(view.namespace(request.namespace), config.defaultMode);
      const counting = firstThatCounts(problemsOf(request, change, view, config), modeHere, config);
      const denial = counting && denyObject(() => '', counting.problem, at, config);
      if (denial !== undefined && !counting?.isSoft) return denial;
      // Last, since the cache holds no resources and a search of them all is expensive. No mode softens it.
      const use = kind === 'account' ? entryUsedByStatus(request.namespace, change, view, config) : undefined;
      if (use !== undefined && 'key' in use) {
        return denyObject(() => '', { reason: 'MappingInUse', map: kind, ...use }, at, config);
      }
      if (denial !== undefined) {
        const inDoubt = use && ({ reason: 'MappingUseUnverified', keys: use.inDoubt } as const);
        return { ...denial, ...(inDoubt && { warnings: [inDoubt] }) };
      }
      const warnings = [...replacedRoles(request.namespace, change, view, config), ...unknownPrefixes(change)];
      if (use === undefined) return allow('Checked', { warnings });
      // By the cache, the resources are searched live. After that search, it could not be checked.
      const inDoubt: Warning = { reason: 'MappingUseUnverified', keys: use.inDoubt };
      return allow('Checked', { warnings: [...warnings, inDoubt], confirmLive: true, advisory: true });
    },
  }),
];
