/** Findings of labels and annotations that are ignored, each with the command that puts it right. */

import { unlessResourcesStrand } from '../../admission/catalogue/binding-advice.ts';
import { toPaste } from '../../admission/catalogue/paste.ts';
import { type IgnoredKey, type IgnoredLabel, sayIgnoredKey, warnings } from '../../admission/catalogue/warnings.ts';
import type { Config } from '../../admission/config.ts';
import { modes } from '../../admission/mode.ts';
import { nearestName } from '../../objects/edit-distance.ts';
import { injectLabel } from '../../objects/keys.ts';
import { type Finding, type FoundObject, finding } from './finding.ts';

/** An object as kubectl takes it: `serviceaccount app --namespace shop`; undefined where a part is no plain word. */
function target({ kind, namespace, name }: FoundObject): string | undefined {
  const word = kind.toLowerCase();
  return namespace === '' ? toPaste`${word} ${name}` : toPaste`${word} ${name} --namespace ${namespace}`;
}

const verbs = { label: 'label', annotation: 'annotate' } as const;

/** A key of a map under another name. A patch of two operations is taken whole or not at all. */
function renaming(key: string, meant: string | undefined, { namespace, name }: FoundObject): string | undefined {
  if (meant === undefined) return undefined;
  return toPaste`kubectl patch configmap ${name} --namespace ${namespace} --type json --patch '[{"op":"move","from":"/data/${key}","path":"/data/${meant}"}]'`;
}

/**
 * The command that puts a key right: it gives the one that was meant the value, which it reads itself, for here only names are
 * known; kubectl keeps one that is there already. A key that is read on other objects is only removed.
 */
function correction({ as, key, meant, replacement }: IgnoredKey, object: FoundObject): string | undefined {
  if (as === 'key') return renaming(key, meant, object);
  const at = target(object);
  const removal = toPaste`${key}-`;
  if (at === undefined || removal === undefined) return undefined;
  if (replacement === undefined) return `kubectl ${verbs[as]} ${at} ${removal}`;
  const { key: set, as: setAs } = replacement;
  const value = `"$(kubectl get ${at} -o jsonpath='{.metadata.${as}s.${key.replaceAll('.', '\\.')}}')"`;
  return as === setAs
    ? `kubectl ${verbs[as]} ${at} ${set}=${value} ${removal}`
    : `kubectl ${verbs[setAs]} ${at} ${set}=${value} && kubectl ${verbs[as]} ${at} ${removal}`;
}

/** What the command does, or what of it only a person can do. */
function remedyOf({ as, meant, replacement }: IgnoredKey): string {
  if (meant === undefined) return 'Remove it';
  if (as === 'key') return `Rename it to ${meant}`;
  return replacement === undefined ? `Set ${meant} instead, and remove this one` : `Use ${meant} instead`;
}

/** @param named as kubectl knows the object: resources by kind and group, for a kind alone may be that of another group. */
export function ignoredKeyFinding(ignored: IgnoredKey, object: FoundObject, named = object): Finding {
  const command = correction(ignored, named);
  const message = sayIgnoredKey(ignored);
  return finding(ignored.reason, object, message, command && `${remedyOf(ignored)}: ${command}`);
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
    const remedy = `The namespace is not bound: bind it first, ${unlessResourcesStrand}, or remove the label`;
    return finding('InvalidLabel', object, message, command && `${remedy}: ${command}`);
  }
  const command = toPaste`kubectl label --overwrite namespace ${object.name} ${label}=${value}`;
  return finding('InvalidLabel', object, message, command && `Use ${allowed}: ${command}`);
}
