/**
 * How ACK decides where it works on a resource, and what it does there: the functions of its runtime by their names there, v0.62.0.
 * https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/reconciler.go if nothing else is said.
 */

type Texts = Readonly<Record<string, string>>;

/** How a controller was started. */
export interface AckSettings {
  /** The account that its own credentials are of. */
  readonly accountId: string;
  /** `--aws-region` */
  readonly region: string;
  /** `--deletion-policy` */
  readonly deletionPolicy: 'delete' | 'retain';
  /** `--enable-carm`; the gate IAMRoleSelector needs it to be off. */
  readonly enableCarm: boolean;
  readonly gates: {
    readonly IAMRoleSelector?: boolean;
    readonly TeamLevelCARM?: boolean;
    readonly ServiceLevelCARM?: boolean;
  };
}

export interface AckNamespace {
  readonly name: string;
  readonly annotations: Texts;
  readonly labels: Texts;
}

/** https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/apis/core/v1alpha1/iam_role_selector.go */
export interface AckSelector {
  readonly name: string;
  readonly spec: {
    readonly arn: string;
    readonly namespaceSelector?: {
      readonly names?: readonly string[];
      readonly labelSelector?: { readonly matchLabels?: Texts };
    };
    readonly resourceTypeSelector?: readonly {
      readonly group: string;
      readonly version: string;
      readonly kind: string;
    }[];
    readonly resourceLabelSelector?: { readonly matchLabels?: Texts };
  };
}

/** What the informers of a controller know. */
export interface AckCaches {
  readonly namespaces: ReadonlyMap<string, AckNamespace>;
  /** Undefined: the ConfigMap is not there. */
  readonly accounts: Texts | undefined;
  readonly teams: Texts | undefined;
  readonly selectors: readonly AckSelector[];
}

/** A resource, as far as decisions go by it. */
export interface AckSubject {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** Of its service; the first label of the group. */
  readonly alias: string;
  readonly namespace: string;
  readonly annotations: Texts;
  readonly labels: Texts;
  /** Of `status.ackResourceMetadata`. */
  readonly ownerAccountId: string | undefined;
  readonly region: string | undefined;
}

const prefix = 'services.k8s.aws';
export const adoptedNote = `${prefix}/adopted`;
export const adoptionPolicyKey = `${prefix}/adoption-policy`;
export const adoptionFieldsKey = `${prefix}/adoption-fields`;
export const deletionPolicyKey = `${prefix}/deletion-policy`;
export const regionKey = `${prefix}/region`;

/** "Default to ignoring the kube-system, kube-public, and kube-node-lease namespaces": service_controller.go */
const ignoredByCarm = ['kube-system', 'kube-public', 'kube-node-lease'];

/**
 * An annotation of the namespace of a resource. An empty one is none: `a != ""`. Neither cache runs without CARM or selectors.
 * https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/cache/namespace.go
 */
function ofNamespace(
  { namespace }: AckSubject,
  key: string,
  caches: AckCaches,
  settings: AckSettings,
  cache: 'carm' | 'any' = 'any',
): string | undefined {
  const isInCarm = settings.enableCarm && !ignoredByCarm.includes(namespace);
  const isRead = isInCarm || (cache === 'any' && settings.gates.IAMRoleSelector === true);
  return isRead ? caches.namespaces.get(namespace)?.annotations[key] || undefined : undefined;
}

/** The account, and whether the account map is asked for its role. */
export function getOwnerAccountId(
  subject: AckSubject,
  caches: AckCaches,
  settings: AckSettings,
): { readonly accountId: string; readonly needsLookup: boolean } {
  const bound = ofNamespace(subject, `${prefix}/owner-account-id`, caches, settings, 'carm');
  if (bound !== undefined) return { accountId: bound, needsLookup: true };
  const { ownerAccountId } = subject;
  if (ownerAccountId !== undefined) {
    return { accountId: ownerAccountId, needsLookup: ownerAccountId !== settings.accountId };
  }
  return { accountId: settings.accountId, needsLookup: false };
}

