import type { Figures } from './measurement.ts';

export interface TableInput {
  readonly program: string;
  readonly connections: number;
  readonly rounds: number;
  readonly ours: Figures;
  readonly constant: Figures;
  /** Median over the rounds, each round's two stretches against each other. */
  readonly cpuRatio: number;
}

const rows: readonly {
  readonly name: string;
  readonly value: (figures: Figures) => number;
  readonly digits: number;
}[] = [
  { name: 'reviews a second', value: figures => figures.reviewsPerSecond, digits: 0 },
  { name: 'p50, ms', value: figures => figures.p50Ms, digits: 2 },
  { name: 'p99, ms', value: figures => figures.p99Ms, digits: 2 },
  { name: 'CPU a review, us', value: figures => figures.cpuMicrosecondsPerReview, digits: 1 },
  { name: 'RSS, MiB', value: figures => figures.rssBytes / 2 ** 20, digits: 0 },
];

/** The figures side by side, with their ratios. */
export function renderTable({ program, connections, rounds, ours, constant, cpuRatio }: TableInput): string {
  const line = (cells: readonly string[]): string =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(18) : cell.padStart(14))).join('');
  const body = rows.map(({ name, value, digits }) =>
    line([
      name,
      value(ours).toFixed(digits),
      value(constant).toFixed(digits),
      (value(ours) / value(constant)).toFixed(2),
    ]),
  );
  return `${[
    `${program}, ${connections} keep-alive TLS connections, ${rounds} rounds in turns, ${ours.reviews} reviews of ours and ${constant.reviews} of the constant handler's`,
    '',
    line(['', 'carm-webhook', 'constant', 'ratio']),
    ...body,
    '',
    `CPU ratio, median of the rounds: ${cpuRatio.toFixed(2)} (aim: at most 3.5)`,
  ].join('\n')}\n`;
}
