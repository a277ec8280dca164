import { whatStrands } from '../../admission/catalogue/binding-advice.ts';
import { denials } from '../../admission/catalogue/denials.ts';
import type { DenialReason, WarningReason } from '../../admission/catalogue/reasons.ts';
import { warnings } from '../../admission/catalogue/warnings.ts';

/**
 * How bad a finding is: an `error` means that pods are denied or left without credentials, or that ACK works elsewhere or not
 * at all; a `warning` may not be intended.
 */
export type Severity = 'error' | 'warning';

interface FindingKind {
  readonly severity: Severity;
  /** For `docs/findings.md`: on which objects it is found. */
  readonly on: string;
  /** For `docs/findings.md`. */
  readonly cause: string;
  readonly remedy: string;
}

/** Reasons that the catalogue has too: what is wrong, and what fixes it, stands there. */
const ofCatalogue = {
  AccountMapMissing: ['error', 'ConfigMap'],
  TeamMapMissing: ['error', 'ConfigMap'],
  InvalidAccountId: ['error', 'ConfigMap, Namespace'],
  InvalidTeamId: ['error', 'ConfigMap, Namespace'],
  InvalidRoleArn: ['error', 'ConfigMap, Namespace, ServiceAccount'],
  AccountMismatch: ['error', 'ConfigMap, Namespace, ACK resource'],
  AccountNotMapped: ['error', 'Namespace'],
  InvalidLabel: ['error', 'Namespace'],
  TeamNotMapped: ['error', 'Namespace'],
  NamespaceNotBound: ['error', 'Namespace'],
  SelectorNotMatched: ['error', 'ACK resource'],
  SelectorConflict: ['error', 'ACK resource'],
  RegionChange: ['error', 'ACK resource'],
  RoleGrantNotAllowed: ['error', 'ACK resource'],
  RoleOutsideAccount: ['error', 'Namespace, ServiceAccount'],
  ControllerRole: ['error', 'ConfigMap, Namespace, ServiceAccount'],
  InvalidAnnotation: ['error', 'Namespace, ServiceAccount'],
  CredentialConflict: ['error', 'Namespace, ServiceAccount'],
  ForgedAnnotation: ['error', 'Deployment, StatefulSet, DaemonSet, CronJob, Job, Pod, or what else controls a pod'],
  RoleBroken: ['error', 'Namespace'],
  BindingIgnored: ['warning', 'Namespace'],
  InvalidTokenExpiration: ['warning', 'ServiceAccount'],
  TokenExpirationClamped: ['warning', 'ServiceAccount'],
  MisspelledKey: ['warning', 'ConfigMap, Namespace, ServiceAccount, ACK resource, Pod or what controls it'],
  MisplacedKey: ['warning', 'Namespace, ServiceAccount, ACK resource, Pod or what controls it'],
} as const satisfies Partial<Readonly<Record<DenialReason | WarningReason, readonly [Severity, on: string]>>>;

