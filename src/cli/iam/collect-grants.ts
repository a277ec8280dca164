import type { AccountId } from '../../accounts/account-id.ts';
import { type Binding, isBound } from '../../accounts/binding.ts';
import { resolveRoleAccess } from '../../accounts/role-access.ts';
import type { RoleArn } from '../../accounts/role-arn.ts';
import type { View } from '../../admission/cluster.ts';
import type { Config } from '../../admission/config.ts';
import { type ControllerRoleProblem, controllerHubProblem } from '../../admission/pods/controller-role.ts';
import { PodReview, resolvePod, reviewPod } from '../../admission/pods/pod-review.ts';
import type { Grant } from '../../aws/iam/iam-plan.ts';
import { tokenSubject } from '../../aws/iam/subject.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { readTokenSettings } from '../../injection/token-settings.ts';
import { hubRoleArnAnnotation } from '../../objects/keys.ts';
import { readPod } from '../../objects/pod.ts';
import { quote } from '../../objects/quote.ts';
import { bareServiceAccount } from '../../objects/service-account.ts';

/** Whom policies are written for. */
export type Selection =
  | { readonly kind: 'all' }
  | { readonly kind: 'account'; readonly accountId: AccountId }
  /** These ServiceAccounts of a namespace; empty for all that it has. */
  | { readonly kind: 'namespace'; readonly name: string; readonly serviceAccounts: readonly string[] };

export interface CollectOptions {
  /** Trust every ServiceAccount of a namespace, those that come later too. */
  readonly anyServiceAccount: boolean;
  /** Every subject is written once for each of these issuers. */
  readonly issuers: number;
  /** Whether the first step of a chain is written too. */
  readonly needsHub: boolean;
}

/** Bounds that no cluster raises; what is beyond is told. */
export const most = { namespaces: 5000, serviceAccounts: 20_000, characters: 8 * 1024 * 1024 } as const;

export interface Collected {
  readonly grants: readonly Grant[];
  /** Bindings of the namespaces that have a role. */
  readonly bindings: readonly Binding[];
  /** What is not written, a line each. */
  readonly leftOut: readonly string[];
  /** Roles that ServiceAccounts alone name, a line each. */
  readonly chosen: readonly string[];
}

/** The name of the ServiceAccount that stands for those without annotations. */
const bareName = 'default';
const shownLines = 20;

class Collector {
  readonly grants: Grant[] = [];
  readonly #leftOut: string[] = [];
  #leftOutCount = 0;
  readonly #withoutRole = new Set<string>();
  readonly #bindings = new Map<string, Binding>();
  readonly #state: Snapshot;
  readonly #selection: Selection;
  readonly #config: Config;
  readonly #options: CollectOptions;
  /** Roles that a ServiceAccount names, and the first that does. */
  readonly #chosen = new Map<string, string>();
  readonly #given = new Set<string>();
  readonly #hubs = new Map<string, ControllerRoleProblem | undefined>();
  #characters = 0;
  #full = false;

  constructor(state: Snapshot, selection: Selection, config: Config, options: CollectOptions) {
    this.#state = state;
    this.#selection = selection;
    this.#config = config;
    this.#options = options;
  }

