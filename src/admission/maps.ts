import { type Binding, readBinding } from '../accounts/binding.ts';
import { type RoleMap, type RoleMapKind, readRoleMap, roleMapNames } from '../accounts/role-map.ts';
import { isIgnoredByAck } from '../accounts/served-namespace.ts';
import { isFields, optionalFields, optionalString } from '../injection/fields.ts';
import type { View } from './cluster.ts';
import type { Decision } from './decision.ts';
import { isDeletingController } from './identities.ts';
import { entryProblem, entryRole, readMapKey } from './map-entries.ts';
import { refusalMessage } from './message.ts';
import type { Problem } from './refusals.ts';
import type { AdmissionRequest } from './review.ts';
import type { Rules } from './rules.ts';
import type { Remark } from './warnings.ts';

interface MapChange {
  readonly kind: RoleMapKind;
  readonly before: RoleMap;
  readonly after: RoleMap;
}

const empty: RoleMap = new Map();

/** Which of the maps a request is about, by the stored object too: a deletecollection names none. */
function mapKindOf(request: AdmissionRequest, rules: Rules): RoleMapKind | undefined {
  if (!rules.ackSystems.some(({ namespace }) => namespace === request.namespace)) return undefined;
  const names = [request.object, request.oldObject].map(object => {
    const metadata = isFields(object) ? (optionalFields(object, 'metadata', '') ?? {}) : {};
    return optionalString(metadata, 'name', '/metadata');
  });
  const kinds: readonly RoleMapKind[] = ['account', 'team'];
  return kinds.find(kind => [request.name, ...names].includes(roleMapNames[kind]));
}

function dataOf(object: unknown): RoleMap {
  return isFields(object) ? readRoleMap(object['data']) : empty;
}

/** The bound namespaces whose binding looks up one of the keys, by the maps of this ACK system namespace. */
function namespacesOf({ kind, id }: Binding, view: View, rules: Rules): readonly string[] {
  const names: string[] = [];
  for (const { name, annotations } of view.namespaces()) {
    if (isIgnoredByAck(name)) continue;
    const binding = readBinding(annotations, rules.featureGates);
    if (binding?.ok && binding.value.kind === kind && binding.value.id === id) names.push(name);
  }
  return names.sort();
}

/**
 * Whether an entry that goes still has one that takes its place, of the same account: `s3.<id>` and `pods.<id>` fall back
 * to `<id>`.
 */
function isReplaced(map: RoleMap, key: string, id: string, accountId: string): boolean {
  return [key, id].some(candidate => entryRole(map.get(candidate))?.accountId === accountId);
}

/** What is wrong with what a change adds or alters: a map that was broken before can be mended step by step. */
function* entryProblems({ kind, before, after }: MapChange): Generator<Problem> {
  for (const [key, value] of after) {
    const problem = before.get(key) === value ? undefined : entryProblem(kind, key, value);
    if (problem !== undefined) yield problem;
  }
}

/** Entries that bound namespaces use and that a change removes, or moves to another account. */
function* usedEntries({ kind, before, after }: MapChange, view: View, rules: Rules): Generator<Problem> {
  for (const [key, value] of before) {
    const role = entryRole(value);
    const parsed = readMapKey(kind, key);
    if (role === undefined || parsed === undefined) continue;
    if (isReplaced(after, key, parsed.binding.id, role.accountId)) continue;
    const namespaces = namespacesOf(parsed.binding, view, rules);
    if (namespaces.length > 0) yield { reason: 'MappingInUse', map: kind, key, namespaces };
  }
}

function replacedRoles({ kind, before, after }: MapChange, view: View, rules: Rules): readonly Remark[] {
  const remarks: Remark[] = [];
  for (const [key, value] of before) {
    const parsed = readMapKey(kind, key);
    const role = entryRole(after.get(key));
    if (parsed === undefined || role === undefined || value === role.text || entryRole(value) === undefined) continue;
    const namespaces = namespacesOf(parsed.binding, view, rules).length;
    if (namespaces > 0) remarks.push({ reason: 'RoleReplaced', key, namespaces });
  }
  return remarks;
}

function becomesImmutable({ object, oldObject }: AdmissionRequest): boolean {
  const isImmutable = (value: unknown) => isFields(value) && value['immutable'] === true;
  return isImmutable(object) && !isImmutable(oldObject);
}

function* problemsOf(request: AdmissionRequest, change: MapChange, view: View, rules: Rules): Generator<Problem> {
  if (becomesImmutable(request)) yield { reason: 'MapImmutable', map: change.kind };
  yield* entryProblems(change);
  yield* usedEntries(change, view, rules);
}

/**
 * `/validate` for CREATE, UPDATE and DELETE of the account map and the team map. ACK's own controllers are judged like
 * everybody: they never write the maps but when a FieldExport makes them.
 */
export function validateMap(request: AdmissionRequest, view: View, rules: Rules): Decision {
  const kind = mapKindOf(request, rules);
  if (kind === undefined) return { verdict: 'allow', reason: 'NotOurs', restsOnState: false };
  if (request.operation === 'DELETE' && isDeletingController(request.userInfo)) {
    return { verdict: 'allow', reason: 'ExemptIdentity', restsOnState: false };
  }
  const change: MapChange = { kind, before: dataOf(request.oldObject), after: dataOf(request.object) };
  const [problem] = problemsOf(request, change, view, rules);
  if (problem === undefined) {
    return { verdict: 'allow', reason: 'Checked', remarks: replacedRoles(change, view, rules), restsOnState: false };
  }
  const at = {
    namespace: request.namespace,
    serviceAccountName: '',
    binding: undefined,
    ackSystemNamespace: request.namespace,
    roleArnAnnotation: undefined,
  };
  const subject = `ConfigMap ${request.namespace}/${roleMapNames[kind]}`;
  const message = refusalMessage(subject, problem, at, rules.supportMessage);
  return { verdict: 'deny', reason: problem.reason, message, restsOnState: true };
}
