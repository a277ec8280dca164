import type { RoleAccess } from '../../accounts/role-access.ts';
import { isSameRole, type RoleArn, roleIdentity } from '../../accounts/role-arn.ts';
import { quoteNames } from '../../objects/quote.ts';
import { assumePolicy } from './assume-policy.ts';
import type { IamStep } from './iam-step.ts';
import type { OidcIssuer } from './oidc-issuer.ts';
import { requirePlain, UnsafeNameError } from './plain-value.ts';
import { podIdentityTrust } from './pod-identity-trust.ts';
import { policyOf, type Statement } from './policy.ts';
import { roleTrust } from './role-trust.ts';
import { requireSubject, type Subject } from './subject.ts';
import { webIdentityTrust } from './web-identity-trust.ts';

/** That a ServiceAccount, or all of a namespace, may get to a role, and how. */
export interface Grant extends Subject {
  readonly audience: string;
  readonly access: RoleAccess;
}

export interface PlanOptions {
  readonly issuers: readonly OidcIssuer[];
  /** The first role is that of an association of EKS Pod Identity, in one of these clusters or, if there are none, in any. */
  readonly podIdentity: { readonly clusterArns: readonly string[] } | undefined;
  /** The role of ACK's controllers, and the roles that the maps give them. */
  readonly ack: { readonly role: RoleArn; readonly mapped: readonly RoleArn[] } | undefined;
}

/** An error to be thrown when no order of the steps is one that AWS takes, or the steps would open what must stay shut. */
export class IamPlanError extends Error {
  override readonly name = 'IamPlanError';
  readonly code = 'IamPlan';
}

/** The name of the inline policy by which pods' hub roles assume others, and of that of ACK's controllers. */
export const assumePolicyName = 'carm-webhook-assume';
export const ackAssumePolicyName = 'ack-carm-assume';

interface Caller {
  readonly role: RoleArn;
  readonly externalIds: Set<string | undefined>;
  readonly tagsSession: boolean;
}

/** Whom one role trusts, and what it may assume. */
class RoleSides {
  readonly role: RoleArn;
  readonly byAudience = new Map<string, Subject[]>();
  readonly podIdentity: Subject[] = [];
  readonly callers = new Map<string, Caller>();
  /** ARNs. */
  readonly assumes = new Set<string>();

  constructor(role: RoleArn) {
    this.role = role;
  }

  trustRole(role: RoleArn, externalId: string | undefined, tagsSession: boolean): void {
    const caller = this.callers.get(role.text) ?? { role, externalIds: new Set(), tagsSession };
    caller.externalIds.add(externalId);
    this.callers.set(role.text, caller);
  }

  trustStatements({ issuers, podIdentity }: PlanOptions): readonly Statement[] {
    const audiences = [...this.byAudience].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      ...audiences.flatMap(([audience, subjects]) => webIdentityTrust(this.role, issuers, audience, subjects)),
      ...podIdentityTrust(this.podIdentity, podIdentity?.clusterArns ?? []),
      ...[...this.callers.values()].sort((a, b) => (a.role.text < b.role.text ? -1 : 1)).map(roleTrust),
    ];
  }
}

class Plan {
  readonly #options: PlanOptions;
  readonly #sides = new Map<string, RoleSides>();
  /** ARNs, by what IAM knows the role by. */
  readonly #spellings = new Map<string, string>();

  constructor(options: PlanOptions) {
    this.#options = options;
  }

  of(role: RoleArn): RoleSides {
    this.#checkSpelling(role);
    this.#spellings.set(roleIdentity(role), role.text);
    const sides = this.#sides.get(role.text) ?? new RoleSides(role);
    this.#sides.set(role.text, sides);
    return sides;
  }

