import { type Figures, median } from './measurement.ts';

/** How many times as much CPU a review costs here as there, by the rounds, each held against its neighbour. */
export interface CpuRatio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function cpuRatio(here: Figures, there: Figures): CpuRatio {
  const ratios = here.cpuOfRounds.map((cpu, round) => cpu / (there.cpuOfRounds[round] ?? Number.NaN));
  return { median: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

const mebibyte = 2 ** 20;

const rows: readonly {
  readonly name: string;
  readonly value: (figures: Figures) => number;
  readonly digits: number;
}[] = [
  { name: 'CPU a review, us', value: figures => figures.cpuMicrosecondsPerReview, digits: 1 },
  { name: 'p50, ms', value: figures => figures.p50Ms, digits: 2 },
  { name: 'p99, ms', value: figures => figures.p99Ms, digits: 2 },
  { name: 'reviews a second', value: figures => figures.reviewsPerSecond, digits: 0 },
  { name: 'RSS idle, MiB', value: figures => figures.idleRssBytes / mebibyte, digits: 0 },
  { name: 'RSS loaded, MiB', value: figures => figures.loadedRssBytes / mebibyte, digits: 0 },
];

/** The figures side by side. */
export function renderTable(names: readonly string[], figures: readonly Figures[]): string {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(18) : cell.padStart(16))).join('');
  const body = rows.map(({ name, value, digits }) => line([name, ...figures.map(each => value(each).toFixed(digits))]));
  return [line(['', ...names]), ...body].join('\n');
}

export function renderRatio(what: string, { median: middle, least, most }: CpuRatio): string {
  return `CPU a review, ${what}: ${middle.toFixed(3)} (rounds ${least.toFixed(2)} to ${most.toFixed(2)})`;
}
