/** How bad a finding is: an `error` means that pods are denied or left them without credentials, a `warning` may surprise. */
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
    cause: 'A key of the account map, or the binding of a namespace, holds no account id of 12 digits.',
    remedy: 'Correct the key (`<id>`, `pods.<id>` or `<alias>.<id>`) or the annotation.',
  },
  InvalidTeamId: {
    severity: 'error',
    on: 'ConfigMap, Namespace',
    cause: 'A key of the team map, or the binding of a namespace, holds no team id (letters, digits, `_` and `-`).',
    remedy: 'Correct the key (`<id>`, `pods.<id>` or `<alias>.<id>`) or the annotation.',
  },
  InvalidRoleArn: {
    severity: 'error',
    on: 'ConfigMap, Namespace, ServiceAccount',
    cause:
      'A value of a map is no role ARN; a namespace is bound to it; or a ServiceAccount asks for what is neither a role name nor a role ARN.',
    remedy: 'Correct the value in the map, or the annotation of the ServiceAccount.',
  },
  AccountMismatch: {
    severity: 'error',
    on: 'ConfigMap, Namespace, ACK resource',
    cause:
      "A key of the account map is one account id, its role's account another; or a namespace is bound to it; or a resource is in another account than its namespace is bound to.",
    remedy: "Put a role of the key's account under the key; bind the namespace to the resource's account again.",
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
    cause:
      "With the gate IAMRoleSelector: no selector matches the resource, so ACK works in its controllers' own account.",
    remedy: 'Add a selector that matches, or correct the one that should.',
  },
  SelectorConflict: {
    severity: 'error',
    on: 'ACK resource',
    cause: 'With the gate IAMRoleSelector: more than one selector matches the resource, and ACK stops at it.',
    remedy: 'Narrow all of them but one.',
  },
  RegionChange: {
    severity: 'error',
    on: 'ACK resource',
    cause: 'The annotation says another region than the one that the resource is in: ACK stops at it.',
    remedy: 'Put the region of the status back into the annotation.',
  },
  NamespaceNotLabelled: {
    severity: 'error',
    on: 'Namespace',
    cause:
      'The namespace is bound and lacks the label `carm-webhook.dev/inject`: its pods pass the webhook by, without a role.',
    remedy: 'Label the namespace `carm-webhook.dev/inject: enabled`, or `disabled` if that is meant.',
  },
  RoleOutsideAccount: {
    severity: 'error',
    on: 'ServiceAccount',
    cause: "The ServiceAccount asks for a role outside of its namespace's account and of `--source-accounts`.",
    remedy: "Name a role of the namespace's account, best by its bare name.",
  },
  ControllerRole: {
    severity: 'error',
    on: 'ServiceAccount',
    cause: "With `--require-pods-key`, the ServiceAccount asks for a role that ACK's controllers work with.",
    remedy: 'Remove the annotation, or name another role.',
  },
  PodsShareControllerRole: {
    severity: 'warning',
    on: 'ConfigMap',
    cause:
      'Workloads get a role that ACK provisions with: there is no key `pods.<id>`, or it has the same role as a key of ACK.',
    remedy: 'Give `pods.<id>` a role for workloads. `--require-pods-key` makes the key a must.',
  },
  ResourcesUnbound: {
    severity: 'warning',
    on: 'Namespace',
    cause: "ACK resources are in a namespace that is not bound: ACK works in its controllers' own account.",
    remedy: 'Bind the namespace, if that is not meant; `--unbound-resources=allow` says that it is.',
  },
  BindingIgnored: {
    severity: 'warning',
    on: 'Namespace',
    cause: 'A binding has no effect: the namespace is never managed, or the feature gate TeamLevelCARM is off.',
    remedy: 'Remove the annotation, or turn the gate on.',
  },
  InvalidMode: {
    severity: 'warning',
    on: 'Namespace',
    cause: 'The label `carm-webhook.dev/mode` is none of `enforce`, `warn`, `audit`; the default mode is used.',
    remedy: 'Correct the label.',
  },
  InvalidRegion: {
    severity: 'warning',
    on: 'Namespace, ACK resource',
    cause:
      "The default region, or a resource's own, has not the form of a region, or lies in another partition than the role.",
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
    cause: '`eks.amazonaws.com/token-expiration` is outside of 600 to 86400 seconds; the nearer end is used.',
    remedy: 'Ask for an expiration within these bounds.',
  },
  MisspelledKey: {
    severity: 'warning',
    on: 'Namespace, ServiceAccount',
    cause: 'An annotation that nobody reads looks like one that is read, such as `eks.amazon.com/role-arn`.',
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
  readonly remedy: string;
}

export function finding(reason: FindingReason, object: FoundObject, message: string, remedy?: string): Finding {
  const { severity, remedy: general } = findingKinds[reason];
  return { reason, severity, object, message, remedy: remedy ?? general.replaceAll('`', '') };
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
