import { isAccountId } from '../../accounts/account-id.ts';
import type { AckSystem } from '../../accounts/ack-system.ts';
import { credentialsModeNames } from '../../accounts/credentials-mode.ts';
import { ExternalIdTemplate } from '../../accounts/external-id.ts';
import { featureGatesOf, parseFeatureGate } from '../../accounts/feature-gates.ts';
import { partitionOfRegion } from '../../accounts/partition.ts';
import { parseRoleArn } from '../../accounts/role-arn.ts';
import {
  type Config,
  defaultConfig,
  defaultSessionName,
  metadataPolicies,
  type NamespacePair,
  unboundPolicies,
  workloadPolicies,
} from '../../admission/config.ts';
import { identityForms, parseIdentity } from '../../admission/identity.ts';
import { modes } from '../../admission/mode.ts';
import { SessionNameTemplate } from '../../injection/session-name.ts';
import { longestTokenSeconds, shortestTokenSeconds } from '../../injection/token-settings.ts';
import { UsageError } from '../usage-error.ts';
import { type FlagValues, listFlag, oneOf, optionalFlag, parserOf, switchFlag, valueFlag } from './flag.ts';
import { isNamespaceName, namespaceNameForm, parseDurationMs } from './flag-values.ts';

const parseRegion = parserOf(
  text => (partitionOfRegion(text) === undefined ? undefined : text),
  'is not an AWS region such as eu-central-1',
);

const parseSourceAccount = parserOf(
  item => (isAccountId(item) ? item : undefined),
  'is not an account id of 12 digits',
);

const parseHubRole = parserOf(parseRoleArn, 'is not a role ARN: arn:PARTITION:iam::ACCOUNT:role/[PATH/]NAME');

const parseKnownIdentity = parserOf(parseIdentity, `is not ${identityForms}`);

const parseUrl = parserOf(
  item => (/^https?:$/.test(URL.parse(item)?.protocol ?? '') ? item : undefined),
  'is not an http or https URL',
);

function parseTokenExpiration(text: string): number {
  const seconds = parseDurationMs(text) / 1000;
  if (!Number.isInteger(seconds) || seconds < shortestTokenSeconds || seconds > longestTokenSeconds) {
    throw new Error(`is not a duration of ${shortestTokenSeconds}s to ${longestTokenSeconds}s`);
  }
  return seconds;
}

const parseSessionName = (text: string) => (text === 'none' ? undefined : SessionNameTemplate.parse(text));

const aliasForm = /^[a-z0-9]+$/;

function parseAckSystem(item: string): AckSystem {
  const [namespace = '', services, ...rest] = item.split('=');
  const aliases = services?.split('+');
  if (!isNamespaceName(namespace) || rest.length > 0 || aliases?.some(alias => !aliasForm.test(alias))) {
    throw new Error(`is not NAMESPACE (${namespaceNameForm}) or NAMESPACE=SERVICE+SERVICE such as ack-iam=iam+sts`);
  }
  return { namespace, services: aliases === undefined ? undefined : new Set(aliases) };
}

function collectAckSystems([first, ...others]: readonly AckSystem[]): Config['ackSystems'] {
  return first === undefined ? defaultConfig.ackSystems : [first, ...others];
}

function parseNamespacePair(item: string): NamespacePair {
  const [from = '', to = '', ...rest] = item.split(':');
  if (!(from === '*' || isNamespaceName(from)) || !isNamespaceName(to) || rest.length > 0) {
    throw new Error(`is not FROM:TO, two namespace names (${namespaceNameForm}), or * for every FROM`);
  }
  return { from, to };
}

const all = <T>(values: readonly T[]): readonly T[] => values;
const setOf = <T>(values: readonly T[]): ReadonlySet<T> => new Set(values);

const longestSupportMessage = 256;

function parseSupportMessage(text: string): string {
  if (text.length > longestSupportMessage) throw new Error(`is longer than ${longestSupportMessage} characters`);
  // The API server silently drops a warning that contains a control character.
  if (/\p{Cc}/u.test(text)) throw new Error('contains a line break or another control character');
  return text;
}

