import type { HeldChain } from '../../injection/credentials.ts';
import type { WorkloadKind } from '../../objects/pod-template.ts';
import { quoteNames } from '../../objects/quote.ts';
import type { HeldByContainer, HeldByPod } from '../predict/running-pod.ts';
import { alignColumns } from '../table.ts';
import type { Explanation, GivenToContainer } from './explain.ts';

/** Pod, Namespace, or a built-in kind that holds a pod template. */
export type AnswerKind = 'Pod' | 'Namespace' | WorkloadKind['kind'];

/** What `why` answers; `-o json` prints it as it is. */
export interface Answer {
  readonly kind: AnswerKind;
  /** Empty for a Namespace. */
  readonly namespace: string;
  readonly name: string;
  /** What a pod of the cluster has. */
  readonly has: HeldByPod | undefined;
  /** What a new pod would meet: the same one again, one that the workload makes, or a plain one in the namespace. */
  readonly now: Explanation;
}

function decisionInWords({ decision, reason, mode, denied }: Explanation): string {
  if (denied) return `denied (${reason})`;
  if (decision === 'deny') return `allowed without changes (${reason}; mode ${mode})`;
  return `${decision === 'mutate' ? 'allowed and changed' : 'allowed without changes'} (${reason})`;
}

/** Values that users wrote: what could move a terminal's cursor is escaped. */
function shown(value: string): string {
  return /^[\x21-\x7e]+$/.test(value) ? value : JSON.stringify(value).replaceAll(/[^\x20-\x7e]/g, '?');
}

function heldByChain({ configFile, hubRoleArn, externalId, overPodIdentity }: HeldChain, roleArn?: string): string {
  const file = `AWS_CONFIG_FILE ${shown(configFile)}`;
  if (roleArn === undefined) return `${file}, whose text is not one that carm-webhook wrote`;
  const first = overPodIdentity ? 'EKS Pod Identity' : `hub role ${shown(hubRoleArn ?? '')}`;
  const id = externalId === undefined ? '' : ` with external id ${shown(externalId)}`;
  return `${file}: ${roleArn} by ${first}${id}`;
}

function heldInWords({ roleArn, tokenFile, region, chain }: HeldByContainer): string {
  if (chain !== undefined) {
    return [heldByChain(chain, roleArn), ...(region === undefined ? [] : [`region ${shown(region)}`])].join(', ');
  }
  const role = roleArn === undefined ? 'no literal AWS_ROLE_ARN' : `AWS_ROLE_ARN ${shown(roleArn)}`;
  const token = tokenFile === undefined ? 'no token file' : `token file ${shown(tokenFile)}`;
  return [role, token, ...(region === undefined ? [] : [`region ${shown(region)}`])].join(', ');
}

function givenInWords({ env, roleArn }: GivenToContainer): string {
  const added = Object.entries(env).map(([name, value]) => `${name}=${shown(value)}`);
  if (added.length > 0) return added.join(' ');
  return roleArn === undefined ? 'nothing' : `nothing; it keeps role ${shown(roleArn)}`;
}

/** Where there is one, it stands among what containers get. */
function regionInWords({ containers }: Explanation): string | undefined {
  const without = containers.filter(({ withoutRegion }) => withoutRegion).map(({ name }) => name);
  if (without.length === 0) return undefined;
  return `none is known for container${without.length === 1 ? '' : 's'} ${quoteNames(without)}: some AWS SDKs fail without one (set --default-region, or services.k8s.aws/default-region on the namespace)`;
}

/** How a pod gets its role, where that is not by its token alone. */
function accessFacts({ access }: Explanation): readonly [string, string | undefined][] {
  if (access?.credentials !== 'chain') return [];
  return [
    ['Credentials', access.hubRoleArn === undefined ? 'chain, from EKS Pod Identity' : 'chain'],
    ['Hub role', access.hubRoleArn],
    ['External id', access.externalId],
  ];
}

function containerRows<T extends { readonly name: string; readonly kind: string }>(
  containers: readonly T[],
  say: (container: T) => string,
  isPlain = false,
): readonly string[] {
  const nameOf = ({ kind, name }: T) => (isPlain ? 'each container' : `${kind} ${shown(name)}`);
  const rows = containers.map(container => ['', `${nameOf(container)}:`, say(container)]);
  return alignColumns(rows);
}

const titles: Readonly<Record<string, string>> = {
  Pod: 'What a new one would get:',
  Namespace: 'What a plain pod would get:',
};

/** The answer as a person reads it. */
export function renderAnswer({ kind, namespace, name, has, now }: Answer): string {
  const facts: [string, string | undefined][] = [
    ['Decision', decisionInWords(now)],
    ['Account', now.accountId],
    ['Role', now.roleArn],
    ['Role from', now.roleFrom],
    ...accessFacts(now),
    ['Region', regionInWords(now)],
    ['Mode', now.mode],
    ['Label', now.label === undefined ? undefined : `carm-webhook.dev/inject=${shown(now.label)}`],
    ['Message', now.message],
    ...now.warnings.map((warning): [string, string] => ['Warning', warning]),
  ];
  const rows = facts.flatMap(([title, fact]) => (fact === undefined ? [] : [[`${title}:`, fact]]));
  const lines = [`${kind} ${namespace === '' ? name : `${namespace}/${name}`}`, ...alignColumns(rows)];
  if (has !== undefined) {
    lines.push('', 'What it has:', ...containerRows(has.containers, heldInWords));
    const said = has.said === undefined ? 'none' : shown(has.said === '' ? '(empty)' : has.said);
    lines.push(
      `  annotation carm-webhook.dev/role-arn: ${said} (what was injected at its creation; anyone may have changed it)`,
    );
  }
  if (now.decision !== 'deny') {
    const title = titles[kind] ?? 'What its pods would get:';
    lines.push('', title, ...containerRows(now.containers, givenInWords, kind === 'Namespace'));
  }
  return `${lines.join('\n')}\n`;
}
