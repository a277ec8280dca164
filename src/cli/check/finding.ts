/** How bad a finding is: an `error` means that pods are denied or left without credentials, a `warning` may not be intended. */
export type Severity = 'error' | 'warning';

interface FindingKind {
  readonly severity: Severity;
  /** For `docs/findings.md`: on which objects it is found. */
  readonly on: string;
  /** For `docs/findings.md`. */
  readonly cause: string;
  readonly remedy: string;
}

/** Every reason for a finding: a closed list, the same in `docs/findings.md`. */
export const findingKinds = {
  AccountMapMissing: {
    severity: 'error',
    on: 'ConfigMap',
    cause: 'Namespaces are bound to accounts, and there is no account map.',
    remedy: 'Create the account map with a role for each account.',
  },
  TeamMapMissing: {
    severity: 'error',
    on: 'ConfigMap',
    cause: 'Namespaces are bound to teams, and there is no team map.',
    remedy: 'Create the team map with a role for each team.',
  },
  InvalidAccountId: {
    severity: 'error',
    on: 'ConfigMap, Namespace',
    cause: 'A key of the account map, or the binding of a namespace, is not an account id of 12 digits.',
    remedy: 'Correct the key (`<id>`, `pods.<id>` or `<alias>.<id>`) or the annotation.',
  },
  InvalidTeamId: {
    severity: 'error',
    on: 'ConfigMap, Namespace',
    cause: 'A key of the team map, or the binding of a namespace, is not a team id (letters, digits, `_` and `-`).',
    remedy: 'Correct the key (`<id>`, `pods.<id>` or `<alias>.<id>`) or the annotation.',
  },
  InvalidRoleArn: {
    severity: 'error',
    on: 'ConfigMap, Namespace, ServiceAccount',
    cause:
      'A value of a map is not a role ARN; or a namespace is bound to such an entry; or a ServiceAccount requests something that is neither a role name nor a role ARN.',
    remedy: 'Correct the value in the map, or the annotation of the ServiceAccount.',
  },
  AccountMismatch: {
    severity: 'error',
    on: 'ConfigMap, Namespace, ACK resource',
    cause:
      'A key of the account map names one account, and its role is in another; or a namespace is bound to such an entry; or a resource is in another account than its namespace is bound to.',
    remedy: "Use a role in the key's account; or bind the namespace to the resource's account again.",
  },
  AccountNotMapped: {
    severity: 'error',
    on: 'Namespace',
    cause: 'The account map has no role for the account that the namespace is bound to.',
    remedy: 'Add the key to the account map, or correct the binding.',
  },
  TeamNotMapped: {
    severity: 'error',
    on: 'Namespace',
    cause: 'The team map has no role for the team that the namespace is bound to.',
    remedy: 'Add the key to the team map, or correct the binding.',
  },
  NamespaceNotBound: {
    severity: 'error',
    on: 'Namespace',
    cause: 'The namespace is labelled `carm-webhook.dev/inject: enabled` and has no binding: its pods are denied.',
    remedy: 'Bind the namespace, or remove the label.',
  },
  SelectorNotMatched: {
    severity: 'error',
    on: 'ACK resource',
    cause: "With the gate IAMRoleSelector: no selector matches the resource, so ACK uses its controllers' own account.",
    remedy: 'Add a selector that matches, or correct the one that should.',
  },
  SelectorConflict: {
    severity: 'error',
    on: 'ACK resource',
    cause: 'With the gate IAMRoleSelector: more than one selector matches the resource, so ACK stops reconciling it.',
    remedy: 'Narrow all but one of them.',
  },
  RegionChange: {
    severity: 'error',
    on: 'ACK resource',
    cause: 'The annotation names another region than the one that the resource is in, so ACK stops reconciling it.',
    remedy: 'Set the annotation to the region in the status.',
  },
  NamespaceNotLabelled: {
    severity: 'error',
    on: 'Namespace',
    cause:
      'The namespace is bound and lacks the label `carm-webhook.dev/inject`: the webhook does not see its pods, and they get no role.',
    remedy: 'Label the namespace `carm-webhook.dev/inject: enabled`, or `disabled` if that is intended.',
  },
  RoleOutsideAccount: {
    severity: 'error',
    on: 'ServiceAccount',
    cause: "The ServiceAccount requests a role that is in neither its namespace's account nor `--source-accounts`.",
    remedy: "Use a role in the namespace's account, preferably by its bare name.",
  },
  ControllerRole: {
    severity: 'error',
    on: 'ServiceAccount',
    cause: "With `--require-pods-key`, the ServiceAccount requests a role that ACK's controllers use.",
    remedy: 'Remove the annotation, or use another role.',
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
    cause: "ACK resources are in a namespace that is not bound, so ACK uses its controllers' own account.",
    remedy: 'Bind the namespace if that is not intended, or set `--unbound-resources=allow` if it is.',
  },
  BindingIgnored: {
    severity: 'warning',
    on: 'Namespace',
    cause:
      'A binding has no effect: the webhook never manages the namespace, or the binding is a team id and the feature gate TeamLevelCARM is off.',
    remedy: 'Remove the annotation, or turn the gate on.',
  },
  InvalidMode: {
    severity: 'warning',
    on: 'Namespace',
    cause: 'The label `carm-webhook.dev/mode` is not `enforce`, `warn` or `audit`; the default mode is used.',
    remedy: 'Correct the label.',
  },
  InvalidRegion: {
    severity: 'warning',
    on: 'Namespace, ACK resource',
    cause: "The default region, or a resource's own, is not an AWS region, or is in another partition than the role.",
    remedy: 'Correct `services.k8s.aws/default-region`, `services.k8s.aws/region`, or the flag `--default-region`.',
  },
  InvalidTokenExpiration: {
    severity: 'warning',
    on: 'ServiceAccount',
    cause: '`eks.amazonaws.com/token-expiration` is not a whole number of seconds; the default is used.',
    remedy: 'Write seconds, such as `3600`.',
  },
  TokenExpirationClamped: {
    severity: 'warning',
    on: 'ServiceAccount',
    cause: '`eks.amazonaws.com/token-expiration` is not between 600 and 86400 seconds; the nearer limit is used.',
    remedy: 'Use an expiration within these limits.',
  },
  MisspelledKey: {
    severity: 'warning',
    on: 'Namespace, ServiceAccount',
    cause: 'An annotation that is ignored looks like one that is read, such as `eks.amazon.com/role-arn`.',
    remedy: 'Correct its prefix.',
  },
} as const satisfies Record<string, FindingKind>;

export type FindingReason = keyof typeof findingKinds;

export interface FoundObject {
  /** `ConfigMap`, `Namespace`, `ServiceAccount`, or the kind of an ACK resource. */
  readonly kind: string;
  /** Empty for a Namespace. */
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
