import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { quoteNames } from '../../../objects/quote.ts';
import type { ServedAt } from '../../sources/served-certificate.ts';
import { type Finding, type FoundObject, finding } from '../finding.ts';
import { configurationObject } from './configuration-findings.ts';
import { isOwnEntry, type WebhookConfiguration, type WebhookEntry } from './webhook-entry.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** cert-manager renews when a third of the lifetime is left. https://cert-manager.io/docs/usage/certificate/#issuance-triggers */
const leftWhenDue = 1 / 5;
const longestWarningMs = 30 * dayMs;
/** Certificates that are looked at of one bundle, and in one chain. */
const mostCertificates = 50;
const longestChain = 10;

/** The certificates of a PEM text that can be read. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return blocks.slice(0, mostCertificates).flatMap(block => {
    try {
      return [new X509Certificate(block)];
    } catch {
      return [];
    }
  });
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The CA of a bundle that a chain leads to, or a certificate of the bundle itself. */
function rootOf(chain: readonly X509Certificate[], bundle: readonly X509Certificate[]): X509Certificate | undefined {
  let certificate = chain[0];
  for (let length = 0; certificate !== undefined && length < longestChain; length++) {
    const current: X509Certificate = certificate;
    const root = bundle.find(each => each.fingerprint256 === current.fingerprint256 || isIssuedBy(current, each));
    if (root !== undefined) return root;
    certificate = chain.find(each => each !== current && isIssuedBy(current, each));
  }
  return undefined;
}

function dateOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

function endFinding(
  what: string,
  { validFrom, validTo }: X509Certificate,
  object: FoundObject,
  nowMs: number,
): readonly Finding[] {
  const endMs = Date.parse(validTo);
  const leftMs = endMs - nowMs;
  if (leftMs <= 0) return [finding('CertificateExpired', object, `${what} ended on ${dateOf(endMs)}`)];
  const dueMs = Math.min((endMs - Date.parse(validFrom)) * leftWhenDue, longestWarningMs);
  if (leftMs > dueMs) return [];
  const days = Math.floor(leftMs / dayMs);
  const left = days === 0 ? 'less than a day' : `${days} day${days === 1 ? '' : 's'}`;
  return [finding('CertificateExpiring', object, `${what} ends on ${dateOf(endMs)}, in ${left}`)];
}

/** Where the API server calls an entry; undefined for a URL that is none. */
export function servedAtOf({ service, url }: WebhookEntry): ServedAt | undefined {
  if (service !== undefined) {
    const host = `${service.name}.${service.namespace}.svc`;
    return { host, port: service.port, serverName: host };
  }
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(port || 443), serverName: host };
}

/** Why an API server would not trust the certificate; undefined where it does. */
function distrust(
  chain: readonly X509Certificate[],
  caPem: string,
  { serverName }: ServedAt,
): { readonly why?: string; readonly root?: X509Certificate } {
  const [leaf] = chain;
  if (leaf === undefined) return {};
  const bundle = certificatesIn(caPem);
  if (bundle.length === 0) return { why: 'there is no certificate in their caBundle' };
  const root = rootOf(chain, bundle);
  if (root === undefined) return { why: 'their caBundle does not lead to the certificate that the webhook serves' };
  const isNamed = isIP(serverName) === 0 ? leaf.checkHost(serverName) : leaf.checkIP(serverName);
  return isNamed === undefined
    ? { why: `the certificate that the webhook serves is not for ${serverName}`, root }
    : { root };
}

/** A certificate that is served, and for whom it was found out. */
export interface KnownCertificate {
  readonly at: ServedAt;
  readonly chain: readonly X509Certificate[];
  readonly object: FoundObject;
}

/** Whether the API server can trust the certificate that each entry is called by, and for how long. */
export function findInCertificates(
  own: readonly WebhookConfiguration[],
  known: ReadonlyMap<string, KnownCertificate>,
  nowMs: number,
): readonly Finding[] {
  const roots = new Map<string, Finding[]>();
  const findings = own.flatMap(configuration => {
    const object = configurationObject(configuration);
    const byCause = new Map<string, string[]>();
    for (const entry of configuration.entries.filter(isOwnEntry)) {
      const certificate = known.get(keyOf(entry));
      if (certificate === undefined) continue;
      // Without a bundle the API server goes by its own roots, which may know the CA of a URL.
      if (entry.caPem === '' && entry.service === undefined) continue;
      const { why, root } = distrust(certificate.chain, entry.caPem, certificate.at);
      if (why !== undefined) byCause.set(why, [...(byCause.get(why) ?? []), entry.name]);
      // A CA that is served too is told of once, with the certificate.
      const isServed = certificate.chain.some(each => each.fingerprint256 === root?.fingerprint256);
      if (root !== undefined && !isServed && !roots.has(root.fingerprint256)) {
        roots.set(root.fingerprint256, [...endFinding('the CA in its caBundle', root, object, nowMs)]);
      }
    }
    return [...byCause].map(([why, names]) =>
      finding('CertificateNotTrusted', object, `${why}, so the API server cannot call it: ${quoteNames(names)}`),
    );
  });
  const served = [...known.values()].flatMap(({ chain, object }) => {
    const [leaf, ...rest] = chain;
    if (leaf === undefined) return [];
    return [
      ...endFinding('the certificate that is served', leaf, object, nowMs),
      ...rest.flatMap(ca => endFinding('a CA in the chain that is served', ca, object, nowMs)),
    ];
  });
  return [...findings, ...served, ...[...roots.values()].flat()];
}

/** Entries of one key are served the same certificate. */
export function keyOf(entry: WebhookEntry): string {
  return JSON.stringify(servedAtOf(entry));
}
