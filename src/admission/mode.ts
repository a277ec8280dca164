import { modeLabel } from '../objects/keys.ts';
import type { Namespace } from '../objects/namespace.ts';

/** What becomes of a denial: it is spoken, becomes a warning, or is only counted and noted for the audit log. */
export const modes = ['enforce', 'warn', 'audit'] as const;
export type Mode = (typeof modes)[number];

export function isMode(text: string): text is Mode {
  return (modes as readonly string[]).includes(text);
}

/** The mode of a namespace: its label, where that is a mode, else the default. */
export function modeOf(namespace: Namespace | undefined, defaultMode: Mode): Mode {
  const label = namespace?.labels.get(modeLabel);
  return label !== undefined && isMode(label) ? label : defaultMode;
}
