/** Prints what reviews cost from 10 kB to 3 MiB, beside the parsing of their JSON, and by which power of their bytes it grows. */
import { config, costOf, rulesWithSelectors } from './review-cost.ts';
import { grownFields, reviewBytes, reviewKinds } from './review-kinds.ts';

const sizes = [10_000, 100_000, 1_000_000, 3_000_000];
const bodyLimit = 7 * 1024 * 1024;

/** The slope of a line through points, by least squares. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(points.map(point => point[0]));
  const y = mean(points.map(point => point[1]));
  const above = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return above / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

const rows = [['review', 'grown field', 'bytes', 'parse ms', 'review ms', 'times', 'reason']];
for (const [name, field] of Object.entries(grownFields)) {
  const kind = reviewKinds[name];
  if (kind === undefined) throw new Error(`no kind ${name}`);
  const points: [number, number][] = [];
  for (const size of sizes) {
    const bytes = reviewBytes(kind, [[field, size]]);
    if (bytes.length > bodyLimit) continue;
    const by = name.startsWith('selector') ? rulesWithSelectors : config;
    await costOf(bytes, kind.endpoint, by, 3);
    const { parseMs, reviewMs, reason } = await costOf(bytes, kind.endpoint, by, 5);
    const times = (reviewMs / parseMs).toFixed(1);
    rows.push([name, field, String(bytes.length), parseMs.toFixed(2), reviewMs.toFixed(2), times, reason]);
    points.push([Math.log(bytes.length), Math.log(reviewMs)]);
  }
  rows.push(['', `grows with bytes to the power of ${slope(points).toFixed(2)}`, '', '', '', '', '']);
}
const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
for (const row of rows)
  process.stdout.write(
    `${row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()}\n`,
  );
