/** What our labels may say. Another value means something to whoever wrote it, so it is never passed over in silence. */

import { injectLabel, type KeyedStrings, modeLabel } from '../objects/keys.ts';
import { modes } from './mode.ts';

const allowedValues = { [injectLabel]: ['enabled', 'disabled'], [modeLabel]: modes } as const;

export type ValuedLabel = keyof typeof allowedValues;

export interface InvalidLabelValue {
  readonly label: ValuedLabel;
  readonly value: string;
  /** In words: `enabled or disabled`. */
  readonly allowed: string;
}

/** The value of a label that means nothing; undefined for one that does, and where there is none. */
export function invalidValue<L extends ValuedLabel>(labels: KeyedStrings<L>, label: L): InvalidLabelValue | undefined {
  const value = labels.get(label);
  const allowed: readonly string[] = allowedValues[label];
  if (value === undefined || allowed.includes(value)) return undefined;
  return { label, value, allowed: `${allowed.slice(0, -1).join(', ')} or ${allowed.at(-1)}` };
}
