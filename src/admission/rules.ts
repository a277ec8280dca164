import { defaultFeatureGates, type FeatureGates } from '../accounts/feature-gates.ts';
import { longestTokenSeconds } from '../injection/token-settings.ts';
import type { Mode } from './mode.ts';

/** What is done with a workload whose pods would be refused. */
export const workloadPolicies = ['warn', 'deny', 'off'] as const;
export type WorkloadPolicy = (typeof workloadPolicies)[number];

/** Every setting that changes a decision: the same for the server and for the commands that foretell it. */
export interface Rules {
  /** Where the account map and the team map lie. */
  readonly ackSystemNamespace: string;
  /** Where the webhook itself runs; never served. */
  readonly ownNamespace: string;
  readonly featureGates: FeatureGates;
  readonly defaultRegion: string | undefined;
  readonly defaultMode: Mode;
  /** Account ids whose roles every namespace may name: AWS's documented chaining starts from the cluster's account. */
  readonly sourceAccounts: ReadonlySet<string>;
  /** Pods take the role of `pods.<id>` only, never the one that ACK provisions with. */
  readonly requirePodsKey: boolean;
  readonly tokenExpirationSeconds: number;
  readonly workloads: WorkloadPolicy;
  /** Ends every refusal: where to ask. */
  readonly supportMessage: string | undefined;
}

export const defaultRules: Rules = {
  ackSystemNamespace: 'ack-system',
  ownNamespace: 'carm-webhook',
  featureGates: defaultFeatureGates,
  defaultRegion: undefined,
  defaultMode: 'enforce',
  sourceAccounts: new Set(),
  requirePodsKey: false,
  tokenExpirationSeconds: longestTokenSeconds,
  workloads: 'warn',
  supportMessage: undefined,
};