const own = {
  NamespaceNotLabelled: {
    severity: 'error',
    on: 'Namespace',
    cause:
      'The namespace is bound and lacks the label `carm-webhook.dev/inject`: the webhook does not see its pods, and they get no role.',
    remedy: 'Label the namespace `carm-webhook.dev/inject: enabled`, or `disabled` if that is intended.',
  },
  CriticalNamespaceManaged: {
    severity: 'warning',
    on: 'Namespace',
    cause:
      "The namespace is bound or labelled, and has pods that the cluster or the webhook cannot do without: ACK's controllers, cert-manager, or pods of the class `system-cluster-critical` or `system-node-critical`, such as a CNI's. None of them can start while the webhook does not answer.",
    remedy: 'Give these pods their role in another way, and label the namespace `carm-webhook.dev/inject: disabled`.',
  },
  WebhookEntryMissing: {
    severity: 'error',
    on: 'MutatingWebhookConfiguration, ValidatingWebhookConfiguration',
    cause: 'The configuration lacks an entry that this version has: what it would judge passes unseen.',
    remedy: 'Install the version that runs again (`helm upgrade`, or its manifests), or run `check` of that version.',
  },
  WebhookConfigurationDiffers: {
    severity: 'warning',
    on: 'MutatingWebhookConfiguration, ValidatingWebhookConfiguration',
    cause:
      "An entry is not that of this version in its rules, namespace selector, conditions, failure policy, timeout or other settings. Names, `caBundle`, further exclusions, further groups of ACK's and the condition that names ACK's controllers are each installation's own.",
    remedy: 'Install the version that runs again (`helm upgrade`, or its manifests), or run `check` of that version.',
  },
  MutatingWebhookAfterOurs: {
    severity: 'warning',
    on: 'MutatingWebhookConfiguration',
    cause:
      'Another mutating webhook changes pods after this one, since configurations are called in the order of their names. Credentials that it sets are not respected, as those of EKS are. A container that it adds gets its role when the webhook is called again.',
    remedy: 'If it sets variables or volumes for AWS, give its configuration a name that sorts before.',
  },
  CertificateNotTrusted: {
    severity: 'error',
    on: 'MutatingWebhookConfiguration, ValidatingWebhookConfiguration',
    cause:
      'The API server cannot verify the certificate that the webhook serves: `caBundle` is empty, is of another CA, or the certificate has another name. Every call fails.',
    remedy:
      'Have cert-manager write the CA (annotation `cert-manager.io/inject-ca-from`), or set `caBundle` to the CA of the certificate.',
  },
  CertificateExpired: {
    severity: 'error',
    on: 'Service, Secret, MutatingWebhookConfiguration, ValidatingWebhookConfiguration',
    cause: 'The certificate that the webhook serves, or its CA, has ended: every call fails.',
    remedy:
      'Renew it. `kubectl describe certificate` says why cert-manager did not; one that Helm made, or a Secret of your own, nobody renews for you.',
  },
  CertificateExpiring: {
    severity: 'warning',
    on: 'Service, Secret, MutatingWebhookConfiguration, ValidatingWebhookConfiguration',
    cause:
      'The certificate that the webhook serves, or its CA, ends within 30 days and within the last fifth of its lifetime. cert-manager would have renewed it before.',
    remedy:
      'Renew it. `kubectl describe certificate` says why cert-manager did not; one that Helm made, or a Secret of your own, nobody renews for you.',
  },
  WebhookRightMissing: {
    severity: 'error',
    on: 'ServiceAccount',
    cause:
      'The webhook may not read what it decides by. Its caches stay empty, or a change cannot be verified (`Unverified`).',
    remedy:
      'Install its ClusterRole and Roles again (`helm upgrade`, or the manifests), for each ACK system namespace.',
  },
  PodsWithoutRole: {
    severity: 'error',
    on: 'Deployment, StatefulSet, DaemonSet, CronJob, Job, Pod, or what else controls a pod',
    cause:
      'Pods run without the role that they would get if they were created now: they are older than the webhook, the label or the binding, or the mapped role changed since.',
    remedy: 'Have them created again. For a Deployment, `kubectl rollout restart` does that.',
  },
  PodsShareControllerRole: {
    severity: 'warning',
    on: 'ConfigMap',
    cause:
      "Pods get a role that ACK's controllers use: there is no key `pods.<id>`, or it has the same role as one of ACK's keys.",
    remedy: 'Set `pods.<id>` to a role for workloads. With `--require-pods-key` that key is required.',
  },
  ResourcesUnbound: {
    severity: 'warning',
    on: 'Namespace',
    cause:
      "ACK resources are in a namespace that is not bound, so ACK uses its controllers' own account. It goes on with an existing resource in the account of its status, if the account map has a key for that.",
    remedy:
      'Set `--unbound-resources=allow` if that is intended. If not, bind the namespace to the account in the status of its resources, or to another one once they are gone: ACK stops reconciling those of other accounts.',
  },
  ResourcesStranded: {
    severity: 'error',
    on: 'Namespace',
    cause:
      "ACK resources are in a namespace that is not bound, and the account map has no key for the account that ACK has recorded for them, which is not its controllers' own: ACK stops reconciling them, and cannot delete them.",
    remedy: 'Add a key for that account to the account map, with a role in that account.',
  },
  RebindStillAllowed: {
    severity: 'warning',
    on: 'Namespace',
    cause:
      'The namespace has the annotation `carm-webhook.dev/allow-rebind`. As long as it is there, a later change may leave ACK resources behind too, with only a warning to whoever makes it.',
    remedy: 'Remove the annotation once the change that it is for was made.',
  },
  NobodyMayBind: {
    severity: 'warning',
    on: 'ConfigMap',
    cause:
      'The webhook runs with `--authorize-bindings`, and a map has accounts or teams that nobody except cluster admins may bind: no ClusterRole that a ClusterRoleBinding gives to anybody grants the verb `bind` on them, in a rule that names the API group `carm-webhook.dev`. Rules for every API group (`*`), such as that of `cluster-admin`, do not count.',
    remedy:
      'Grant the verb `bind` on `accounts.carm-webhook.dev` or `teams.carm-webhook.dev` by a ClusterRole and a ClusterRoleBinding, to cluster admins too if only they may bind; or remove the entries.',
  },
  ControllerGatesDiffer: {
    severity: 'error',
    on: 'Deployment',
    cause:
      "An ACK controller runs with a feature gate on that is off in `--feature-gates`, or off and on there: the webhook judges ACK's resources by other rules than ACK.",
    remedy: `Give the webhook the gates of the controller. ${whatStrands} Another gate of the controller can do that to all of them.`,
  },
  ControllerIgnoresBindings: {
    severity: 'error',
    on: 'Deployment',
    cause:
      'An ACK controller ignores the bindings of all namespaces and works in its own account: it runs with `--enable-carm=false` and without the gate IAMRoleSelector, or it watches exactly one namespace.',
    remedy: `Turn CARM on (\`enableCARM: true\` in its Helm chart), and have it watch all namespaces or two and more. Before, look at the account in the status of the controller's resources: ${whatStrands}`,
  },
  ControllerReadsOtherMaps: {
    severity: 'error',
    on: 'Deployment',
    cause:
      'An ACK controller reads its maps in another namespace than `--ack-system-namespace` names for its service, so ACK may find another role than the webhook, or none.',
    remedy:
      'Correct `--ack-system-namespace`. Or correct `ACK_SYSTEM_NAMESPACE` in the environment of the controller, if the maps there have the accounts of all of its resources.',
  },
  ControllerRegionDiffers: {
    severity: 'warning',
    on: 'Deployment',
    cause:
      "An ACK controller's `--aws-region` is not `--default-region`. Where a namespace names no region, ACK creates resources in the one, and pods look for them in the other.",
    remedy: 'Set `--default-region` to the region of the controllers, if the difference is not intended.',
  },
  RegionUnknown: {
    severity: 'warning',
    on: 'Namespace',
    cause:
      'Neither the namespace nor `--default-region` names a region, so none is injected. Some AWS SDKs fail without one, unless a container sets it.',
    remedy:
      'Set the flag `--default-region`, or `AWS_REGION` in the containers; or, where the namespace has no ACK resources yet, its annotation `services.k8s.aws/default-region`.',
  },
  InvalidRegion: {
    severity: 'warning',
    on: 'Namespace, ACK resource',
    cause: "The default region, or a resource's own, is not an AWS region, or is in another partition than the role.",
    remedy: 'Correct `services.k8s.aws/default-region`, `services.k8s.aws/region`, or the flag `--default-region`.',
  },
} as const satisfies Record<string, FindingKind>;

