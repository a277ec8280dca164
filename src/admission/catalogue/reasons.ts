/** The one catalogue of reasons: stable codes, the same in messages, audit annotations, metrics and `docs/reasons.md`. */

import { denials } from './denials.ts';
import { warnings } from './warnings.ts';

interface Entry {
  /** For `docs/reasons.md`. */
  readonly cause: string;
}

const done = {
  Injected: { cause: 'The pod was given its role, token, region or STS setting.' },
  NothingToInject: { cause: 'The pod already has everything, or has no container to inject into.' },
  Labelled: { cause: 'A namespace with a binding was given the label `carm-webhook.dev/inject: enabled`.' },
  Completed: { cause: 'An ACK resource was given its region, or a deletion policy that keeps what it adopts.' },
  Checked: { cause: 'The object was checked, and nothing is wrong with it.' },
} as const satisfies Record<string, Entry>;

const notOurs = {
  NamespaceNotManaged: {
    cause:
      'The namespace is neither bound nor labelled `carm-webhook.dev/inject: enabled`, or is one that the webhook never manages.',
  },
  OptedOut: {
    cause:
      'The namespace or the pod is labelled `carm-webhook.dev/inject: disabled`, or the pod is labelled `eks.amazonaws.com/skip-pod-identity-webhook`.',
  },
  MirrorPod: { cause: "The pod is a kubelet's mirror of a static pod, which cannot be changed." },
  ExemptIdentity: {
    cause: 'The request comes from a controller that the webhook never blocks.',
  },
  Terminating: { cause: 'The object is being deleted.' },
  NotApplicable: {
    cause:
      'Nothing that the webhook checks: a resource or an operation that it does not know, a ReplicaSet or Job that Kubernetes creates for a Deployment or CronJob, or a workload with `--workloads=off`.',
  },
} as const satisfies Record<string, Entry>;

const failures = {
  Unverified: {
    cause:
      'According to the cache the object would be denied, or the decision needs what is not cached (ACK resources, or who may bind), and the API server could not be asked in time (`status.code` 503), or the budget for such reads is spent (429).',
    remedy:
      'Retry. If this persists, ask your platform team to check carm-webhook and its connection to the API server.',
  },
  InternalError: {
    cause: 'A bug in the webhook. Its log has the stack trace.',
    remedy: 'Ask your platform team to look at the log of the webhook and to report the bug.',
  },
  InvalidReview: {
    cause: 'A field does not have the type that its API defines.',
    remedy: 'Correct the field that the message names.',
  },
} as const satisfies Record<string, Entry & { readonly remedy: string }>;

/** Every reason, by what it means for the object. */
export const reasonGroups = { denied: denials, failure: failures, warning: warnings, done, notOurs } as const;

/** Reasons of decisions. */
export const reasons = { ...done, ...notOurs, ...denials, ...failures };
export type Reason = keyof typeof reasons;
export type FailureReason = keyof typeof failures;
export type DenialReason = keyof typeof denials;

export type WarningReason = keyof typeof warnings;
