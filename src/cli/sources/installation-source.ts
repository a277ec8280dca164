import type { JsonObject } from '../../objects/json.ts';

export const configurationKinds = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'] as const;
export type ConfigurationKind = (typeof configurationKinds)[number];

/** What a SubjectAccessReview asks for. https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/ */
export interface AskedRight {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** What there is in a cluster of an installation of the webhook. Every read throws ClusterUnreachableError where it fails. */
export interface InstallationSource {
  /** Whether this is a pod of that cluster, which can reach its Services. */
  readonly isOfThisPod: boolean;
  /** All configurations of a kind, of all webhooks. */
  configurations(kind: ConfigurationKind): Promise<readonly JsonObject[]>;
  /** Undefined: no such Service. */
  service(namespace: string, name: string): Promise<JsonObject | undefined>;
  /** @param selector as `key=value,key=value`. */
  podsOf(namespace: string, selector: string): Promise<readonly JsonObject[]>;
  /** Undefined: no such Secret. */
  secret(namespace: string, name: string): Promise<JsonObject | undefined>;
  /** Whether a ServiceAccount has a right. */
  isAllowed(serviceAccount: { readonly namespace: string; readonly name: string }, right: AskedRight): Promise<boolean>;
  /** The groups of ACK's services that the cluster has, each with one of its resources. */
  ackGroups(): Promise<ReadonlyMap<string, string>>;
}
