import { ignoredTeamId, isBound } from '../../accounts/binding.ts';
import { isExcludedNamespace } from '../../accounts/managed-namespace.ts';
import { formatWarning } from '../../admission/catalogue/warnings.ts';
import type { Config } from '../../admission/config.ts';
import { invalidLabelWarnings } from '../../admission/guards/namespace-labels.ts';
import { injectLabel, teamIdAnnotation } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';

/** Why a namespace does not get the label: a reason of the catalogue, or one of `label` itself. */
export interface LeftOut {
  readonly reason: string;
  readonly message: string;
}

/**
 * What becomes of a namespace by what it says itself: `bound` is to be labelled if its workloads allow it, `labelled` and
 * `opted-out` are as someone wants them, and `not-bound` are those that are none of ours.
 */
export type LabelChoice = 'bound' | 'labelled' | 'opted-out' | 'not-bound' | LeftOut;

export function labelChoice(namespace: Namespace, config: Config): LabelChoice {
  const { name, labels, annotations } = namespace;
  const gates = config.featureGates;
  if (isExcludedNamespace(name, config.ownNamespace)) return 'not-bound';
  const label = labels.get(injectLabel);
  if (label === 'enabled') return 'labelled';
  if (label === 'disabled') return 'opted-out';
  const bound = isBound(annotations, gates);
  // With the label and no binding, all its pods would be denied.
  if (!bound && ignoredTeamId(annotations, gates) !== undefined) {
    const because = 'it needs the feature gate TeamLevelCARM';
    const message = formatWarning({ reason: 'BindingIgnored', what: teamIdAnnotation, because });
    return { reason: 'BindingIgnored', message };
  }
  if (!bound) return 'not-bound';
  // Whoever wrote it meant something.
  const invalid = invalidLabelWarnings(namespace, config).find(warning => warning.label === injectLabel);
  return invalid === undefined ? 'bound' : { reason: invalid.reason, message: formatWarning(invalid) };
}