/** The flags that change a decision: `serve` takes them, and every command that predicts what it does. */
export const configFlags = {
  ackSystems: listFlag(
    '--ack-system-namespace NAMESPACE,...',
    "Namespaces of ACK's controllers and their maps, or NAMESPACE=SERVICE+SERVICE for some services; pods use the first",
    parseAckSystem,
    collectAckSystems,
    defaultConfig.ackSystems[0].namespace,
  ),
  featureGates: listFlag(
    '--feature-gates GATE=BOOL,...',
    "Feature gates of ACK's controllers, such as TeamLevelCARM=true",
    parseFeatureGate,
    featureGatesOf,
  ),
  defaultRegion: optionalFlag(
    '--default-region REGION',
    'Region for pods of namespaces without services.k8s.aws/default-region',
    parseRegion,
  ),
  defaultMode: valueFlag(
    '--default-mode MODE',
    'Mode of namespaces without the label carm-webhook.dev/mode: enforce, warn or audit',
    oneOf(modes),
    defaultConfig.defaultMode,
  ),
  sourceAccounts: listFlag(
    '--source-accounts ACCOUNT,...',
    'Accounts whose roles every namespace may use',
    parseSourceAccount,
    setOf,
  ),
  credentials: valueFlag(
    '--credentials MODE',
    'How pods get their role: web-identity, or chain (through a hub role that the role trusts)',
    oneOf(credentialsModeNames),
    defaultConfig.credentials,
  ),
  hubRoleArn: optionalFlag(
    '--hub-role-arn ARN',
    'Hub role of pods in chain mode, in one of --source-accounts',
    parseHubRole,
  ),
  externalId: optionalFlag(
    '--external-id TEXT',
    'External id of pods in chain mode, with {account}, {namespace}, {serviceAccount}',
    text => ExternalIdTemplate.parse(text),
  ),
  requirePodsKey: switchFlag(
    '--require-pods-key',
    'Give pods only the role under pods.<id>, never the one that ACK uses',
  ),
  tokenExpirationSeconds: valueFlag(
    '--token-expiration DURATION',
    'Lifetime of the injected token',
    parseTokenExpiration,
    `${defaultConfig.tokenExpirationSeconds}s`,
  ),
  roleSessionName: valueFlag(
    '--role-session-name NAME',
    'Name of the sessions of injected roles, with {account}, {namespace}, {serviceAccount}; none leaves it to the SDKs',
    parseSessionName,
    defaultSessionName,
  ),
  disableInstanceMetadata: valueFlag(
    '--disable-instance-metadata POLICY',
    "Keep AWS SDKs from the node's role beside injected roles: never, chain (only in chain mode) or always",
    oneOf(metadataPolicies),
    defaultConfig.disableInstanceMetadata,
  ),
  workloads: valueFlag(
    '--workloads POLICY',
    'What to do with a workload whose pods would be denied: warn, deny or off',
    oneOf(workloadPolicies),
    defaultConfig.workloads,
  ),
  unboundResources: valueFlag(
    '--unbound-resources POLICY',
    'What to do with an ACK resource in a namespace that is not bound: warn, deny or allow',
    oneOf(unboundPolicies),
    defaultConfig.unboundResources,
  ),
  ackIdentities: listFlag(
    '--ack-identities IDENTITY,...',
    "ACK's controllers, besides ack-SERVICE-controller of the ACK system namespaces",
    parseKnownIdentity,
    all,
  ),
  restoreIdentities: listFlag(
    '--restore-identities IDENTITY,...',
    'Identities that may write what only controllers write, to restore a backup',
    parseKnownIdentity,
    all,
  ),
  allowedEndpointUrls: listFlag(
    '--allowed-endpoint-urls URL,...',
    'Values that services.k8s.aws/endpoint-url may have on a namespace',
    parseUrl,
    setOf,
  ),
  crossNamespaceReferences: listFlag(
    '--cross-namespace-references FROM:TO,...',
    'Pairs of namespaces whose ACK resources may refer from one to the other, or give roles to pods there; * is every FROM',
    parseNamespacePair,
    all,
  ),
  authorizeBindings: switchFlag(
    '--authorize-bindings',
    'Require the RBAC verb bind on the account to change a binding, opt pods out, weaken a mode or leave resources behind',
  ),
  supportMessage: optionalFlag(
    '--support-message TEXT',
    'Text at the end of every denial: where users get help',
    parseSupportMessage,
  ),
} as const;

/**
 * The config that the flags and the environment make. `POD_NAMESPACE` is where the webhook runs.
 * @throws {UsageError} for flags that do not go together.
 */
export function configFrom(
  values: FlagValues<typeof configFlags>,
  env: Readonly<Record<string, string | undefined>>,
): Config {
  const { hubRoleArn, sourceAccounts } = values;
  if (hubRoleArn !== undefined && !sourceAccounts.has(hubRoleArn.accountId)) {
    throw new UsageError(`--hub-role-arn is in account ${hubRoleArn.accountId}, which is not in --source-accounts`);
  }
  return {
    ...values,
    supportMessage: values.supportMessage || undefined,
    ownNamespace: env['POD_NAMESPACE'] || defaultConfig.ownNamespace,
  };
}
