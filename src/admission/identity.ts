import type { UserInfo } from './review.ts';

/** Who sends a request: a user name, or with `prefix` every one that starts so (the sessions of an assumed role). */
export interface Identity {
  readonly username: string;
  readonly prefix: boolean;
}

const serviceAccountForm = /^(?:system:serviceaccount:([a-z0-9-]{1,63}):|([a-z0-9-]{1,63})\/)([a-z0-9.-]{1,253})$/;
const assumedRoleForm = /^arn:[a-z-]+:sts::[0-9]{12}:assumed-role\/[\w+=,.@-]+\/$/;

/** What `parseIdentity` takes, for messages. */
export const identityForms =
  'NAMESPACE/NAME of a ServiceAccount, or arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/ with the slash at its end';

/**
 * Reads an identity: `NAMESPACE/NAME` or `system:serviceaccount:NAMESPACE:NAME`, matched exactly; or the sessions of an
 * assumed role, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/`: the slash keeps `ROLE-evil` out.
 * @returns undefined for anything else.
 */
export function parseIdentity(text: string): Identity | undefined {
  const [, inUserName, inPath, name] = serviceAccountForm.exec(text) ?? [];
  const namespace = inUserName ?? inPath;
  if (namespace !== undefined && name !== undefined) {
    return { username: `system:serviceaccount:${namespace}:${name}`, prefix: false };
  }
  return assumedRoleForm.test(text) ? { username: text, prefix: true } : undefined;
}

export function isOneOf({ username }: UserInfo, identities: readonly Identity[]): boolean {
  return identities.some(identity =>
    identity.prefix ? username.startsWith(identity.username) : username === identity.username,
  );
}
