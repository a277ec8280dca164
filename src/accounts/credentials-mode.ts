/**
 * How pods get credentials. `web-identity`: their role trusts the cluster's OIDC provider. `chain`: it trusts a hub role, which
 * trusts the provider.
 */
export const credentialsModeNames = ['web-identity', 'chain'] as const;

export type CredentialsModeName = (typeof credentialsModeNames)[number];

export function isCredentialsModeName(text: string): text is CredentialsModeName {
  return credentialsModeNames.some(name => name === text);
}
