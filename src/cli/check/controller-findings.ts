/** What ACK's controllers were told, held against what we were told of them. */

import type { AccountId } from '../../accounts/account-id.ts';
import { ackSystemsOf } from '../../accounts/ack-system.ts';
import { type FeatureGate, parseGoBool } from '../../accounts/feature-gates.ts';
import { parseRoleArn } from '../../accounts/role-arn.ts';
import type { Config } from '../../admission/config.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { type AckController, readAckController } from '../../objects/ack-controller.ts';
import { eksRoleArnAnnotation } from '../../objects/keys.ts';
import { quote, quoteNames } from '../../objects/quote.ts';
import { type Finding, type FoundObject, finding } from './finding.ts';

/** The Deployment of an ACK controller in one of the ACK system namespaces. */
export interface FoundController extends AckController {
  readonly object: FoundObject;
}

export function controllersIn(state: Snapshot, config: Config): readonly FoundController[] {
  const namespaces = new Set(config.ackSystems.map(({ namespace }) => namespace));
  return [...namespaces].flatMap(namespace =>
    [...state.workloads.inNamespace({ group: 'apps', kind: 'Deployment' }, namespace)].flatMap(({ name, value }) => {
      const controller = readAckController(value, namespace);
      return controller === undefined ? [] : [{ ...controller, object: { kind: 'Deployment', namespace, name } }];
    }),
  );
}

/** Gates that change what ACK makes of bindings. All of them are off where nobody turns them on. */
const comparedGates = [
  'ServiceLevelCARM',
  'TeamLevelCARM',
  'IAMRoleSelector',
] as const satisfies readonly FeatureGate[];
type ComparedGate = (typeof comparedGates)[number];

/**
 * The gates that are on; undefined for a value that ACK does not start with.
 * https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/config/config.go (parseFeatureGates)
 */
function gatesOn(text: string | undefined): ReadonlySet<ComparedGate> | undefined {
  if (text === undefined) return undefined;
  const on = new Set<ComparedGate>();
  for (const item of text.trim() === '' ? [] : text.split(',')) {
    const at = item.indexOf('=');
    const value = at < 0 ? undefined : parseGoBool(item.slice(at + 1).trim());
    if (value === undefined) return undefined;
    const gate = comparedGates.find(name => name === item.slice(0, at).trim());
    if (gate === undefined) continue;
    if (value) on.add(gate);
    else on.delete(gate);
  }
  return on;
}

function differingGates(
  { object }: FoundController,
  on: ReadonlySet<ComparedGate>,
  config: Config,
): readonly Finding[] {
  return comparedGates.flatMap(gate => {
    const theirs = on.has(gate);
    if (theirs === config.featureGates[gate]) return [];
    const message = `it runs with ${gate}=${theirs}, but --feature-gates of carm-webhook says ${gate}=${!theirs}`;
    const fix = `Set ${gate}=${theirs} in --feature-gates of carm-webhook; or, if that moves no ACK resources to another account, ${gate}=${!theirs} in those of the controller.`;
    return [finding('ControllerGatesDiffer', object, message, fix)];
  });
}

/** When bindings begin to count, ACK loses what it has created in its own account. */
const onceNoneIsStranded =
  'once no ACK resources of its own account are in bound namespaces (it would stop reconciling those)';

/** https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/service_controller.go (BindControllerManager) */
function ignoredBindings({ object, enableCarm, watchNamespace }: FoundController): readonly Finding[] {
  const findings: Finding[] = [];
  const so = 'so it ignores the bindings of all namespaces and works in its own account';
  if (enableCarm !== undefined && parseGoBool(enableCarm) === false) {
    const message = `it runs with --enable-carm=false and without the gate IAMRoleSelector, ${so}`;
    const fix = `Set its --enable-carm=true (enableCARM: true in its Helm chart), ${onceNoneIsStranded}.`;
    findings.push(finding('ControllerIgnoresBindings', object, message, fix));
  }
  if (watchNamespace && !watchNamespace.includes(',')) {
    const message = `it watches one namespace, ${quote(watchNamespace)}, which turns CARM off, ${so}`;
    const fix = `Have it watch all namespaces (installScope: cluster in its Helm chart), or name two or more in --watch-namespace, ${onceNoneIsStranded}.`;
    findings.push(finding('ControllerIgnoresBindings', object, message, fix));
  }
  return findings;
}

