import type { Denial } from './catalogue/denial.ts';
import { guardDenials } from './catalogue/guard-denials.ts';
import type { Reason } from './catalogue/reasons.ts';
import { resourceDenials } from './catalogue/resource-denials.ts';
import { roleDenials } from './catalogue/role-denials.ts';
import type { Outcome, ReviewRecord, WebhookEntry } from './record.ts';

/** The labels of a series of reviews. */
export type ReviewSeries = Pick<ReviewRecord, 'webhook' | 'operation' | 'outcome' | 'reason'>;

type Outcomes = Readonly<Partial<Record<Reason, readonly Outcome[]>>>;

const softened: readonly Outcome[] = ['denied', 'warned', 'audited'];

/** The outcomes of denials: each in every mode, except for those that no mode softens. */
function outcomesOf<R extends string>(
  denials: Readonly<Record<R, Pick<Denial<never>, 'softenedBy'>>>,
): Readonly<Record<R, readonly Outcome[]>> {
  const entries = Object.entries<Pick<Denial<never>, 'softenedBy'>>(denials);
  return Object.fromEntries(
    entries.map(([reason, { softenedBy }]) => [reason, softenedBy === 'nothing' ? ['denied'] : softened]),
  ) as Record<R, readonly Outcome[]>;
}

const ofGuards = outcomesOf(guardDenials);
const ofRoles = outcomesOf(roleDenials);
const ofResources = outcomesOf(resourceDenials);
const failureOutcomes: Outcomes = {
  ObjectTooLarge: ['denied'],
  // The answer where an object is too large, and being deleted.
  Terminating: ['allowed'],
  Unverified: ['error'],
  InternalError: ['error', 'warned', 'audited'],
  InvalidReview: ['error'],
};

const byWebhook: Readonly<Record<WebhookEntry, Outcomes>> = {
  'pods.carm-webhook.dev': {
    Injected: ['mutated'],
    NothingToInject: ['allowed', 'mutated'],
    Checked: ['allowed'],
    NamespaceNotManaged: ['allowed'],
    OptedOut: ['allowed', 'mutated'],
    MirrorPod: ['allowed'],
    ...ofRoles,
    ...failureOutcomes,
  },
  'namespaces.carm-webhook.dev': {
    Labelled: ['mutated'],
    Checked: ['allowed'],
    NamespaceNotManaged: ['allowed'],
    OptedOut: ['allowed'],
    ExemptIdentity: ['allowed'],
    Terminating: ['allowed'],
    EndpointNotAllowed: ofGuards.EndpointNotAllowed,
    InvalidLabel: ofGuards.InvalidLabel,
    ...failureOutcomes,
  },
  'resources.carm-webhook.dev': {
    NamespaceNotManaged: ['allowed'],
    Completed: ['mutated'],
    Checked: ['allowed'],
    ExemptIdentity: ['allowed'],
    Terminating: ['allowed'],
    ...ofRoles,
    ...ofResources,
    ...failureOutcomes,
  },
  'status.carm-webhook.dev': {
    NamespaceNotManaged: ['allowed'],
    Checked: ['allowed'],
    ExemptIdentity: ['allowed'],
    ForgedStatus: ofResources.ForgedStatus,
    NamespaceNotFound: ofRoles.NamespaceNotFound,
    ...failureOutcomes,
  },
  'maps.carm-webhook.dev': {
    Checked: ['allowed'],
    ExemptIdentity: ['allowed'],
    NotApplicable: ['allowed'],
    InvalidAccountId: ofRoles.InvalidAccountId,
    InvalidTeamId: ofRoles.InvalidTeamId,
    InvalidRoleArn: ofRoles.InvalidRoleArn,
    AccountMismatch: ofRoles.AccountMismatch,
    MappingInUse: ofGuards.MappingInUse,
    MapImmutable: ofGuards.MapImmutable,
    ...failureOutcomes,
  },
  'selectors.carm-webhook.dev': {
    Checked: ['allowed'],
    NotApplicable: ['allowed'],
    InvalidSelector: ofGuards.InvalidSelector,
    SelectorConflict: ofResources.SelectorConflict,
    SelectorInUse: ofGuards.SelectorInUse,
    ...failureOutcomes,
  },
  'workloads.carm-webhook.dev': {
    Checked: ['allowed'],
    NamespaceNotManaged: ['allowed'],
    OptedOut: ['allowed'],
    NotApplicable: ['allowed'],
    ...ofRoles,
    ...failureOutcomes,
    ObjectTooLarge: ['warned'],
    Unverified: ['error', 'warned'],
  },
};

const unknown: readonly ReviewSeries[] = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'].map(operation => ({
  webhook: 'unknown',
  operation,
  outcome: 'allowed',
  reason: 'NotApplicable',
}));

const ofDelete: ReadonlySet<WebhookEntry> = new Set(['maps.carm-webhook.dev', 'selectors.carm-webhook.dev']);

function operationsOf(webhook: WebhookEntry): readonly string[] {
  return ofDelete.has(webhook) ? ['CREATE', 'UPDATE', 'DELETE'] : ['CREATE', 'UPDATE'];
}

/** Every series that can occur, so that each is there at 0 before its first review. */
export function reviewSeries(): readonly ReviewSeries[] {
  const series: ReviewSeries[] = [...unknown];
  for (const [webhook, outcomesByReason] of Object.entries(byWebhook) as [WebhookEntry, Outcomes][]) {
    for (const [reason, outcomes] of Object.entries(outcomesByReason) as [Reason, readonly Outcome[]][]) {
      for (const outcome of outcomes) {
        for (const operation of operationsOf(webhook)) series.push({ webhook, operation, outcome, reason });
      }
    }
  }
  return series;
}