export type FindingReason = keyof typeof ofCatalogue | keyof typeof own;

const catalogue = { ...denials, ...warnings };

/** Every reason for a finding: a closed list, the same in `docs/findings.md`. */
export const findingKinds: Readonly<Record<FindingReason, FindingKind>> = {
  ...(Object.fromEntries(
    Object.entries(ofCatalogue).map(([reason, [severity, on]]) => {
      const { cause, remedy } = catalogue[reason as keyof typeof ofCatalogue];
      return [reason, { severity, on, cause, remedy }];
    }),
  ) as Record<keyof typeof ofCatalogue, FindingKind>),
  ...own,
};

export interface FoundObject {
  /** Such as `ConfigMap` or `Namespace`, the kind of an ACK resource, or of what controls pods. */
  readonly kind: string;
  /** Empty for what is in none. */
  readonly namespace: string;
  readonly name: string;
}

/** As `check -o json` prints it. */
export interface Finding {
  readonly reason: FindingReason;
  readonly severity: Severity;
  readonly object: FoundObject;
  readonly message: string;
  readonly fix: string;
}

export function finding(reason: FindingReason, object: FoundObject, message: string, fix?: string): Finding {
  const { severity, remedy: general } = findingKinds[reason];
  return { reason, severity, object, message, fix: fix ?? general.replaceAll('`', '') };
}

function sortKey({ severity, object, reason, message }: Finding): string {
  // Errors sort before warnings by their names.
  return [severity, object.kind, object.namespace, object.name, reason, message].join('\u0000');
}

/** Errors first; then by object. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  const keyed = findings.map(found => ({ found, key: sortKey(found) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ found }) => found);
}
