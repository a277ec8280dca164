import { toPaste } from '../../admission/catalogue/paste.ts';
import { nameRole, sayIgnoredKey } from '../../admission/catalogue/warnings.ts';
import type { Config } from '../../admission/config.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import type { JsonObject } from '../../objects/json.ts';
import { awsConfigAnnotation } from '../../objects/keys.ts';
import { quoteNames } from '../../objects/quote.ts';
import type { ObjectSource } from '../sources/object-source.ts';
import { unlessForbidden } from '../sources/unless-forbidden.ts';
import { CriticalNamespaces } from './critical-namespaces.ts';
import { type Finding, finding } from './finding.ts';
import { ignoredKeyFinding } from './key-findings.ts';
import { type Owner, outermostOwner } from './pod-owners.ts';
import { type IgnoredKeysOfPods, mostOwners, type PodsWithoutRole, RunningPods } from './running-pods.ts';

/** What `kubectl rollout restart` takes. */
const restartable = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

/** Whether pods have no owner but themselves. */
function isPod({ group, kind }: Owner): boolean {
  return group === '' && kind === 'Pod';
}

/** A remedy, with its command where all names in that are plain words. */
function withCommand(words: string, command: string | undefined, after = ''): string {
  return `${words}${command === undefined ? '' : `: ${command}`}${after}`;
}

/** What to do for the pods of an owner to get the role. A command is left out where a name in it is none. */
function fixFor({ owner, namespace, names, count }: PodsWithoutRole): string {
  const { kind, group, name } = owner;
  if (group === 'apps' && restartable.has(kind)) {
    const command = toPaste`kubectl rollout restart ${kind.toLowerCase()}/${name} --namespace ${namespace}`;
    return withCommand('Restart it', command);
  }
  if (group === 'batch' && kind === 'CronJob') {
    return 'Its next run gets the role. Nothing else to do, unless this one must have it.';
  }
  if (group === 'batch' && kind === 'Job') {
    const command = toPaste`kubectl delete pods --selector batch.kubernetes.io/job-name=${name} --namespace ${namespace}`;
    return withCommand('Let it finish, or have it start new pods', command, ' (they may count as failures of the Job)');
  }
  if (isPod(owner)) {
    const command = toPaste`kubectl delete pod ${name} --namespace ${namespace}`;
    return withCommand('Nothing replaces it. Delete it, and create it again from its manifest', command);
  }
  const command = count > names.length ? undefined : deletionOf(names, namespace);
  return withCommand('Delete its pods, if what controls them creates new ones', command);
}

function deletionOf(names: readonly string[], namespace: string): string | undefined {
  const words = names.map(name => toPaste`${name}`);
  const where = toPaste`--namespace ${namespace}`;
  return words.includes(undefined) || where === undefined
    ? undefined
    : `kubectl delete pod ${words.join(' ')} ${where}`;
}

/** What else there is to know of pods that lack the role. */
function withOtherInWords({ count, withOther }: PodsWithoutRole): string {
  if (withOther === 0) return '';
  if (withOther === count) return ` (${count === 1 ? 'it has' : 'they have'} another role)`;
  return ` (${withOther} of them ${withOther === 1 ? 'has' : 'have'} another role)`;
}

function findingOf(pods: PodsWithoutRole): Finding {
  const { owner, namespace, names, count } = pods;
  const role = nameRole(pods.roleArn);
  const which = `${quoteNames(names)}${count > names.length ? ` and ${count - names.length} more` : ''}`;
  const object = { kind: owner.kind, namespace, name: owner.name };
  if (pods.isForged) {
    const whose = isPod(owner) ? '' : ` of ${count} running ${count === 1 ? 'pod' : 'pods'}`;
    const listed = isPod(owner) ? '' : `: ${which}`;
    const message = `annotation ${awsConfigAnnotation}${whose} is not what was injected, so AWS SDKs take the role that it names, the hub's or the node's, in place of ${role}${listed}`;
    return finding('ForgedAnnotation', object, message, fixFor(pods));
  }
  const message = isPod(owner)
    ? `it lacks the role that a new one gets, ${role}`
    : `${count} running ${count === 1 ? 'pod lacks' : 'pods lack'} the role that new ones get, ${role}: ${which}`;
  return finding('PodsWithoutRole', object, message + withOtherInWords(pods), fixFor(pods));
}

/** Ignored keys of pods, where they are to be put right: in the template of what controls the pods, else on the pod. */
function keyFindingsOf({ owner, namespace, hints }: IgnoredKeysOfPods): readonly Finding[] {
  const object = { kind: owner.kind, namespace, name: owner.name };
  if (isPod(owner)) return [...hints.values()].map(hint => ignoredKeyFinding(hint, object));
  const kind = owner.group === '' ? owner.kind : `${owner.kind}.${owner.group}`;
  const command = toPaste`kubectl edit ${kind} ${owner.name} --namespace ${namespace}`;
  return [...hints.values()].map(hint => {
    const remedy = hint.meant === undefined ? 'Remove it' : `Set ${hint.meant} instead, and remove this one`;
    const fix = withCommand(`${remedy}, in the pod template`, command);
    return finding(hint.reason, object, sayIgnoredKey(hint), fix);
  });
}

/**
 * Running pods of managed namespaces without the role that they would get today, by what controls them; and namespaces with pods
 * that the cluster cannot do without.
 * @param tell a line for each cause for which pods were not checked or not listed.
 */
export async function findRunningPods(
  source: ObjectSource,
  state: Snapshot,
  config: Config,
  tell: (line: string) => void,
): Promise<readonly Finding[]> {
  let mayRead = true;
  const ifAllowed = <T>(read: () => Promise<T>): Promise<T | undefined> =>
    unlessForbidden(why => {
      mayRead = false;
      tell(`not checked: ${why}`);
    }, read);
  let pods = new RunningPods(state, config);
  let critical = new CriticalNamespaces(state, config);
  const begin = () => {
    pods = new RunningPods(state, config);
    critical = new CriticalNamespaces(state, config);
    return (pod: JsonObject) => {
      pods.look(pod);
      critical.look(pod);
    };
  };
  await ifAllowed(() => source.pods(begin));
  await pods.byOwners(async ({ owner, namespace }) => {
    if (!mayRead) return owner;
    return (await ifAllowed(() => outermostOwner(owner, namespace, source))) ?? owner;
  });
  const { more, malformed } = pods;
  if (more > 0) tell(`not listed: pods without their role, of owners after the first ${mostOwners}: ${more}`);
  if (malformed > 0) tell(`not checked: pods with a field of the wrong type: ${malformed}`);
  const ofPods = [...[...pods.found].map(findingOf), ...[...pods.ignoredKeys].flatMap(keyFindingsOf)];
  return [...ofPods, ...critical.findings];
}