function otherMaps({ object, alias, systemNamespace }: FoundController, config: Config): readonly Finding[] {
  const ours = ackSystemsOf(config.ackSystems, alias).map(({ namespace }) => namespace);
  if (systemNamespace === undefined || ours.includes(systemNamespace)) return [];
  const message = `it reads its maps in namespace ${quote(systemNamespace)}, but carm-webhook reads those of ${alias} in ${quoteNames(ours)}`;
  const fix = `Name the namespace for ${alias} in --ack-system-namespace of carm-webhook, or correct ACK_SYSTEM_NAMESPACE of the controller, if the maps there have the accounts of all of its ACK resources.`;
  return [finding('ControllerReadsOtherMaps', object, message, fix)];
}

function otherRegion({ object, region }: FoundController, { defaultRegion }: Config): readonly Finding[] {
  if (!region || defaultRegion === undefined || region === defaultRegion) return [];
  const message = `its --aws-region is ${quote(region)}, but pods get --default-region ${defaultRegion} where their namespace names no region`;
  return [finding('ControllerRegionDiffers', object, message)];
}

/** Flags whose values are not in the Deployment itself, or that ACK does not start with. */
function uncheckedFlags(controller: FoundController, on: ReadonlySet<ComparedGate> | undefined): readonly string[] {
  const { enableCarm, watchNamespace, region, systemNamespace } = controller;
  const values = {
    '--feature-gates': on,
    '--enable-carm': enableCarm === undefined ? undefined : parseGoBool(enableCarm),
    '--watch-namespace': watchNamespace,
    '--aws-region': region,
    ACK_SYSTEM_NAMESPACE: systemNamespace,
  };
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [name] : []));
}

/**
 * Flags of ACK's controllers that differ from ours, or make bindings worth nothing.
 * @param tell a line for each Deployment with values that cannot be told.
 */
export function findInControllers(
  controllers: readonly FoundController[],
  config: Config,
  tell: (line: string) => void,
): readonly Finding[] {
  return controllers.flatMap(controller => {
    const { namespace, name } = controller.object;
    const on = gatesOn(controller.featureGates);
    const unchecked = uncheckedFlags(controller, on);
    if (unchecked.length > 0) {
      const what = unchecked.join(', ');
      tell(
        `not checked: ${what} of Deployment ${quote(`${namespace}/${name}`)}: no valid value is in the Deployment itself`,
      );
    }
    const bySelectors = on?.has('IAMRoleSelector') ?? config.featureGates.IAMRoleSelector;
    return [
      ...(on === undefined ? [] : differingGates(controller, on, config)),
      // With selectors, there are neither maps nor bindings.
      ...(bySelectors ? [] : [...ignoredBindings(controller), ...otherMaps(controller, config)]),
      ...otherRegion(controller, config),
    ];
  });
}

/** Where a service's controllers work when nothing else says it; undefined where that is not known, or they differ. */
export interface ControllerDefaults {
  readonly region: string | undefined;
  readonly accountId: AccountId | undefined;
}

/**
 * The account of a controller's own credentials, which it asks AWS STS for: that of the role of its ServiceAccount, where it has
 * one. https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/config/config.go (SetAWSAccountID)
 */
function ownAccount({ object, serviceAccountName }: FoundController, state: Snapshot): AccountId | undefined {
  if (serviceAccountName === undefined) return undefined;
  const serviceAccount = state.writtenServiceAccount(object.namespace, serviceAccountName);
  return parseRoleArn(serviceAccount?.annotations.get(eksRoleArnAnnotation) ?? '')?.accountId;
}

/** By the alias of the service. */
export function defaultsOf(
  controllers: readonly FoundController[],
  state: Snapshot,
): ReadonlyMap<string, ControllerDefaults> {
  const defaults = new Map<string, ControllerDefaults>();
  for (const controller of controllers) {
    const region = controller.region || undefined;
    const accountId = ownAccount(controller, state);
    const other = defaults.get(controller.alias) ?? { region, accountId };
    defaults.set(controller.alias, {
      region: other.region === region ? region : undefined,
      accountId: other.accountId === accountId ? accountId : undefined,
    });
  }
  return defaults;
}
