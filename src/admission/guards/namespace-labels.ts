import { isBound } from '../../accounts/binding.ts';
import { isExcludedNamespace } from '../../accounts/managed-namespace.ts';
import { injectLabel, modeLabel } from '../../objects/keys.ts';
import type { Namespace } from '../../objects/namespace.ts';
import type { IgnoredLabel } from '../catalogue/warnings.ts';
import type { Config } from '../config.ts';
import { type InvalidLabelValue, invalidValue } from '../label-values.ts';

/** Values of our labels that are not allowed. */
export function invalidValues({ labels }: Namespace): readonly InvalidLabelValue[] {
  return [invalidValue(labels, injectLabel), invalidValue(labels, modeLabel)].filter(invalid => invalid !== undefined);
}

/** What invalid labels lead to. They are never rewritten, since whoever wrote them meant something. */
export function invalidLabelWarnings(namespace: Namespace, config: Config): readonly IgnoredLabel[] {
  if (isExcludedNamespace(namespace.name, config.ownNamespace)) return [];
  const bound = isBound(namespace.annotations, config.featureGates);
  return invalidValues(namespace).map(invalid => {
    const isMode = invalid.label === modeLabel;
    // The webhook configurations select by the value `enabled`.
    const unseen = bound ? 'hides its pods from the webhook: they get no role' : 'is ignored';
    return {
      reason: 'InvalidLabel',
      ...invalid,
      effect: isMode ? `is ignored: the mode is ${config.defaultMode}` : unseen,
    };
  });
}

/** Whether a value that means nothing was there before: one that is new is denied. */
export function isOld({ label, value }: InvalidLabelValue, before: Namespace | undefined): boolean {
  return before?.labels.get(label) === value;
}
