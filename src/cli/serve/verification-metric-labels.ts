import { callOutcomes, verificationResults } from '../../aws/verify-roles/verification.ts';
import { eventResults } from '../../cluster/events/event-results.ts';
import type { VerificationMetricLabels } from '../../server/verification-metrics.ts';

/** The closed sets of label values. */
export const verificationMetricLabels: VerificationMetricLabels = {
  results: verificationResults,
  outcomes: callOutcomes,
  eventResults,
};
