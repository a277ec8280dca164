import type { Denial, Softening } from '../../../src/admission/catalogue/denial.ts';
import { reasonGroups } from '../../../src/admission/catalogue/reasons.ts';

/** Renders `docs/reasons.md` from the catalogue. */

const fixIntroductions = {
  you: 'you',
  'platform team': 'your platform team',
} as const;

interface Entry {
  readonly cause: string;
  readonly fixedBy?: keyof typeof fixIntroductions;
  readonly remedy?: string;
  readonly softenedBy?: Denial<never>['softenedBy'];
}

const groups: Readonly<Record<keyof typeof reasonGroups, { readonly title: string; readonly text: string }>> = {
  denied: {
    title: 'Denied',
    text: 'The object was not admitted (`status.code` 403). In a namespace with mode `warn` the object is admitted without changes, and the same message becomes a warning; with mode `audit` it appears only in audit annotations, logs and metrics. Some denials ignore the mode, and a few follow only `--default-mode`: their entries say so.',
  },
  failure: {
    title: 'Failures',
    text: 'The object could not be judged. The answer has a `status.code` other than 403.',
  },
  warning: {
    title: 'Warnings',
    text: 'The object was admitted. `kubectl` prints the line after `Warning:`.',
  },
  done: {
    title: 'Done',
    text: 'The object was admitted, and this is what was done to it. You meet these in audit annotations and metrics.',
  },
  notOurs: {
    title: 'Not ours',
    text: 'The object was admitted and nothing was judged. You meet these in audit annotations and metrics.',
  },
};

const softenings: Readonly<Record<Softening, string>> = {
  namespace: 'Follows the mode of the namespace.',
  default: 'Softened by `--default-mode` only: a label of the namespace does not soften it.',
  nothing: 'Denied in every mode.',
};

function renderSoftening(softenedBy: Entry['softenedBy']): readonly string[] {
  if (softenedBy === undefined || softenedBy === 'namespace') return [];
  if (typeof softenedBy === 'string') return ['', softenings[softenedBy]];
  return ['', `For a pod that is created: ${softenings[softenedBy.pod]} Otherwise: ${softenings[softenedBy.others]}`];
}

function renderEntry(reason: string, { cause, fixedBy, remedy, softenedBy }: Entry): string {
  const lines = [`### ${reason}`, '', cause];
  lines.push(...renderSoftening(softenedBy));
  if (fixedBy !== undefined) lines.push('', `Who can fix it: ${fixIntroductions[fixedBy]}.`);
  if (remedy !== undefined) lines.push('', `How: ${remedy}`);
  return lines.join('\n');
}

/** The whole page, as `docs/reasons.md` must be. */
export function renderReasonsPage(): string {
  const sections = Object.entries(reasonGroups).map(([group, entries]) => {
    const { title, text } = groups[group as keyof typeof groups];
    const rendered = Object.entries<Entry>(entries).map(([reason, entry]) => renderEntry(reason, entry));
    return [`## ${title}`, text, ...rendered].join('\n\n');
  });
  const head = `# Reasons

Every answer of carm-webhook names its reason: a code in brackets at the end of a message or a warning, such as
\`(AccountNotMapped)\`. The same code is in the audit annotation \`reason\` and in the label \`reason\` of the metrics. Search
this page for the code in your message.

This page is generated from the catalogue in the code, and a test keeps them equal.`;
  return `${[head, ...sections].join('\n\n')}\n`;
}
