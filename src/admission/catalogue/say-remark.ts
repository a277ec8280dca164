import { type Remark, type WarningEntry, warnings } from './warnings.ts';

/** A remark as one line for `response.warnings`. The catalogue's type ties each reason to its remark; an index type cannot say so. */
export function sayRemark(remark: Remark): string {
  const entry = warnings[remark.reason] as WarningEntry<Remark>;
  return `${entry.say(remark)} (${remark.reason})`;
}
