import { isAccountId } from '../accounts/account-id.ts';
import { parseFeatureGates } from '../accounts/feature-gates.ts';
import { partitionOfRegion } from '../accounts/partition.ts';
import { modes } from '../admission/mode.ts';
import { defaultRules, type Rules, workloadPolicies } from '../admission/rules.ts';
import { longestTokenSeconds, shortestTokenSeconds } from '../injection/token-settings.ts';
import { type FlagValues, listFlag, oneOf, switchFlag, valueFlag } from './flag.ts';
import { parseDurationMs, parseNamespaceName } from './flag-values.ts';

function parseRegion(text: string): string {
  if (partitionOfRegion(text) === undefined) throw new Error('is not an AWS region such as eu-central-1');
  return text;
}

function parseSourceAccounts(items: readonly string[]): ReadonlySet<string> {
  for (const item of items)
    if (!isAccountId(item)) throw new Error(`has ${JSON.stringify(item)}, which is not an account id of 12 digits`);
  return new Set(items);
}

function parseTokenExpiration(text: string): number {
  const seconds = parseDurationMs(text) / 1000;
  if (!Number.isInteger(seconds) || seconds < shortestTokenSeconds || seconds > longestTokenSeconds) {
    throw new Error(`is not a duration of ${shortestTokenSeconds}s to ${longestTokenSeconds}s`);
  }
  return seconds;
}

const longestSupportMessage = 256;

function parseSupportMessage(text: string): string {
  if (text.length > longestSupportMessage) throw new Error(`is longer than ${longestSupportMessage} characters`);
  // The API server drops a warning that holds a control character without a word.
  if (/\p{Cc}/u.test(text)) throw new Error('holds a line break or another control character');
  return text;
}

/** The flags that change a decision: `serve` takes them, and every command that foretells what it does. */
export const ruleFlags = {
  ackSystemNamespace: valueFlag(
    'ack-system-namespace',
    { placeholder: 'NAMESPACE', help: 'Namespace of the account map and the team map' },
    parseNamespaceName,
    defaultRules.ackSystemNamespace,
  ),
  featureGates: listFlag(
    'feature-gates',
    {
      placeholder: 'GATE=BOOL,...',
      help: "Gates as ACK's controllers take them: TeamLevelCARM=true makes team ids bind",
    },
    parseFeatureGates,
  ),
  defaultRegion: valueFlag(
    'default-region',
    { placeholder: 'REGION', help: 'Region for pods of namespaces without services.k8s.aws/default-region' },
    parseRegion,
    undefined,
  ),
  defaultMode: valueFlag(
    'default-mode',
    { placeholder: 'MODE', help: 'Mode of namespaces without the label carm-webhook.dev/mode: enforce, warn or audit' },
    oneOf(modes),
    defaultRules.defaultMode,
  ),
  sourceAccounts: listFlag(
    'source-accounts',
    { placeholder: 'ACCOUNT,...', help: 'Accounts whose roles every namespace may name' },
    parseSourceAccounts,
  ),
  requirePodsKey: switchFlag(
    'require-pods-key',
    'Give pods only the role under pods.<id>, never the one that ACK uses',
  ),
  tokenExpirationSeconds: valueFlag(
    'token-expiration',
    {
      placeholder: 'DURATION',
      help: 'Lifetime of the injected token',
      defaultText: `${defaultRules.tokenExpirationSeconds}s`,
    },
    parseTokenExpiration,
    defaultRules.tokenExpirationSeconds,
  ),
  workloads: valueFlag(
    'workloads',
    { placeholder: 'POLICY', help: 'A workload whose pods would be refused: warn, deny or off' },
    oneOf(workloadPolicies),
    defaultRules.workloads,
  ),
  supportMessage: valueFlag(
    'support-message',
    { placeholder: 'TEXT', help: 'Ends every refusal: where to ask' },
    parseSupportMessage,
    undefined,
  ),
} as const;

/** The rules that the flags and the environment make. `POD_NAMESPACE` is where the webhook runs. */
export function rulesFrom(
  values: FlagValues<typeof ruleFlags>,
  env: Readonly<Record<string, string | undefined>>,
): Rules {
  const { ackSystemNamespace, featureGates, defaultRegion, defaultMode, sourceAccounts } = values;
  const { requirePodsKey, tokenExpirationSeconds, workloads, supportMessage } = values;
  return {
    ackSystemNamespace,
    featureGates,
    defaultRegion,
    defaultMode,
    sourceAccounts,
    requirePodsKey,
    tokenExpirationSeconds,
    workloads,
    supportMessage: supportMessage || undefined,
    ownNamespace: env['POD_NAMESPACE'] || defaultRules.ownNamespace,
  };
}
