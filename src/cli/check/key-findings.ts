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

export function ignoredLabelFinding(ignored: IgnoredLabel, object: FoundObject, config: Config): Finding {
  const { label, allowed } = ignored;
  const value = meantValue(ignored, config);
  const command = toPaste`kubectl label --overwrite namespace ${object.name} ${label}=${value}`;
  const message = warnings.InvalidLabel.say(ignored);
  return finding('InvalidLabel', object, message, command && `Use ${allowed}: ${command}`);
}
