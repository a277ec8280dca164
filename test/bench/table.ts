import { type Figures, median } from './measurement.ts';

/** How many times as much CPU a review costs here as there, by the rounds, each held against its neighbour. */
export interface CpuRatio {
  readonly median: number;
  /** Between these two lies the middle half of the rounds. */
  readonly lower: number;
  readonly upper: number;
}

export function cpuRatio(here: Figures, there: Figures): CpuRatio {
  const ratios = here.cpuOfRounds.map((cpu, round) => cpu / (there.cpuOfRounds[round] ?? Number.NaN));
  const sorted = ratios.toSorted((left, right) => left - right);
  const at = (share: number): number => sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN;
  return { median: median(ratios), lower: at(0.25), upper: at(0.75) };
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

export function renderRatio(what: string, { median: middle, lower, upper }: CpuRatio): string {
  return `CPU a review, ${what}: ${middle.toFixed(3)} (half of the rounds ${lower.toFixed(2)} to ${upper.toFixed(2)})`;
}
