/** Findings of labels and annotations that are ignored, each with the command that puts it right. */

import { toPaste } from '../../admission/catalogue/paste.ts';
import { type IgnoredKey, type IgnoredLabel, sayIgnoredKey, warnings } from '../../admission/catalogue/warnings.ts';
import type { Config } from '../../admission/config.ts';
import { modes } from '../../admission/mode.ts';
import { nearestName } from '../../objects/edit-distance.ts';
import { injectLabel } from '../../objects/keys.ts';
import { type Finding, type FoundObject, finding } from './finding.ts';

/** The command that removes a key; undefined where a part of it is no plain word. */
function removal({ as, key }: IgnoredKey, { kind, namespace, name }: FoundObject): string | undefined {
  if (as === 'key') return toPaste`kubectl edit configmap ${name} --namespace ${namespace}`;
  const verb = as === 'label' ? 'label' : 'annotate';
  return namespace === ''
    ? toPaste`kubectl ${verb} ${kind} ${name} ${key}-`
    : toPaste`kubectl ${verb} ${kind} ${name} --namespace ${namespace} ${key}-`;
}

/** @param named as kubectl knows the object: resources by kind and group, for a kind alone may be that of another group. */
export function ignoredKeyFinding(ignored: IgnoredKey, object: FoundObject, named = object): Finding {
  const { reason, meant, as } = ignored;
  const command = removal(ignored, named);
  const message = sayIgnoredKey(ignored);
  if (command === undefined) return finding(reason, object, message);
  const instead =
    meant === undefined ? 'Remove it' : `Set ${meant}${as === 'key' ? '' : ' instead'}, and remove this one`;
  return finding(reason, object, message, `${instead}: ${command}`);
}

/** What people write who mean no. */
const no: ReadonlySet<string> = new Set(['false', 'no', 'off', 'never', 'none', '0', 'disable', 'ignore', 'skip']);

/** The value that was probably meant. */
function meantValue({ label, value }: IgnoredLabel, config: Config): string {
  const written = value.toLowerCase();
  if (label !== injectLabel) return nearestName(written, modes) ?? config.defaultMode;
  return no.has(written) || nearestName(written, ['disabled']) !== undefined ? 'disabled' : 'enabled';
}

/** @param isBound whether the namespace is: `enabled` would have all pods of one that is not denied. */
export function ignoredLabelFinding(
  ignored: IgnoredLabel,
  object: FoundObject,
  isBound: boolean,
  config: Config,
): Finding {
  const { label, allowed } = ignored;
  const value = meantValue(ignored, config);
  const message = warnings.InvalidLabel.say(ignored);
  if (value === 'enabled' && !isBound) {
    const command = toPaste`kubectl label namespace ${object.name} ${label}-`;
    const remedy = 'The namespace is not bound: bind it first, or remove the label';
    return finding('InvalidLabel', object, message, command && `${remedy}: ${command}`);
  }
  const command = toPaste`kubectl label --overwrite namespace ${object.name} ${label}=${value}`;
  return finding('InvalidLabel', object, message, command && `Use ${allowed}: ${command}`);
}
