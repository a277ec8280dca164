/** What is in AWS already: roles get new trust policies, providers are left alone. */
export const existingKinds = ['roles', 'oidc-providers'] as const;
export type ExistingKind = (typeof existingKinds)[number];
export type Existing = ReadonlySet<ExistingKind>;
