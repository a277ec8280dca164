import type { RoleAccess } from '../accounts/role-access.ts';
import type { RoleArn } from '../accounts/role-arn.ts';
import { type CallerIdentity, isSessionOf } from './caller-identity.ts';
import type { Sts } from './sts.ts';
import type { StsCall, StsRefusal } from './sts-refusal.ts';

/** How a pod gets its role from its token alone: not over EKS Pod Identity, whose credentials only a pod is given. */
export type TokenAccess =
  | Exclude<RoleAccess, { mode: 'chain' }>
  | (Extract<RoleAccess, { mode: 'chain' }> & { readonly hub: RoleArn });

export function startsWithToken(access: RoleAccess): access is TokenAccess {
  return access.mode === 'web-identity' || access.hub !== undefined;
}

/** One call, and what came of it. */
export interface WalkStep {
  readonly call: StsCall;
  /** The role that is taken, or whose identity it should be. */
  readonly role: RoleArn;
  /** Whom AWS took the caller for in the end. */
  readonly identity: CallerIdentity | undefined;
  readonly refusal: StsRefusal | undefined;
}

export interface WalkOptions {
  readonly token: string;
  readonly sessionName: string;
}

type StsCalls = Pick<Sts, 'assumeRoleWithWebIdentity' | 'assumeRole' | 'getCallerIdentity'>;

/**
 * Makes the calls that the SDK in a pod makes, each followed by a question whose credentials these are, up to the first that
 * AWS refuses. The role is reached if the last step has an identity. What AWS gives is dropped here.
 */
export async function walkToRole(
  sts: StsCalls,
  access: TokenAccess,
  { token, sessionName }: WalkOptions,
  signal: AbortSignal,
): Promise<readonly WalkStep[]> {
  const steps: WalkStep[] = [];
  const note = (call: StsCall, role: RoleArn, outcome: { identity?: CallerIdentity; refusal?: StsRefusal }) =>
    steps.push({ call, role, identity: outcome.identity, refusal: outcome.refusal });

  /** @returns the credentials, if they are those of the role. */
  const take = async (
    call: 'AssumeRoleWithWebIdentity' | 'AssumeRole',
    role: RoleArn,
    asked: ReturnType<StsCalls['assumeRole']>,
  ) => {
    const session = await asked;
    if (!session.ok) {
      note(call, role, { refusal: session.problem });
      return undefined;
    }
    const { credentials } = session.value;
    note(call, role, { identity: session.value.identity });
    const caller = await sts.getCallerIdentity(credentials, signal);
    if (caller.ok && isSessionOf(role, caller.value)) {
      note('GetCallerIdentity', role, { identity: caller.value });
      return credentials;
    }
    note('GetCallerIdentity', role, { refusal: caller.ok ? otherIdentity(caller.value) : caller.problem });
    return undefined;
  };

  const first = access.mode === 'chain' ? access.hub : access.role;
  const taken = sts.assumeRoleWithWebIdentity({ role: first, token, sessionName }, signal);
  const credentials = await take('AssumeRoleWithWebIdentity', first, taken);
  if (credentials === undefined || access.mode === 'web-identity') return steps;
  const { role, externalId } = access;
  await take('AssumeRole', role, sts.assumeRole({ role, sessionName, externalId, credentials }, signal));
  return steps;
}

function otherIdentity({ arn }: CallerIdentity): StsRefusal {
  return {
    kind: 'OtherIdentity',
    call: 'GetCallerIdentity',
    code: undefined,
    text: `the credentials are those of ${arn}`,
  };
}
