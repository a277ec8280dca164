import { type AccountId, isAccountId } from '../../accounts/account-id.ts';
import { type ProviderProblem, providerProblems } from '../../accounts/provider-problem.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';

/** What a replica says of itself to the others: that it is there, and what it found about accounts. */
export interface ReplicaReport {
  readonly replica: string;
  /** Each renewal writes another one. */
  readonly renewed: string;
  readonly problems: ReadonlyMap<AccountId, ProviderProblem>;
}

/** Annotations hold 256 KiB at most; an account takes 15 bytes. */
const mostAccounts = 5_000;

export const leaseSeconds = 60;

export const leaseGroup = 'coordination.k8s.io';
const leaseApiVersion = `${leaseGroup}/v1`;

const componentLabel = 'app.kubernetes.io/component';
const component = 'verify-roles';
export const leaseSelector = `${componentLabel}=${component}`;

/** On our Leases only: nobody else writes or reads it. */
const problemsAnnotation = 'carm-webhook.dev/provider-problems';

export function leaseName(replica: string): string {
  return `${component}.${replica}`;
}

function textOf(problems: ReplicaReport['problems']): string {
  const byProblem: Record<string, AccountId[]> = {};
  let accounts = 0;
  for (const [accountId, problem] of problems) {
    if (++accounts > mostAccounts) break;
    byProblem[problem] ??= [];
    byProblem[problem].push(accountId);
  }
  return JSON.stringify(byProblem);
}

/** The Lease of a replica. https://kubernetes.io/docs/concepts/architecture/leases/ */
export function leaseOf({ replica, renewed, problems }: ReplicaReport): JsonObject {
  return {
    apiVersion: leaseApiVersion,
    kind: 'Lease',
    metadata: {
      name: leaseName(replica),
      labels: { 'app.kubernetes.io/name': 'carm-webhook', [componentLabel]: component },
      annotations: { [problemsAnnotation]: textOf(problems) },
    },
    spec: { holderIdentity: replica, leaseDurationSeconds: leaseSeconds, renewTime: renewed },
  };
}

function readProblems(text: unknown): ReplicaReport['problems'] {
  const problems = new Map<AccountId, ProviderProblem>();
  let read: unknown;
  try {
    read = typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    return problems;
  }
  if (!isJsonObject(read)) return problems;
  for (const problem of providerProblems) {
    const accounts = Object.hasOwn(read, problem) ? read[problem] : [];
    if (!Array.isArray(accounts)) continue;
    for (const account of accounts.slice(0, mostAccounts)) {
      if (typeof account === 'string' && isAccountId(account)) problems.set(account, problem);
    }
  }
  return problems;
}

const objectIn = (value: unknown): JsonObject => (isJsonObject(value) ? value : {});

/** What a Lease says; undefined for one that is none of ours. */
export function readLease(lease: unknown): ReplicaReport | undefined {
  const { metadata, spec } = objectIn(lease);
  const { holderIdentity: replica, renewTime: renewed } = objectIn(spec);
  if (typeof replica !== 'string' || typeof renewed !== 'string') return undefined;
  if (objectIn(metadata)['name'] !== leaseName(replica)) return undefined;
  return { replica, renewed, problems: readProblems(objectIn(objectIn(metadata)['annotations'])[problemsAnnotation]) };
}

/**
 * Whether the replica wrote it lately, by the clocks of two machines.
 * @param nowMs milliseconds since the epoch.
 */
export function isCurrent({ renewed }: ReplicaReport, nowMs: number): boolean {
  return Date.parse(renewed) > nowMs - 5 * leaseSeconds * 1000;
}

/** Leases of a list, at most so many. */
export function readLeases(list: JsonObject, most: number): readonly ReplicaReport[] {
  const items = Array.isArray(list['items']) ? list['items'].slice(0, most) : [];
  return items.flatMap(lease => readLease(lease) ?? []);
}
