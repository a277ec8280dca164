import { type Warning, type WarningEntry, warnings } from './warnings.ts';

/** A remark as one line for `response.warnings`. The catalogue's type ties each reason to its remark; an index type cannot say so. */
export function formatWarning(warning: Warning): string {
  const entry = warnings[warning.reason] as WarningEntry<Warning>;
  return `${entry.say(warning)} (${warning.reason})`;
}
