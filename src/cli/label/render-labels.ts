import { injectLabel } from '../../objects/keys.ts';
import { alignColumns } from '../table.ts';
import type { LeftOut } from './label-choice.ts';

/** Namespaces that are listed of each result; the others are counted. */
export const mostListed = 1000;

/** What became of one namespace; in a dry run, what would. */
export interface LabelRow {
  readonly namespace: string;
  readonly result: 'labelled' | 'left out';
  /** Empty for one that was labelled. */
  readonly reasons: readonly LeftOut[];
}

export interface LabelReport {
  readonly dryRun: boolean;
  /** By name. */
  readonly rows: readonly LabelRow[];
  /** Bound namespaces that had the label. */
  readonly labelledBefore: number;
  readonly optedOut: number;
}

function listed(rows: readonly LabelRow[]) {
  const count = { labelled: 0, 'left out': 0 };
  const first = rows.filter(({ result }) => ++count[result] <= mostListed);
  return {
    first,
    count,
    notListed: {
      labelled: Math.max(0, count.labelled - mostListed),
      leftOut: Math.max(0, count['left out'] - mostListed),
    },
  };
}

export function renderJson({ dryRun, rows, labelledBefore, optedOut }: LabelReport): string {
  const { first, notListed } = listed(rows);
  const namespaces = first.map(({ namespace, result, reasons }) => ({
    namespace,
    result: result === 'labelled' ? 'labelled' : 'leftOut',
    reasons,
  }));
  return `${JSON.stringify({ dryRun, namespaces, notListed, labelledBefore, optedOut }, undefined, 2)}\n`;
}

/** What is to be known of those that are left out: any change has the webhook label them. */
const leftOutNote = `A namespace that is bound gets the label at its next change of any kind, also one that was left out. To keep its
pods from the webhook until then, label it ${injectLabel}=disabled.`;

export function renderTable({ dryRun, rows, labelledBefore, optedOut }: LabelReport): string {
  const { first, count, notListed } = listed(rows);
  const done = dryRun ? 'would be labelled' : 'labelled';
  const cells = first.map(({ namespace, result, reasons }) => [
    namespace,
    result === 'labelled' ? done : result,
    reasons.map(({ reason }) => reason).join(', '),
  ]);
  const [head = '', ...lines] = alignColumns([['NAMESPACE', 'RESULT', 'REASON'], ...cells]);
  const entries = lines.map((line, index) =>
    [line, ...(first[index]?.reasons ?? []).map(({ message }) => `    ${message}`)].join('\n'),
  );
  const more = notListed.labelled + notListed.leftOut;
  const sum = `${count.labelled} ${done}, ${count['left out']} left out; before: ${labelledBefore} labelled, ${optedOut} opted out`;
  return [
    ...(rows.length === 0 ? ['nothing to label'] : [head, ...entries]),
    ...(more === 0 ? [] : [`and ${more} more, not listed`]),
    '',
    sum,
    ...(count['left out'] === 0 ? [] : [leftOutNote]),
    '',
  ].join('\n');
}
