import type { AccountId } from '../../accounts/account-id.ts';
import { partitionOfRegion } from '../../accounts/partition.ts';
import type { ProviderProblem } from '../../accounts/provider-problem.ts';
import { parseRoleArn } from '../../accounts/role-arn.ts';
import type { ContainerWarning } from '../../injection/inject.ts';
import type { RegionWarning } from '../../injection/region.ts';
import type { TokenWarning } from '../../injection/token-settings.ts';
import { longestTokenSeconds, shortestTokenSeconds } from '../../injection/token-settings.ts';
import { tokenMountPath } from '../../injection/token-volume.ts';
import type { KeyHint } from '../../objects/key-hints.ts';
import {
  adoptedAnnotation,
  adoptionPolicyAnnotation,
  defaultRegionAnnotation,
  deletionPolicyAnnotation,
  ownerAccountIdAnnotation,
  regionAnnotation,
  serviceDeletionPolicyAnnotation,
  skipContainersAnnotation,
} from '../../objects/keys.ts';
import { quote, quoteNames } from '../../objects/quote.ts';
import type { InvalidLabelValue } from '../label-values.ts';
import { whatStrands } from './binding-advice.ts';
import { providerProblemWords } from './provider-problems.ts';
import { type RebindWarning, rebindWarnings } from './rebind-warnings.ts';

/** A key that nobody reads: of a label, an annotation, or a map. */
export type IgnoredKey = Pick<KeyHint, 'reason' | 'key' | 'meant'> & {
  /** `annotation` and `pod`; `key` and `account map`. */
  readonly as: KeyHint['as'] | 'key';
  /** Of an object; the name that was meant is all that a map needs. */
  readonly replacement?: KeyHint['replacement'];
  readonly on: string;
};

/** A label whose value is none that we know, and what comes of it. */
export interface IgnoredLabel extends InvalidLabelValue {
  readonly reason: 'InvalidLabel';
  readonly effect: string;
}

export function sayIgnoredKey({ key, as, on, meant }: IgnoredKey): string {
  const what = `${as} ${quote(key)} ${as === 'key' ? 'in' : 'on'} the ${on} is ignored`;
  return meant === undefined ? `${what}: carm-webhook has no such key` : `${what}. Did you mean ${meant}?`;
}

/** What is worth a warning to whoever applied the object. */
export type Warning =
  | TokenWarning
  | RegionWarning
  | ContainerWarning
  | { readonly reason: 'UnknownContainer'; readonly names: readonly string[] }
  | IgnoredKey
  | IgnoredLabel
  | {
      readonly reason: 'BindingUnresolved';
      readonly denied: 'pods' | 'ACK resources';
      readonly until: 'the binding resolves' | 'the namespace is bound' | 'that is corrected';
      readonly wrong: string;
    }
  | { readonly reason: 'RunsWithoutRole'; readonly wrong: string }
  | { readonly reason: 'LabelRestored' }
  | { readonly reason: 'MappingUseUnverified'; readonly keys: readonly string[] }
  | { readonly reason: 'SelectorUseUnverified' }
  | { readonly reason: 'BindingRemoved'; readonly labelled: boolean }
  | RebindWarning
  | { readonly reason: 'BindingIgnored'; readonly what: string; readonly because: string }
  | { readonly reason: 'OwnerIgnored'; readonly isBound: boolean }
  | { readonly reason: 'UnknownValue'; readonly key: string; readonly value: string; readonly allowed: string }
  | { readonly reason: 'RetainAdded' }
  | { readonly reason: 'AdoptedNotRetained' }
  /** `annotate`: what has ACK adopt the resource, as `kubectl annotate` takes it. */
  | { readonly reason: 'FinalizerRemoved'; readonly annotate: readonly string[] }
  | { readonly reason: 'RegionPinned'; readonly region: string; readonly byDefault: string }
  | { readonly reason: 'UnknownService'; readonly keys: readonly string[] }
  | { readonly reason: 'RoleReplaced'; readonly key: string; readonly namespaces: number }
  | { readonly reason: 'DebugContainerNotInjected'; readonly wrong: string }
  | { readonly reason: 'RoleBroken'; readonly accountId: AccountId; readonly problem: ProviderProblem };

