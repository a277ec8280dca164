/** Findings on how pods get their role: settings of namespaces and ServiceAccounts that no pod can do with. */

import { isExcludedNamespace } from '../../accounts/managed-namespace.ts';
import { type PodRole, podRoleOf, readRequestedRole } from '../../accounts/pod-role.ts';
import {
  type RoleAccessProblem,
  type RoleUser,
  resolveRoleAccess,
  roleAccessAnnotations,
  type SettingPlace,
  settingProblem,
} from '../../accounts/role-access.ts';
import type { RoleArn } from '../../accounts/role-arn.ts';
import { toPaste } from '../../admission/catalogue/paste.ts';
import type { Config } from '../../admission/config.ts';
import { invalidSettings } from '../../admission/guards/namespace-settings.ts';
import { type ControllerRoleProblem, controllerHubProblem } from '../../admission/pods/controller-role.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { credentialsAnnotation, hubRoleArnAnnotation } from '../../objects/keys.ts';
import { quote } from '../../objects/quote.ts';
import { bareServiceAccount, type ServiceAccount } from '../../objects/service-account.ts';
import { type Finding, type FoundObject, finding } from './finding.ts';
import { mapObject } from './map-findings.ts';
import { type BoundNamespace, problemFinding, sentence } from './namespace-findings.ts';

type SettingAnnotation = (typeof roleAccessAnnotations)[number];

/** What a value stands for in a command. */
const placeholders: Readonly<Record<SettingAnnotation, string>> = {
  'carm-webhook.dev/credentials': 'MODE',
  'carm-webhook.dev/hub-role-arn': 'HUB_ROLE_ARN',
  'carm-webhook.dev/external-id': 'EXTERNAL_ID',
};

/** The command that sets an annotation of an object. */
function annotate(
  { kind, namespace, name }: FoundObject,
  annotation: SettingAnnotation,
  value = placeholders[annotation],
): string | undefined {
  return kind === 'Namespace'
    ? toPaste`kubectl annotate --overwrite namespace ${name} ${annotation}=${value}`
    : toPaste`kubectl annotate --overwrite serviceaccount ${name} --namespace ${namespace} ${annotation}=${value}`;
}

/** A problem in its own words, with a command that ends it. */
function settingFinding(
  problem: RoleAccessProblem | ControllerRoleProblem,
  object: FoundObject,
  config: Config,
  command: string | undefined,
): readonly Finding[] {
  return problemFinding(problem, object, undefined, config).map(found => ({
    ...found,
    fix: sentence(found.fix.replace(/\.$/, ''), command),
  }));
}

/** A hub role that ACK works with too, by whatever key of any map. */
function hubFinding(
  user: RoleUser,
  podRole: PodRole,
  on: Extract<SettingPlace, { readonly annotation: string }>['on'],
  object: FoundObject,
  state: Snapshot,
  config: Config,
): readonly Finding[] {
  const access = resolveRoleAccess(podRole, user, config);
  if (!access.ok) {
    const { problem } = access;
    if (problem.reason !== 'CredentialConflict') return [];
    const command =
      on === 'namespace'
        ? annotate(object, hubRoleArnAnnotation)
        : annotate(object, credentialsAnnotation, 'web-identity');
    return settingFinding(problem, object, config, command);
  }
  if (access.value.mode !== 'chain' || access.value.hub === undefined) return [];
  const { annotations } = on === 'namespace' ? user.namespace : user.serviceAccount;
  // One that stands elsewhere is told of there.
  if (!annotations.get(hubRoleArnAnnotation)) return [];
  const problem = controllerHubProblem(access.value.hub, state, config);
  const command = annotate(object, hubRoleArnAnnotation);
  return problem === undefined ? [] : settingFinding(problem, object, config, command);
}

/** What a namespace says, held against the role that the map has for its pods. */
export function findInNamespaceAccess(
  { namespace, mapped }: BoundNamespace,
  state: Snapshot,
  config: Config,
): readonly Finding[] {
  if (isExcludedNamespace(namespace.name, config.ownNamespace)) return [];
  const object: FoundObject = { kind: 'Namespace', namespace: '', name: namespace.name };
  const findings = invalidSettings(namespace, state, config).flatMap(({ annotation, problem }) =>
    settingFinding(problem, object, config, annotate(object, annotation)),
  );
  if (mapped === undefined || findings.length > 0) return findings;
  const podRole = podRoleOf(mapped, undefined, config);
  if (!podRole.ok) return findings;
  const user: RoleUser = { namespace, serviceAccount: bareServiceAccount, serviceAccountName: 'default' };
  return hubFinding(user, podRole.value, 'namespace', object, state, config);
}

/** What a ServiceAccount of a managed namespace says of its own. */
export function findInServiceAccountAccess(
  serviceAccount: ServiceAccount,
  { namespace, mapped }: BoundNamespace,
  object: FoundObject,
  state: Snapshot,
  config: Config,
): readonly Finding[] {
  const podRole = mapped && podRoleOf(mapped, readRequestedRole(serviceAccount.annotations), config);
  const role: RoleArn | undefined = podRole?.ok ? podRole.value.role : undefined;
  const findings = roleAccessAnnotations.flatMap(annotation => {
    const value = serviceAccount.annotations.get(annotation);
    if (!value) return [];
    const problem = settingProblem({ value, at: { on: 'ServiceAccount', annotation } }, role, config);
    return problem === undefined ? [] : settingFinding(problem, object, config, annotate(object, annotation));
  });
  const saysNothing = roleAccessAnnotations.every(annotation => !serviceAccount.annotations.get(annotation));
  const requested = readRequestedRole(serviceAccount.annotations);
  if (!podRole?.ok || findings.length > 0 || (saysNothing && requested === undefined)) return findings;
  const user: RoleUser = { namespace, serviceAccount, serviceAccountName: object.name };
  return hubFinding(user, podRole.value, 'ServiceAccount', object, state, config);
}

/** The hub role of the flag, told once: every pod in chain mode without another one would take it. */
export function findInHubFlag(state: Snapshot, config: Config): readonly Finding[] {
  const { hubRoleArn } = config;
  const problem = hubRoleArn && controllerHubProblem(hubRoleArn, state, config);
  if (problem === undefined) return [];
  const message = `--hub-role-arn ${quote(problem.value)} is a role of ACK's controllers: in chain mode every pod could take every role that ACK can`;
  const fix = 'Set --hub-role-arn to a role that only pods take.';
  return [finding('ControllerRole', mapObject(problem.map, config, problem.ackSystem), message, fix)];
}