  #checkSpelling(role: RoleArn): void {
    const spelling = this.#spellings.get(roleIdentity(role)) ?? role.text;
    if (spelling === role.text) return;
    throw new IamPlanError(
      `IAM tells roles apart by neither path nor case, so these are one: ${quoteNames([spelling, role.text])}. Write it alike in the maps, on ServiceAccounts and namespaces, and in flags`,
    );
  }

  /** Whether one role may assume another, in however many steps. */
  #leads(from: RoleArn, to: RoleArn): boolean {
    const seen = new Set<string>([from.text]);
    for (const role of seen) {
      if (role === to.text) return true;
      for (const next of this.#sides.get(role)?.assumes ?? []) seen.add(next);
    }
    return false;
  }

  /** What `add`, and the order of the roles, would throw for a grant; it is not added. */
  check({ namespace, serviceAccount, audience, access }: Grant): void {
    requireSubject({ namespace, serviceAccount });
    if (this.#options.podIdentity === undefined) requirePlain('audience', audience);
    const first = access.mode === 'chain' ? hubOf(namespace, access) : access.role;
    this.#checkSpelling(first);
    if (access.mode === 'web-identity') return;
    const { role, externalId } = access;
    if (externalId !== undefined) requirePlain('external id', externalId);
    this.#checkSpelling(role);
    const isThere = this.#sides.get(first.text)?.assumes.has(role.text);
    if (!isThere && (isSameRole(first, role) || this.#leads(role, first))) throw circleOf([first.text, role.text]);
  }

  add({ namespace, serviceAccount, audience, access }: Grant): void {
    const { podIdentity } = this.#options;
    const subject = requireSubject({ namespace, serviceAccount });
    const first = this.of(access.mode === 'chain' ? hubOf(namespace, access) : access.role);
    if (podIdentity === undefined) {
      const subjects = first.byAudience.get(requirePlain('audience', audience));
      if (subjects === undefined) first.byAudience.set(audience, [subject]);
      else subjects.push(subject);
    } else {
      first.podIdentity.push(subject);
    }
    if (access.mode === 'web-identity') return;
    const { role, externalId } = access;
    if (externalId !== undefined) requirePlain('external id', externalId);
    first.assumes.add(role.text);
    this.of(role).trustRole(first.role, externalId, podIdentity !== undefined);
  }

  get sorted(): readonly RoleSides[] {
    return [...this.#sides.values()].sort((a, b) => (a.role.text < b.role.text ? -1 : 1));
  }

  /** Roles after those that they trust: IAM resolves the principals of a policy when it is saved. */
  get rolesInOrder(): readonly RoleSides[] {
    const trusting = this.sorted.filter(sides => sides.trustStatements(this.#options).length > 0);
    const ordered = new Set<RoleSides>();
    for (let left = trusting; left.length > 0; ) {
      const waiting = new Set<string>(left.map(({ role }) => role.text));
      const next = left.filter(({ callers }) => [...callers.keys()].every(caller => !waiting.has(caller)));
      if (next.length === 0) throw circleOf([...waiting]);
      for (const sides of next) ordered.add(sides);
      left = left.filter(sides => !ordered.has(sides));
    }
    return [...ordered];
  }
}

function circleOf(roles: readonly string[]): IamPlanError {
  return new IamPlanError(
    `these roles trust one another in a circle, so none can be created first: ${quoteNames(roles)}`,
  );
}

function hubOf(namespace: string, { hub, role }: Extract<RoleAccess, { readonly mode: 'chain' }>): RoleArn {
  if (hub !== undefined) return hub;
  throw new IamPlanError(
    `pods of namespace ${quoteNames([namespace])} are in chain mode and have no hub role for ${role.text}: set --hub-role-arn`,
  );
}

function providerSteps(roles: readonly RoleSides[], issuers: readonly OidcIssuer[]): readonly IamStep[] {
  const steps = new Map<string, Extract<IamStep, { readonly kind: 'oidc-provider' }>>();
  for (const { role, byAudience } of roles) {
    const { partition, accountId } = role;
    if (byAudience.size === 0) continue;
    for (const { url } of issuers) {
      const key = `${partition} ${accountId} ${url}`;
      const clientIds = new Set([...(steps.get(key)?.clientIds ?? []), ...byAudience.keys()]);
      steps.set(key, { kind: 'oidc-provider', partition, accountId, url, clientIds: [...clientIds].sort() });
    }
  }
  return [...steps].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, step]) => step);
}

/** ACK's controllers may take every mapped role: pods that could take theirs could too. */
function checkAckRole(ack: PlanOptions['ack'], grants: readonly Grant[]): void {
  if (ack === undefined) return;
  const taker = grants.find(({ access }) => {
    const hub = access.mode === 'chain' ? access.hub : undefined;
    return isSameRole(access.role, ack.role) || (hub !== undefined && isSameRole(hub, ack.role));
  });
  if (taker === undefined) return;
  throw new IamPlanError(
    `${ack.role.text} is the role of ACK's controllers: pods of namespace ${quoteNames([taker.namespace])} must not take it, for it may assume every account's role`,
  );
}

function ackStep(role: RoleArn, mapped: readonly RoleArn[]): IamStep {
  const roleArns = mapped.map(({ text }) => text);
  return { kind: 'role-policy', role, name: ackAssumePolicyName, policy: assumePolicy(roleArns, false) };
}

/** What is not wrong, and opens more than the bindings say. */
export function sharedHubWarnings(grants: readonly Grant[]): readonly string[] {
  const chained = grants.flatMap(({ namespace, access }) => (access.mode === 'chain' ? [{ namespace, access }] : []));
  const byHub = Map.groupBy(chained, ({ access }) => access.hub?.text);
  return [...byHub].flatMap(([hub, users]) => {
    const roles = new Set(users.map(({ access }) => access.role.text));
    if (hub === undefined || roles.size === 1) return [];
    const namespaces = [...new Set(users.map(({ namespace }) => namespace))].sort();
    return [
      `hub role ${hub} leads to ${roles.size} roles: whoever may take it (namespaces ${quoteNames(namespaces)}) can take each of them. Use a hub role for each account or namespace`,
    ];
  });
}

/** Those who may take ACK's roles are written as the plan of pods' grants is. */
function planOf(options: PlanOptions): Plan {
  const { ack } = options;
  const plan = new Plan(options);
  if (ack === undefined) return plan;
  for (const role of ack.mapped.filter(role => !isSameRole(role, ack.role))) {
    plan.of(role).trustRole(ack.role, undefined, false);
  }
  return plan;
}

/** A grant that is not written, and why. */
export interface UnwritableGrant {
  readonly grant: Grant;
  readonly why: string;
}

/**
 * Grants that cannot be written, alone or beside those before them: who edits one ServiceAccount, or one namespace, must not keep
 * all others from their roles.
 * @param grants those that count most come first.
 */
export function findUnwritable(grants: Iterable<Grant>, options: PlanOptions): readonly UnwritableGrant[] {
  const plan = planOf(options);
  const unwritable: UnwritableGrant[] = [];
  for (const grant of grants) {
    try {
      checkAckRole(options.ack, [grant]);
      plan.check(grant);
      plan.add(grant);
    } catch (error) {
      if (!(error instanceof IamPlanError || error instanceof UnsafeNameError)) throw error;
      unwritable.push({ grant, why: error.message });
    }
  }
  return unwritable;
}

/**
 * What AWS needs so that exactly these ServiceAccounts get their roles, in the order that AWS takes: providers; roles, each
 * after those that it trusts; then what roles may assume, which may name a role that does not exist yet.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 * @throws {UnsafeNameError} for a name that must not come into a policy.
 * @throws {IamPlanError}
 */
export function planIam(grants: readonly Grant[], options: PlanOptions): readonly IamStep[] {
  const { issuers, podIdentity, ack } = options;
  checkAckRole(ack, grants);
  for (const arn of podIdentity?.clusterArns ?? []) requirePlain('cluster ARN', arn);
  const plan = planOf(options);
  for (const grant of grants) plan.add(grant);
  const ofAck = ack === undefined ? [] : ack.mapped.filter(role => !isSameRole(role, ack.role));
  const roles = plan.rolesInOrder;
  const roleSteps = roles.map((sides): IamStep => {
    const trusts = [...sides.callers.values()].map(({ role }) => role);
    return { kind: 'role', role: sides.role, trust: policyOf(sides.trustStatements(options)), trusts };
  });
  const policySteps = plan.sorted.flatMap(({ role, assumes }): readonly IamStep[] => {
    if (assumes.size === 0) return [];
    const policy = assumePolicy(assumes, podIdentity !== undefined);
    return [{ kind: 'role-policy', role, name: assumePolicyName, policy }];
  });
  const ackSteps = ack === undefined || ofAck.length === 0 ? [] : [ackStep(ack.role, ofAck)];
  return [...providerSteps(roles, issuers), ...roleSteps, ...policySteps, ...ackSteps];
}