export interface WarningEntry<R> {
  /** For `docs/reasons.md`. */
  readonly cause: string;
  readonly remedy: string;
  /** One line, best at most 120 characters. */
  readonly say: (warning: R) => string;
}

type EntryOf<R extends Warning['reason']> = WarningEntry<Extract<Warning, { readonly reason: R }>>;

function containersNamed({ containers }: Pick<ContainerWarning, 'containers'>): string {
  return `container${containers.length === 1 ? '' : 's'} ${quoteNames(containers)}`;
}

/** A role by its ARN, which the boundary let pass; by its name and account where that is long: it may have 2,048 characters. */
export function nameRole(roleArn: string): string {
  const role = parseRoleArn(roleArn);
  if (role === undefined) return quote(roleArn);
  return roleArn.length <= 100
    ? roleArn
    : `role ${quote(role.name.split('/').at(-1) ?? '')} of account ${role.accountId}`;
}

/** Each warning: its cause, what fixes it, and the words for one case. */
export const warnings: { readonly [R in Warning['reason']]: EntryOf<R> } = {
  TokenExpirationClamped: {
    cause: `A token expiration is not between ${shortestTokenSeconds} and ${longestTokenSeconds} seconds; the nearer limit is used.`,
    remedy: 'Use an expiration within these limits.',
    say: ({ value, seconds }) => `token-expiration ${quote(value)} is out of range; using ${seconds} seconds`,
  },
  InvalidTokenExpiration: {
    cause:
      "A token expiration is not a whole number of seconds; the next one is used. The order is the pod's, the ServiceAccount's, the default.",
    remedy: 'Write seconds, such as `3600`.',
    say: ({ value, seconds }) => `token-expiration ${quote(value)} is not a number of seconds; using ${seconds}`,
  },
  InvalidRegion: {
    cause: 'The default region is not an AWS region, or is in another partition than the role; no region is injected.',
    remedy: "Correct the namespace's `services.k8s.aws/default-region`, or the flag `--default-region`.",
    say: ({ value, from, partition }) => {
      const isRegion = partitionOfRegion(value) !== undefined;
      const which = `${quote(value)} is not ${isRegion ? `a region of partition ${partition}` : 'an AWS region'}; no region is injected`;
      return from === 'namespace'
        ? `${defaultRegionAnnotation} of the namespace: ${which}`
        : `--default-region ${which}; the namespace can set ${defaultRegionAnnotation}`;
    },
  },
  UnknownContainer: {
    cause: `\`${skipContainersAnnotation}\` names a container that the pod does not have.`,
    remedy: 'Correct the name, or remove it.',
    say: ({ names }) => `skip-containers names no container of this pod: ${quoteNames(names)}`,
  },
  StaticAccessKey: {
    cause: 'A container sets `AWS_ACCESS_KEY_ID`: AWS SDKs use it before the injected role.',
    remedy: 'Remove the static key, or skip the container.',
    say: warning => `AWS_ACCESS_KEY_ID in ${containersNamed(warning)} overrides the injected role`,
  },
  OtherCredentials: {
    cause:
      'A container sets `AWS_PROFILE`, `AWS_DEFAULT_PROFILE`, `AWS_SHARED_CREDENTIALS_FILE`, `AWS_CONFIG_FILE` or, the old name of a static key, `AWS_ACCESS_KEY`: some AWS SDKs use these instead of the injected role, or fail where a profile is missing.',
    remedy: 'Remove the variable, or skip the container.',
    say: warning =>
      `${warning.variables.join(', ')} in ${containersNamed(warning)} may override the injected role, or make AWS SDKs fail`,
  },
  RoleDiffers: {
    cause:
      'A pod comes with role, token file and volume as an earlier injection left them, for example from a backup, and now another role is due. It keeps its role.',
    remedy:
      'To get the role that is due, create the pod from a manifest without the injected variables; a controller does so when you delete the pod.',
    say: ({ containers, kept, due }) =>
      `${containersNamed({ containers })} ${containers.length === 1 ? 'keeps' : 'keep'} ${nameRole(kept)}, set in env; to get ${nameRole(due)}, remove AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE`,
  },
  IncompleteWebIdentity: {
    cause: 'A container sets `AWS_WEB_IDENTITY_TOKEN_FILE` without `AWS_ROLE_ARN`: no role is injected into it.',
    remedy: 'Remove the variable, or set both.',
    say: warning =>
      `no role is injected into ${containersNamed(warning)}: AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN`,
  },
  EmptyRoleArn: {
    cause: "A container sets `AWS_ROLE_ARN` to an empty value: AWS SDKs fall back to the node's role.",
    remedy: 'Remove the variable: the webhook injects the role.',
    say: warning => `empty AWS_ROLE_ARN in ${containersNamed(warning)}: AWS SDKs fall back to the node's role`,
  },
  MisspelledVariable: {
    cause:
      'A container sets `AWS_ROLE_ARN` in another case, such as `aws_role_arn`: on Linux no AWS SDK reads it. In a pod that may run on Windows it is checked like `AWS_ROLE_ARN` itself.',
    remedy: 'Correct the name, or remove the variable.',
    say: warning => `misspelled AWS_ROLE_ARN in ${containersNamed(warning)}: AWS SDKs on Linux ignore it`,
  },
  EnvFromUnverified: {
    cause: 'A container that gets no role has `envFrom`: a role that comes from there is not verified.',
    remedy: 'Remove the variable so that the webhook injects the role, or set `AWS_ROLE_ARN` in `env`.',
    say: warning => `a role set through envFrom in ${containersNamed(warning)} cannot be verified`,
  },
  ConfiguredByPodIdentity: {
    cause: 'EKS Pod Identity serves a container, so the role that its ServiceAccount asks for is not injected into it.',
    remedy: 'Remove the annotation, or the Pod Identity association.',
    say: warning => `EKS Pod Identity serves ${containersNamed(warning)}: the ServiceAccount's role is not injected`,
  },
  TokenMountNested: {
    cause: `A container mounts a read-only volume above \`${tokenMountPath}\`, or at \`/run\` or \`/run/secrets\`, where most images link \`/var/run\`. It starts only if the volume has the folder for the token, which cannot be created there.`,
    remedy: `Create the folder in the volume, mount the volume elsewhere, or list the container in \`${skipContainersAnnotation}\`.`,
    say: ({ containers, nestedIn: { mount, folder } }) =>
      containers.length === 1
        ? `${containersNamed({ containers })} starts only if the read-only volume at ${quote(mount.mountPath)} has the folder ${folder}; or use ${skipContainersAnnotation}`
        : `${containersNamed({ containers })} start only if their read-only volumes have the token's folder, such as ${folder} in ${quote(mount.mountPath)}; or use ${skipContainersAnnotation}`,
  },
  MisspelledKey: {
    cause:
      'A label or annotation that is ignored looks like one that is read, such as `eks.amazonaws.com/rolearn`; or a key of a map does, such as `pod.111122223333`. Under `carm-webhook.dev/`, every unknown name is reported.',
    remedy: 'Correct the key, or remove it.',
    say: sayIgnoredKey,
  },
  MisplacedKey: {
    cause:
      'A label or annotation is ignored where it is: it is read on another kind of object, or as an annotation rather than a label, or the other way round.',
    remedy: 'Move it to where the message says, under the key that the message names.',
    say: sayIgnoredKey,
  },
  InvalidLabel: {
    cause:
      'The label `carm-webhook.dev/inject` is neither `enabled` nor `disabled`, or `carm-webhook.dev/mode` is not `enforce`, `warn` or `audit`. A namespace that was labelled so before is left as it is: without `enabled`, the webhook does not see its pods, and an unknown mode counts as the default mode. On a pod, the label is ignored.',
    remedy: 'Use one of the allowed values, or remove the label.',
    say: ({ label, value, allowed, effect }) => `label ${label}=${quote(value)} ${effect}. Use ${allowed}`,
  },
  BindingUnresolved: {
    cause:
      "A namespace's binding does not resolve to a role yet: its pods and ACK resources are denied until it does. In a namespace labelled `carm-webhook.dev/inject: disabled`, only its ACK resources are. Or a namespace is labelled `carm-webhook.dev/inject: enabled` and has no binding: its pods are denied until it has one. Or a bound namespace has a credentials mode, a hub role or an external id that is invalid, and had it before the webhook was there.",
    remedy: 'Fix what the warning says is wrong.',
    say: ({ denied, until, wrong }) => `${denied} will be denied until ${until}: ${wrong}`,
  },
  RunsWithoutRole: {
    cause:
      "A pod that opted out (`carm-webhook.dev/inject: disabled` or `eks.amazonaws.com/skip-pod-identity-webhook`) is in a namespace whose binding does not resolve. It is admitted, and runs without the account's role.",
    remedy: 'Nothing to do if the pod needs no AWS role. Otherwise fix what the warning says is wrong.',
    say: ({ wrong }) => `the pod opted out and runs without a role; the binding does not resolve: ${wrong}`,
  },
  LabelRestored: {
    cause: 'The label `carm-webhook.dev/inject: enabled` was removed from a bound namespace. The webhook put it back.',
    remedy: 'Set the label to `disabled` to opt out.',
    say: () => 'the namespace is bound: its label carm-webhook.dev/inject=enabled was removed, and has been restored',
  },
  BindingRemoved: {
    cause:
      'The binding of a labelled namespace was removed. While the label stays, its pods are denied until it is bound again; without it they get no role. ACK goes on with the resources that it has there in the account of their status.',
    remedy: 'Bind it to the same account again, or remove the label `carm-webhook.dev/inject`.',
    say: ({ labelled }) =>
      labelled
        ? 'pods will be denied: the binding is gone, but the label carm-webhook.dev/inject=enabled stays'
        : 'pods no longer get a role: the binding and the label carm-webhook.dev/inject=enabled are gone',
  },
  ...rebindWarnings,
  BindingIgnored: {
    cause:
      'A binding has no effect: the webhook never manages the namespace, or the binding is a team id and the feature gate TeamLevelCARM is off.',
    remedy: `Remove it, or turn the gate on, here and in ACK. ${whatStrands}`,
    say: ({ what, because }) => `${what} has no effect: ${because}`,
  },
  OwnerIgnored: {
    cause:
      "An ACK resource has `services.k8s.aws/owner-account-id`, which ACK reads on namespaces only. It names the namespace's account, or the namespace is not bound: then ACK works in its controllers' own account.",
    remedy: 'Remove the annotation. To choose an account, create the resource in a namespace that is bound to it.',
    say: ({ isBound }) =>
      `${ownerAccountIdAnnotation} is ignored on resources; ${isBound ? 'the binding of the namespace counts' : 'only a namespace can be bound, and this one is not'}`,
  },
  UnknownValue: {
    cause: `An annotation that ACK reads has a value that this release does not know, and that a later version of ACK may know. Today ACK stops at an unknown \`${adoptionPolicyAnnotation}\`, and takes an unknown \`${deletionPolicyAnnotation}\` for \`retain\`.`,
    remedy: 'Check it in the documentation of your version of ACK. Slips of known values are denied.',
    say: ({ key, value, allowed }) => `${key} ${quote(value)} is not known; ACK today knows ${allowed}`,
  },
  RetainAdded: {
    cause: `An ACK resource adopts what is in AWS already (\`${adoptionPolicyAnnotation}: adopt\`). Neither the resource nor its namespace says what becomes of that when the object is deleted, so \`${deletionPolicyAnnotation}: retain\` was added: it stays in AWS.`,
    remedy: `Nothing to do, or write \`${deletionPolicyAnnotation}\` into the manifest, \`retain\` or \`delete\`.`,
    say: () =>
      `${deletionPolicyAnnotation}: retain was added, so that what it adopts outlives this object. Write delete if it should not`,
  },
  AdoptedNotRetained: {
    cause: `Deleting the object of an ACK resource may delete what was in AWS before: it adopts it, or adopted it and was to retain it, and says no \`${deletionPolicyAnnotation}\` (any more).`,
    remedy: `Write \`${deletionPolicyAnnotation}\` into the manifest, \`retain\` or \`delete\`, or \`${serviceDeletionPolicyAnnotation}\` on the namespace.`,
    say: () =>
      `deleting this object may delete what it adopted in AWS; write ${deletionPolicyAnnotation}, retain or delete`,
  },
  FinalizerRemoved: {
    cause:
      "An ACK resource loses the finalizer of ACK's controllers, as `kubectl replace` takes it away. ACK stops reconciling it (`This resource already exists but is not managed by ACK`), and deleting the object leaves in AWS what it stands for.",
    remedy: `Annotate it with \`${adoptionPolicyAnnotation}: adopt-or-create\`, without \`${adoptedAnnotation}\`: ACK manages it again. Use \`kubectl apply\`, which keeps finalizers.`,
    say: ({ annotate }) =>
      `ACK stops reconciling it without its finalizer. Annotate it ${annotate.join(' ')}, and ACK resumes`,
  },
  RegionPinned: {
    cause: `An ACK resource names no region, and its namespace's \`${defaultRegionAnnotation}\` is not the region that ACK has recorded for it: ACK would stop reconciling it, and report that nowhere. The recorded region was written onto the resource.`,
    remedy: `Write \`${regionAnnotation}\` into the manifest, too.`,
    say: ({ region, byDefault }) =>
      `${regionAnnotation} ${quote(region)}, recorded by ACK, was added: the namespace's default-region ${quote(byDefault)} would strand it`,
  },
  UnknownService: {
    cause:
      'A key of a map has a prefix that is neither `pods` nor the alias of a service that this release knows: a typo, or a service newer than this release.',
    remedy: 'Correct the prefix. Nothing to do for a newer service.',
    say: ({ keys }) => `unknown service prefix in ${quoteNames(keys)}; such a key may never be used`,
  },
  RoleReplaced: {
    cause:
      'An entry of a map gets another role in the same account: new pods and resources of its namespaces will use it.',
    remedy: 'Nothing to do if it was intended.',
    say: ({ key, namespaces }) =>
      `${namespaces} bound namespace${namespaces === 1 ? '' : 's'} will use the new role of ${quote(key)}`,
  },
  MappingUseUnverified: {
    cause:
      'An entry of the account map was removed or emptied, and the API server could not be asked in time whether ACK needs it for resources in namespaces that are not bound: ACK goes by the account in their status, and can neither change nor delete them without the entry.',
    remedy:
      "Run `carm-webhook check`: it names such resources (`ResourcesStranded`, or `ResourcesUnbound` where it does not know the account of ACK's controllers). If there are any of that account, put the entry back.",
    say: ({ keys }) =>
      `ACK may need ${quoteNames(keys)} for resources in unbound namespaces: that could not be checked. Run carm-webhook check`,
  },
  SelectorUseUnverified: {
    cause:
      'An IAMRoleSelector is new or wider, and the API server could not be asked in time whether it comes to match ACK resources that are in another account: ACK would stop reconciling them, and could not delete them.',
    remedy:
      'Run `carm-webhook check`: it names such resources (`AccountMismatch`). Taking the selector back, or narrowing it, is denied then, as it matches them (`SelectorInUse`): do that by [break-glass](break-glass.md#bypass-the-webhook-once).',
    say: () =>
      'it may match ACK resources of another account, which ACK would lose: that could not be checked. Run carm-webhook check',
  },
  DebugContainerNotInjected: {
    cause:
      "An ephemeral container gets no role: the namespace's role no longer resolves, or the pod has no usable token volume.",
    remedy: 'Fix what the warning says is wrong. A running pod cannot gain a volume.',
    say: ({ wrong }) => `the debug container gets no role: ${wrong}`,
  },
  RoleBroken: {
    cause:
      'The server verifies roles in the background and found that no pod can take this one by its token, whatever its trust policy says. The account of the role (in chain mode, of the hub role) has no IAM OIDC provider for the issuer of the tokens of this cluster, or the provider does not list the audience `sts.amazonaws.com`. The pod is created; its AWS SDKs will fail.',
    remedy:
      'Create the OIDC provider in that account, or add the audience to its client ids. Where the account should have none, use chain mode.',
    say: ({ accountId, problem }) => {
      const { wrong, remedy } = providerProblemWords[problem];
      return `AWS will not give it the role: ${wrong(accountId)}. Ask your platform team to ${remedy}`;
    },
  },
};

/** A warning as one line for `response.warnings`. The catalogue's type ties each reason to its warning; an index type cannot say so. */
export function formatWarning(warning: Warning): string {
  const entry = warnings[warning.reason] as WarningEntry<Warning>;
  return `${entry.say(warning)} (${warning.reason})`;
}
