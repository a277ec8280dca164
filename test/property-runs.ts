/** How often a property that costs much is tried: `PROPERTY_TIMES=10` is the long form, by hand. */
export function propertyRuns(short: number): number {
  return Math.ceil(short * Number(process.env['PROPERTY_TIMES'] ?? 1));
}