/** https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/cache/account.go (GetValue) */
function lookUp(map: Texts | undefined, key: string): { readonly role: string } | { readonly error: string } {
  if (map === undefined) return { error: 'CARM configmap not found' };
  if (!Object.hasOwn(map, key)) return { error: 'key not found in CARM configmap' };
  const role = map[key];
  return role ? { role } : { error: 'role value is empty in CARM configmap' };
}

function getRoleArn(id: string, name: string, map: Texts | undefined, alias: string, settings: AckSettings) {
  if (settings.gates.ServiceLevelCARM === true) {
    const ofService = lookUp(map, `${alias}.${id}`);
    if ('role' in ofService) return ofService;
  }
  const found = lookUp(map, id);
  return 'role' in found
    ? found
    : { error: `retrieving role ARN for account/team ID "${id}" from "${name}" configmap: ${found.error}` };
}

/** The fifth field. https://github.com/aws/aws-sdk-go-v2/blob/main/aws/arn/arn.go: `arn:` and six sections are all that it asks for. */
export function accountOfArn(arn: string): string | undefined {
  const sections = arn.split(':');
  return sections[0] === 'arn' && sections.length >= 6 ? sections[4] : undefined;
}

/** https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/iamroleselector/matcher.go (validateSelector) */
function isValid({ spec }: AckSelector): boolean {
  const { names = [], labelSelector } = spec.namespaceSelector ?? {};
  const types = spec.resourceTypeSelector ?? [];
  const hasEmptyKey = (labels: Texts = {}) => Object.keys(labels).includes('');
  return (
    accountOfArn(spec.arn) !== undefined &&
    !names.includes('') &&
    new Set(names).size === names.length &&
    types.every(({ group, version, kind }) => `${group}${version}${kind}` !== '') &&
    new Set(types.map(({ group, version, kind }) => `${group}/${version}/${kind}`)).size === types.length &&
    !hasEmptyKey(labelSelector?.matchLabels) &&
    !hasEmptyKey(spec.resourceLabelSelector?.matchLabels)
  );
}

/** https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/iamroleselector/matcher.go (Matches) */
function matches({ spec }: AckSelector, subject: AckSubject, caches: AckCaches): boolean {
  const { names = [], labelSelector } = spec.namespaceSelector ?? {};
  const types = spec.resourceTypeSelector ?? [];
  const covers = (wanted: Texts = {}, labels: Texts = {}) =>
    Object.entries(wanted).every(([key, value]) => labels[key] === value);
  return (
    (names.length === 0 || names.includes(subject.namespace)) &&
    covers(labelSelector?.matchLabels, caches.namespaces.get(subject.namespace)?.labels) &&
    (types.length === 0 ||
      types.some(
        ({ group, version, kind }) =>
          ['', subject.group].includes(group) &&
          ['', subject.version].includes(version) &&
          ['', subject.kind].includes(kind),
      )) &&
    covers(spec.resourceLabelSelector?.matchLabels, subject.labels)
  );
}

/** Where ACK gets to before it asks AWS for anything. */
export type Work =
  | {
      readonly to: 'work';
      /** What goes into the status. */
      readonly accountId: string;
      readonly region: string;
      /** Undefined: the controllers' own credentials, whatever the account is taken for. */
      readonly roleArn: string | undefined;
    }
  /** `condition`: what is written into the status; everything else is a line in the controller's log. */
  | {
      readonly to: 'stop';
      readonly why: 'RoleNotAvailable' | 'InvalidRoleArn' | 'SelectorConflict' | 'RegionDrift' | 'AccountDrift';
      readonly message: string;
    };

function getRegion(subject: AckSubject, caches: AckCaches, settings: AckSettings): string {
  return (
    subject.region ??
    subject.annotations[regionKey] ??
    ofNamespace(subject, `${prefix}/default-region`, caches, settings) ??
    settings.region
  );
}

function regionDrifted(subject: AckSubject, caches: AckCaches, settings: AckSettings): boolean {
  if (subject.region === undefined) return false;
  const wanted =
    subject.annotations[regionKey] ??
    ofNamespace(subject, `${prefix}/default-region`, caches, settings) ??
    settings.region;
  return wanted !== subject.region;
}