  get result(): Collected {
    const more = this.#leftOutCount - this.#leftOut.length;
    const leftOut = more > 0 ? [...this.#leftOut, `left out: ${more} more`] : this.#leftOut;
    const chosen = [...this.#chosen].flatMap(([role, serviceAccount]) =>
      this.#given.has(role)
        ? []
        : [
            `${role} is named by ServiceAccount ${quote(serviceAccount)}, and by no map, namespace or flag: whoever may edit it chose the role. Check it before you apply this`,
          ],
    );
    return { grants: this.grants, bindings: [...this.#bindings.values()], leftOut, chosen };
  }

  leaveOut(line: string): void {
    this.#leftOutCount += 1;
    if (this.#leftOut.length < shownLines) this.#leftOut.push(`left out: ${line}`);
  }

  /** What keeps every pod of a namespace from a role is told once. */
  #leaveOutOnce(namespace: string, line: string): void {
    if (!this.#withoutRole.has(namespace)) this.leaveOut(line);
    this.#withoutRole.add(namespace);
  }

  /**
   * A view in which ServiceAccounts that are asked for are there.
   * @param isBare as if none of them said anything.
   */
  #viewWith(isBare: boolean): View {
    const state = this.#state;
    return {
      namespace: name => state.namespace(name),
      serviceAccount: (namespace, name) =>
        isBare ? bareServiceAccount : (state.serviceAccount(namespace, name) ?? bareServiceAccount),
      roleMap: (kind, ackSystem) => state.roleMap(kind, ackSystem),
      roleSelectors: () => state.roleSelectors(),
      namespaces: () => state.namespaces(),
      findResources: search => state.findResources(search),
      mayBind: () => state.mayBind(),
    };
  }

  /** @param serviceAccount undefined for every one of the namespace that says nothing of its own. */
  add(namespace: string, serviceAccount: string | undefined): void {
    const name = serviceAccount ?? bareName;
    if (this.#full) {
      this.leaveOut(`ServiceAccount ${quote(`${namespace}/${name}`)}`);
      return;
    }
    const view = this.#viewWith(serviceAccount === undefined);
    const pod = readPod({ spec: { serviceAccountName: name, containers: [] } });
    const subject = () => `pods of ServiceAccount ${quote(name)} in namespace ${quote(namespace)}`;
    const review = reviewPod({ subject, pod }, namespace, view, this.#config);
    if (!(review instanceof PodReview)) {
      const isAsked = this.#selection.kind === 'namespace';
      const why = `namespace ${quote(namespace)} is not managed, so its pods get no role (${review.reason})`;
      if (isAsked || review.verdict === 'deny')
        this.#leaveOutOnce(namespace, review.verdict === 'deny' ? review.message() : why);
      return;
    }
    if (!review.mapped.ok) {
      if (this.#concerns(review)) this.#leaveOutOnce(namespace, review.deny(review.mapped.problem).message());
      return;
    }
    const resolved = resolvePod(review);
    if (!resolved.ok) {
      if (this.#concerns(review)) this.leaveOut(review.deny(resolved.problem).message());
      return;
    }
    const { podRole, serviceAccount: object } = resolved.value;
    if (this.#selection.kind === 'account' && podRole.accountId !== this.#selection.accountId) return;
    const user = { namespace: review.namespace, serviceAccountName: name, serviceAccount: object };
    const access = resolveRoleAccess(podRole, user, this.#config);
    if (!access.ok) {
      this.leaveOut(review.deny(access.problem).message());
      return;
    }
    const hub = access.value.mode === 'chain' ? access.value.hub : undefined;
    if (this.#options.needsHub && access.value.mode === 'chain' && hub === undefined) {
      this.leaveOut(review.deny({ reason: 'HubRoleMissing', containers: [] }).message());
      return;
    }
    const ofAck = hub === undefined ? undefined : this.#controllerHubProblem(hub, view);
    if (ofAck !== undefined) {
      this.leaveOut(review.deny(ofAck).message());
      return;
    }
    const { audience } = readTokenSettings(pod.annotations, object.annotations, this.#config.tokenExpirationSeconds);
    if (review.binding.ok)
      this.#bindings.set(`${review.binding.value.kind} ${review.binding.value.id}`, review.binding.value);
    const grant = { namespace, serviceAccount, audience, access: access.value };
    this.#characters += this.#lengthOf(grant);
    if (this.#characters > most.characters) {
      this.#full = true;
      this.leaveOut(`ServiceAccount ${quote(`${namespace}/${name}`)}: more than ${most.characters} characters`);
      return;
    }
    this.grants.push(grant);
    this.#note(podRole.role.text, podRole.source.kind === 'requested', `${namespace}/${name}`);
    if (hub !== undefined)
      this.#note(hub.text, Boolean(object.annotations.get(hubRoleArnAnnotation)), `${namespace}/${name}`);
  }

  /** Looked up once for each hub role, for the maps may be long. */
  #controllerHubProblem(hub: RoleArn, view: View): ControllerRoleProblem | undefined {
    if (!this.#hubs.has(hub.text)) this.#hubs.set(hub.text, controllerHubProblem(hub, view, this.#config));
    return this.#hubs.get(hub.text);
  }

  #note(role: string, isChosen: boolean, serviceAccount: string): void {
    if (!isChosen) this.#given.add(role);
    else if (!this.#chosen.has(role)) this.#chosen.set(role, serviceAccount);
  }

  /** Whether a problem is one of those who were asked about. */
  #concerns({ binding, mapped }: PodReview): boolean {
    if (this.#selection.kind !== 'account') return true;
    const { accountId } = this.#selection;
    if (mapped.ok) return mapped.value.accountId === accountId;
    return binding.ok && binding.value.kind === 'account' && binding.value.id === accountId;
  }

  /** At least the characters that a grant adds: subjects, and statements around them if no other grant shares them. */
  #lengthOf(grant: Grant): number {
    const { access, audience } = grant;
    const externalId = access.mode === 'chain' ? (access.externalId?.length ?? 0) : 0;
    const ofStatements = 500 + audience.length + access.role.text.length;
    return Math.max(1, this.#options.issuers) * (tokenSubject(grant).length + ofStatements) + externalId;
  }
}

/**
 * Who gets to which role, by the same functions as admission: a pod of each ServiceAccount is resolved.
 * @throws {MalformedObjectError | ObjectTooLargeError}
 */
export function collectGrants(
  state: Snapshot,
  selection: Selection,
  config: Config,
  options: CollectOptions,
): Collected {
  const collector = new Collector(state, selection, config, options);
  const serviceAccounts = Map.groupBy(state.serviceAccounts(), ({ namespace }) => namespace);
  const namesIn = (namespace: string) => {
    const written = (serviceAccounts.get(namespace) ?? []).map(({ name }) => name);
    return [...new Set([bareName, ...written])].sort();
  };
  let [namespaces, names] = [0, 0];
  const addAll = (namespace: string, serviceAccountNames: readonly string[]) => {
    namespaces += 1;
    if (namespaces > most.namespaces) return collector.leaveOut(`namespace ${quote(namespace)}`);
    if (options.anyServiceAccount) collector.add(namespace, undefined);
    for (const name of serviceAccountNames) {
      names += 1;
      if (names <= most.serviceAccounts) collector.add(namespace, name);
      else collector.leaveOut(`ServiceAccount ${quote(`${namespace}/${name}`)}`);
    }
  };
  if (selection.kind === 'namespace') {
    const { name, serviceAccounts: asked } = selection;
    addAll(name, asked.length > 0 ? asked : namesIn(name));
  } else {
    for (const { name, annotations } of state.namespaces()) {
      // Whoever asks for all does not ask for those that have no account.
      if (isBound(annotations, config.featureGates)) addAll(name, namesIn(name));
    }
  }
  return collector.result;
}
