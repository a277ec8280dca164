import { describeMalformed } from '../admission/failure.ts';
import { IamPlanError } from '../aws/iam/iam-plan.ts';
import { UnsafeNameError } from '../aws/iam/plain-value.ts';
import { ClusterUnreachableError } from '../cluster/api/api-errors.ts';
import { ManifestError } from '../cluster/state/manifests.ts';
import { StateError } from '../cluster/state/state-directory.ts';
import { MalformedObjectError } from '../objects/json.ts';
import { CertificateError } from '../server/certificate.ts';
import { ListenError } from '../server/listen.ts';
import { UnreadError } from './sources/unread-error.ts';
import { exitCodes, MissingObjectError, UsageError } from './usage-error.ts';

/** An error that is an answer to the user, or theirs to fix. */
export interface UserError {
  readonly code: number;
  /** One line for each thing to fix; only a state folder has several. */
  readonly lines: readonly string[];
}

function codeOf(error: Error): number | undefined {
  if (error instanceof UsageError || error instanceof StateError) return exitCodes.usage;
  if (error instanceof ManifestError || error instanceof MalformedObjectError) return exitCodes.usage;
  if (error instanceof CertificateError || error instanceof ListenError) return exitCodes.usage;
  if (error instanceof UnsafeNameError || error instanceof IamPlanError) return exitCodes.usage;
  if (error instanceof MissingObjectError) return exitCodes.denied;
  if (error instanceof ClusterUnreachableError) return exitCodes.unreachable;
  return undefined;
}

/** Whether a right is missing to read the cluster, at whatever depth that is told. */
function isForbidden(error: unknown): boolean {
  if (error instanceof UnreadError) return error.isForbidden;
  return error instanceof ClusterUnreachableError && isForbidden(error.cause);
}

/** For people who may edit a namespace and no more: the API server asks the webhook for them. */
const withoutRights =
  '. Ask your platform team for the ClusterRole carm-webhook-reader, or use kubectl apply --dry-run=server';

/** What an error tells the user; undefined for a fault of ours. */
export function userErrorOf(error: unknown): UserError | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = codeOf(error);
  if (code === undefined) return undefined;
  if (error instanceof StateError) return { code, lines: error.lines };
  const message = error instanceof MalformedObjectError ? describeMalformed(error) : error.message;
  return { code, lines: [`${message}${isForbidden(error) ? withoutRights : ''}`] };
}