/** The first half of Reconcile: the account and its role, the region, and whether either is another than the one in the status. */
export function decideWork(subject: AckSubject, caches: AckCaches, settings: AckSettings): Work {
  const { gates, enableCarm } = settings;
  const owner = getOwnerAccountId(subject, caches, settings);
  let { accountId } = owner;
  let roleArn: string | undefined;
  const teamId = ofNamespace(subject, `${prefix}/team-id`, caches, settings, 'carm');
  const byTeam = teamId !== undefined && gates.TeamLevelCARM === true;
  if (byTeam || (owner.needsLookup && enableCarm)) {
    const found = byTeam
      ? getRoleArn(teamId, 'ack-role-team-map', caches.teams, subject.alias, settings)
      : getRoleArn(accountId, 'ack-role-account-map', caches.accounts, subject.alias, settings);
    if ('error' in found) return { to: 'stop', why: 'RoleNotAvailable', message: found.error };
    roleArn = found.role;
    const ofRole = accountOfArn(roleArn);
    if (ofRole === undefined) return { to: 'stop', why: 'InvalidRoleArn', message: `parsing role ARN "${roleArn}"` };
    accountId = ofRole;
  }
  if (gates.IAMRoleSelector === true) {
    const matching = caches.selectors.filter(each => isValid(each) && matches(each, subject, caches));
    if (matching.length > 1) {
      const message = `multiple (${matching.length}) matching IAMRoleSelectors found`;
      return { to: 'stop', why: 'SelectorConflict', message };
    }
    const [selector] = matching;
    if (selector !== undefined) {
      roleArn = selector.spec.arn;
      accountId = accountOfArn(roleArn) ?? '';
    }
  }
  const region = getRegion(subject, caches, settings);
  if (regionDrifted(subject, caches, settings)) {
    const message = `Resource already exists in region ${region}, but the desired state specifies region ${subject.annotations[regionKey] ?? ''}. `;
    return { to: 'stop', why: 'RegionDrift', message };
  }
  if (subject.ownerAccountId !== undefined && subject.ownerAccountId !== accountId) {
    const message = `Resource already exists in account ${subject.ownerAccountId}, but the role used for reconciliation is in account ${accountId}. `;
    return { to: 'stop', why: 'AccountDrift', message };
  }
  return { to: 'work', accountId, region, roleArn };
}

/** Everything but `delete` keeps what is in AWS. */
export function getDeletionPolicy(subject: AckSubject, caches: AckCaches, settings: AckSettings): string {
  return (
    subject.annotations[deletionPolicyKey] ??
    ofNamespace(subject, `${subject.alias}.${deletionPolicyKey}`, caches, settings) ??
    settings.deletionPolicy
  );
}

/** https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/util.go (IsReadOnly) */
export function isReadOnly({ annotations }: AckSubject): boolean {
  return annotations[`${prefix}/read-only`]?.toLowerCase() === 'true';
}

/** https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/util.go (IsAdopted) */
export function isAdopted({ annotations }: AckSubject): boolean {
  return annotations[adoptedNote]?.toLowerCase() === 'true';
}

/** https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/util.go (GetAdoptionPolicy) */
export function getAdoptionPolicy({
  annotations,
}: AckSubject): { readonly policy: 'adopt' | 'adopt-or-create' | undefined } | { readonly error: string } {
  const policy = annotations[adoptionPolicyKey];
  if (policy === undefined || policy === 'adopt' || policy === 'adopt-or-create') return { policy };
  return {
    error: `unrecognized adoption policy ${policy}. Supported policies are "adopt" and "adopt-or-create"`,
  };
}

/** https://github.com/aws-controllers-k8s/runtime/blob/v0.62.0/pkg/runtime/util.go (ExtractAdoptionFields) */
export function extractAdoptionFields({
  annotations,
}: AckSubject): { readonly fields: Texts } | { readonly error: string } {
  try {
    const fields: unknown = JSON.parse(annotations[adoptionFieldsKey] ?? '');
    const isMap = typeof fields === 'object' && fields !== null && !Array.isArray(fields);
    if (isMap && Object.values(fields).every(value => typeof value === 'string')) return { fields: fields as Texts };
  } catch {
    // Go says so in other words.
  }
  return { error: 'unmarshalling adoption-fields annotation: it is no JSON object of strings' };
}
