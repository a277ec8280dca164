import { type Reason, type RefusalReason, reasons } from './catalogue.ts';
import type { Outcome, ReviewRecord, WebhookEntry } from './record.ts';

/** The labels of a series of reviews. */
export type ReviewSeries = Pick<ReviewRecord, 'webhook' | 'operation' | 'outcome' | 'reason'>;

type Outcomes = Readonly<Partial<Record<Reason, readonly Outcome[]>>>;

const softened: readonly Outcome[] = ['denied', 'warned', 'audited'];
const refusalReasons = Object.entries(reasons).flatMap(([reason, { group }]) =>
  group === 'refused' ? [reason as RefusalReason] : [],
);
const refusalOutcomes: Outcomes = Object.fromEntries(refusalReasons.map(reason => [reason, softened]));
const troubleOutcomes: Outcomes = {
  Unverified: ['error'],
  InternalError: ['error', 'warned', 'audited'],
  InvalidReview: ['error'],
};

const byWebhook: Readonly<Record<WebhookEntry, Outcomes>> = {
  'pods.carm-webhook.dev': {
    Injected: ['mutated'],
    NothingToInject: ['allowed', 'mutated'],
    Checked: ['allowed'],
    NotServed: ['allowed'],
    OptedOut: ['allowed', 'mutated'],
    MirrorPod: ['allowed'],
    ...refusalOutcomes,
    ...troubleOutcomes,
  },
  'namespaces.carm-webhook.dev': {
    Labelled: ['mutated'],
    Checked: ['allowed'],
    NotServed: ['allowed'],
    OptedOut: ['allowed'],
    ExemptIdentity: ['allowed'],
    Terminating: ['allowed'],
    ...troubleOutcomes,
  },
  'workloads.carm-webhook.dev': {
    Checked: ['allowed'],
    NotServed: ['allowed'],
    OptedOut: ['allowed'],
    NotOurs: ['allowed'],
    ...refusalOutcomes,
    ...troubleOutcomes,
    Unverified: ['error', 'warned'],
  },
};

const unknown: readonly ReviewSeries[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'].map(operation => ({
  webhook: 'unknown',
  operation,
  outcome: 'allowed',
  reason: 'NotOurs',
}));

/** Every series that can occur, so that each is there at 0 before its first review. */
export function reviewSeries(): readonly ReviewSeries[] {
  const series: ReviewSeries[] = [...unknown];
  for (const [webhook, outcomesByReason] of Object.entries(byWebhook) as [WebhookEntry, Outcomes][]) {
    for (const [reason, outcomes] of Object.entries(outcomesByReason) as [Reason, readonly Outcome[]][]) {
      for (const outcome of outcomes) {
        for (const operation of ['CREATE', 'UPDATE']) series.push({ webhook, operation, outcome, reason });
      }
    }
  }
  return series;
}
