import type { AccountId } from '../../accounts/account-id.ts';
import type { Partition } from '../../accounts/partition.ts';

/** The issuer of a cluster's ServiceAccount tokens, as IAM knows it. */
export interface OidcIssuer {
  readonly url: string;
  /** The URL without `https://`: the name of its provider, and the prefix of its condition keys. */
  readonly name: string;
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html (Url) */
const longestUrl = 255;

const form = /^https:\/\/([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::([0-9]{1,5}))?((?:\/[\w.-]+)*)$/;

/** What `parseIssuer` takes, for messages. */
export const issuerForm = `an https URL of at most ${longestUrl} characters, without query and without a slash at the end`;

export function parseIssuer(url: string): OidcIssuer | undefined {
  if (url.length > longestUrl || !form.test(url)) return undefined;
  return { url, name: url.slice('https://'.length) };
}

/**
 * Why AWS may not take an issuer: it names a port, or AWS cannot ask it for its keys.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html (Url)
 */
export function issuerDoubt({ url }: OidcIssuer): string | undefined {
  const [, host = '', port] = form.exec(url) ?? [];
  if (port !== undefined) return 'AWS says that the URL of an issuer should have no port';
  const isPrivate = !host.includes('.') || /\.(?:svc|local|internal)$/.test(host) || /^[0-9.]+$/.test(host);
  return isPrivate ? 'AWS cannot reach such an issuer to read its keys' : undefined;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns */
export function providerArn({ name }: OidcIssuer, partition: Partition, accountId: AccountId): string {
  return `arn:${partition}:iam::${accountId}:oidc-provider/${name}`;
}
