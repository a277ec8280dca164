import type { AckSystem } from '../accounts/ack-system.ts';
import { defaultFeatureGates, type FeatureGates } from '../accounts/feature-gates.ts';
import type { RoleAccessDefaults } from '../accounts/role-access.ts';
import { SessionNameTemplate } from '../injection/session-name.ts';
import { longestTokenSeconds } from '../injection/token-settings.ts';
import type { Identity } from './identity.ts';
import type { Mode } from './mode.ts';

/** What is done with a workload whose pods would be denied. */
export const workloadPolicies = ['warn', 'deny', 'off'] as const;
export type WorkloadPolicy = (typeof workloadPolicies)[number];

/** What is done with an ACK resource in a namespace that is not bound: ACK works in its controllers' own account there. */
export const unboundPolicies = ['warn', 'deny', 'allow'] as const;
export type UnboundPolicy = (typeof unboundPolicies)[number];

/** In which credentials mode pods are kept from their node's role. */
export const metadataPolicies = ['never', 'chain', 'always'] as const;
export type MetadataPolicy = (typeof metadataPolicies)[number];

/** A namespace whose resources may refer to another one; `*` for every namespace. */
export interface NamespacePair {
  readonly from: string;
  readonly to: string;
}

/** Every setting that changes a decision: the same for the server and for the commands that predict it. */
export interface Config extends RoleAccessDefaults {
  /** Where ACK's controllers run and read their maps. Pods use the maps of the first. */
  readonly ackSystems: readonly [AckSystem, ...AckSystem[]];
  /** Where the webhook itself runs; never managed. */
  readonly ownNamespace: string;
  readonly featureGates: FeatureGates;
  readonly defaultRegion: string | undefined;
  readonly defaultMode: Mode;
  /** Pods take the role of `pods.<id>` only, never the one that ACK provisions with. */
  readonly requirePodsKey: boolean;
  readonly tokenExpirationSeconds: number;
  /** Undefined where SDKs name their sessions. */
  readonly roleSessionName: SessionNameTemplate | undefined;
  readonly disableInstanceMetadata: MetadataPolicy;
  readonly workloads: WorkloadPolicy;
  readonly unboundResources: UnboundPolicy;
  /** Who ACK's controllers are, besides `ack-<alias>-controller` of an ACK system namespace. */
  readonly ackIdentities: readonly Identity[];
  /** Identities that may write what only controllers write, to restore a backup. */
  readonly restoreIdentities: readonly Identity[];
  /** Values of `services.k8s.aws/endpoint-url` that a namespace may have. */
  readonly allowedEndpointUrls: ReadonlySet<string>;
  /** References from one namespace to another that are allowed. */
  readonly crossNamespaceReferences: readonly NamespacePair[];
  /** Who binds a namespace, takes it from an account or loosens what guards it must be allowed to by RBAC. */
  readonly authorizeBindings: boolean;
  /** Ends every denial: where to ask. */
  readonly supportMessage: string | undefined;
}

/** As a user would write it. */
export const defaultSessionName = '{namespace}.{serviceAccount}';

export const defaultConfig: Config = {
  ackSystems: [{ namespace: 'ack-system', services: undefined }],
  ownNamespace: 'carm-webhook',
  featureGates: defaultFeatureGates,
  defaultRegion: undefined,
  defaultMode: 'enforce',
  sourceAccounts: new Set(),
  credentials: 'web-identity',
  hubRoleArn: undefined,
  externalId: undefined,
  requirePodsKey: false,
  tokenExpirationSeconds: longestTokenSeconds,
  roleSessionName: SessionNameTemplate.parse(defaultSessionName),
  disableInstanceMetadata: 'chain',
  workloads: 'warn',
  unboundResources: 'warn',
  ackIdentities: [],
  restoreIdentities: [],
  allowedEndpointUrls: new Set(),
  crossNamespaceReferences: [],
  authorizeBindings: false,
  supportMessage: undefined,
};
