import type { X509Certificate } from 'node:crypto';
import type { Config } from '../../../admission/config.ts';
import type { Snapshot } from '../../../cluster/state/snapshot.ts';
import { isJsonObject, type JsonObject } from '../../../objects/json.ts';
import type { InstallationSource } from '../../sources/installation-source.ts';
import { type ServedAt, servedChain } from '../../sources/served-certificate.ts';
import { unlessForbidden } from '../../sources/unless-forbidden.ts';
import type { Finding, FoundObject } from '../finding.ts';
import {
  certificatesIn,
  findInCertificates,
  type KnownCertificate,
  keyOf,
  servedAtOf,
} from './certificate-findings.ts';
import { configurationObject, findInConfigurations, sortConfigurations } from './configuration-findings.ts';
import { findMissingRights } from './rights-findings.ts';
import { isOwnEntry, type WebhookConfiguration, type WebhookEntry } from './webhook-entry.ts';

/** Different addresses that entries are called at. */
const mostAddresses = 4;
/** Secrets of the webhook's pods that are looked into for a certificate. */
const mostSecrets = 4;

type Service = NonNullable<WebhookEntry['service']>;

function objectOf(parent: unknown, key: string): JsonObject {
  const value = isJsonObject(parent) ? parent[key] : undefined;
  return isJsonObject(value) ? value : {};
}

/** What is known of the pods that answer for the webhook. */
interface OwnPods {
  readonly serviceAccount: { readonly namespace: string; readonly name: string } | undefined;
  readonly secrets: readonly string[];
}

/** The pods behind a Service tell whose rights count, and where their certificate comes from. */
async function podsBehind(
  service: Pick<Service, 'namespace' | 'name'>,
  installation: InstallationSource,
): Promise<OwnPods> {
  const { namespace, name } = service;
  const labels = objectOf(objectOf(await installation.service(namespace, name), 'spec'), 'selector');
  const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  if (selector.length === 0) return { serviceAccount: undefined, secrets: [] };
  const pods = await installation.podsOf(namespace, selector.join(','));
  const spec = objectOf(pods[0], 'spec');
  const account = spec['serviceAccountName'];
  const volumes = Array.isArray(spec['volumes']) ? spec['volumes'] : [];
  const secrets = volumes
    .map(volume => objectOf(volume, 'secret')['secretName'])
    .filter(each => typeof each === 'string');
  return {
    serviceAccount: typeof account === 'string' ? { namespace, name: account } : undefined,
    secrets: secrets.slice(0, mostSecrets),
  };
}

/** The chain in the first Secret that has one. */
async function chainInSecrets(
  namespace: string,
  names: readonly string[],
  installation: InstallationSource,
): Promise<{ readonly chain: readonly X509Certificate[]; readonly object: FoundObject } | undefined> {
  for (const name of names) {
    const pem = objectOf(await installation.secret(namespace, name), 'data')['tls.crt'];
    const chain = typeof pem === 'string' ? certificatesIn(Buffer.from(pem, 'base64').toString('latin1')) : [];
    if (chain.length > 0) return { chain, object: { kind: 'Secret', namespace, name } };
  }
  return undefined;
}

interface Entry {
  readonly entry: WebhookEntry;
  readonly configuration: WebhookConfiguration;
}

/**
 * The certificate at each address: as it is served, where that can be reached from here, else as the webhook's pods have it of
 * a Secret. The API server itself would show it to nobody: its proxy to Services asks for no certificate, and gives none on.
 */
async function knownCertificates(
  entries: readonly Entry[],
  pods: OwnPods,
  installation: InstallationSource,
  ifAllowed: <T>(read: () => Promise<T>) => Promise<T | undefined>,
  tell: (line: string) => void,
): Promise<ReadonlyMap<string, KnownCertificate>> {
  const byAddress = new Map(entries.map(each => [keyOf(each.entry), each]));
  const known = new Map<string, KnownCertificate>();
  for (const [key, { entry, configuration }] of [...byAddress].slice(0, mostAddresses)) {
    const at: ServedAt | undefined = servedAtOf(entry);
    if (at === undefined) continue;
    const { service } = entry;
    const { namespace, name } = service ?? {};
    const isReachable = service === undefined || installation.isOfThisPod;
    const chain = isReachable ? await servedChain(at) : undefined;
    if (chain !== undefined) {
      const object = namespace && name ? { kind: 'Service', namespace, name } : configurationObject(configuration);
      known.set(key, { at, chain, object });
      continue;
    }
    const ofSecret = namespace && (await ifAllowed(() => chainInSecrets(namespace, pods.secrets, installation)));
    if (ofSecret) known.set(key, { at, ...ofSecret });
    else
      tell(`not checked: the certificate that is served at ${at.host}:${at.port}, which cannot be reached from here`);
  }
  return known;
}

/**
 * What is wrong with the installation of the webhook itself: its configurations, certificate and rights.
 * @param tell a line for each cause for which something was not checked.
 */
export async function findInInstallation(
  installation: InstallationSource,
  state: Snapshot,
  config: Config,
  tell: (line: string) => void,
): Promise<readonly Finding[]> {
  const ifAllowed = <T>(read: () => Promise<T>): Promise<T | undefined> =>
    unlessForbidden(why => tell(`not checked: ${why}`), read);
  const objects = await ifAllowed(async () => ({
    MutatingWebhookConfiguration: await installation.configurations('MutatingWebhookConfiguration'),
    ValidatingWebhookConfiguration: await installation.configurations('ValidatingWebhookConfiguration'),
  }));
  if (objects === undefined) return [];
  const found = sortConfigurations(objects);
  if (found.own.length === 0) {
    tell('not checked: the installation of carm-webhook, since no webhook configuration is its own');
    return [];
  }
  const entries = found.own.flatMap(configuration =>
    configuration.entries.filter(isOwnEntry).map(entry => ({ entry, configuration })),
  );
  const service = entries.find(({ entry }) => entry.service !== undefined)?.entry.service;
  const behind = service && (await ifAllowed(() => podsBehind(service, installation)));
  const pods = behind ?? { serviceAccount: undefined, secrets: [] };
  const certificates = await knownCertificates(entries, pods, installation, ifAllowed, tell);
  // As it is named in deploy/, where no pod tells another one.
  const shipped = { namespace: config.ownNamespace, name: 'carm-webhook' };
  const account = pods.serviceAccount ?? shipped;
  const isThere = state.writtenServiceAccount(account.namespace, account.name) !== undefined;
  if (!isThere) tell('not checked: the rights of carm-webhook, since its ServiceAccount is not known');
  const rights = isThere ? await ifAllowed(() => findMissingRights(installation, account, config)) : undefined;
  return [
    ...findInConfigurations(found, config),
    ...findInCertificates(found.own, certificates, Date.now()),
    ...(rights ?? []),
  ];
}
