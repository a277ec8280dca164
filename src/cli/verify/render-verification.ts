import { type RefusalEntry, refusals } from '../../aws/refusals.ts';
import type { RefusalKind, StsRefusal } from '../../aws/sts-refusal.ts';
import type { WalkStep } from '../../aws/walk.ts';
import { quote } from '../../objects/quote.ts';
import { alignColumns } from '../table.ts';
import type { ResolvedTarget } from './resolve-target.ts';
import { results, type Verification } from './verification.ts';

/** Whoever administers an account, as far as the steps tell which. */
function administrators(account: string | undefined, otherwise: string): string {
  return account === undefined ? otherwise : `administrators of account ${account}`;
}

/** Who can fix a refusal, and how. @param step without it, nobody knows which accounts it is about. */
function fixOf({ fixedBy, fix }: RefusalEntry, step?: WalkStep, caller?: WalkStep): string {
  const asked = (who: string) => `Ask the ${who} to ${fix}.`;
  switch (fixedBy) {
    case 'account of the role':
      return asked(administrators(step?.role.accountId, "administrators of the role's account"));
    case 'account of the caller':
      return asked(administrators((caller ?? step)?.role.accountId, "administrators of the hub role's account"));
    case 'platform team':
      return `Ask your platform team to ${fix}.`;
    case 'you':
      return `To fix this, ${fix}.`;
    case 'later':
      return `${fix.charAt(0).toUpperCase()}${fix.slice(1)}.`;
  }
}

function awsSays({ code, text }: StsRefusal): string {
  return code === undefined ? text : `${code}: ${text}`;
}

function stepLines(step: WalkStep, caller: WalkStep | undefined): readonly string[] {
  const { call, role, identity, refusal } = step;
  if (refusal === undefined) {
    const what = call === 'GetCallerIdentity' ? (identity?.arn ?? '') : role.text;
    return [`  ok      ${call}  ${what}`];
  }
  const { kind } = refusal;
  return [
    `  FAILED  ${call}  ${role.text}  (${kind})`,
    `          AWS: ${awsSays(refusal)}`,
    `          ${refusals[kind].cause}`,
    `          ${fixOf(refusals[kind], step, caller)}`,
  ];
}

function accessRows({ access, roleFrom, region, audience }: ResolvedTarget): readonly (readonly [string, string])[] {
  const ofChain: readonly (readonly [string, string])[] =
    access.mode === 'web-identity'
      ? []
      : [
          ['Hub role:', access.hub?.text ?? 'that of EKS Pod Identity'],
          ['External id:', access.externalId ?? 'none'],
        ];
  return [
    ['Role:', access.role.text],
    ['Role from:', roleFrom],
    ['Credentials:', access.mode],
    ...ofChain,
    ['STS region:', region],
    ['Audience:', quote(audience)],
  ];
}

const conclusions: Readonly<Record<Verification['result'], string>> = {
  ok: 'ok: pods of this ServiceAccount get their role.',
  broken: 'broken: pods of this ServiceAccount do not get their role.',
  denied: 'denied: the webhook denies pods of this ServiceAccount. No call was made.',
  'not managed': 'not managed: pods get no role from the webhook. No call was made.',
  unverified: 'unverified: nothing is known about the role.',
};

/** One verification for people. */
export function renderVerification(verification: Verification): string {
  const { namespace, serviceAccount, result, message, resolved, steps } = verification;
  const rows = [
    ['Pods of:', `ServiceAccount ${namespace}/${serviceAccount}`],
    ...(resolved ? accessRows(resolved) : []),
  ];
  const lines = [...alignColumns(rows), ''];
  // The role that asks is that of the step before it whose credentials were used.
  for (const [index, step] of steps.entries()) lines.push(...stepLines(step, steps[index - 1]));
  if (steps.length > 0) lines.push('');
  if (message !== undefined) lines.push(message, '');
  return `${[...lines, conclusions[result]].join('\n')}\n`;
}

/** All of them for people: a line each, what each kind of refusal means once, a sum. */
export function renderTable(verifications: readonly Verification[]): string {
  const rows = verifications.map(({ namespace, serviceAccount, result, reason = '', resolved }) => [
    namespace,
    serviceAccount,
    result,
    reason,
    resolved?.access.mode ?? '',
    resolved?.access.role.text ?? '',
  ]);
  const table = alignColumns([['NAMESPACE', 'SERVICEACCOUNT', 'RESULT', 'REASON', 'CREDENTIALS', 'ROLE'], ...rows]);
  const kinds = new Set<RefusalKind>();
  const messages = new Map<string, string>();
  for (const { reason, message, steps } of verifications) {
    const kind = steps.at(-1)?.refusal?.kind;
    if (kind !== undefined) kinds.add(kind);
    // Denials are explained by `why`; of what was not read, the first tells enough.
    else if (reason !== undefined && message !== undefined && !messages.has(reason)) messages.set(reason, message);
  }
  const notes = [
    ...[...kinds].map(kind => `${kind}: ${refusals[kind].cause} ${fixOf(refusals[kind])}`),
    ...[...messages].map(([reason, message]) => `${reason}, for example: ${message}`),
  ];
  const counts = results
    .map(result => ({ result, count: verifications.filter(each => each.result === result).length }))
    .filter(({ result, count }) => count > 0 || result === 'ok')
    .map(({ result, count }) => `${count} ${result}`);
  const blocks = [table.join('\n'), ...(notes.length > 0 ? [notes.join('\n')] : []), counts.join(', ')];
  return `${blocks.join('\n\n')}\n`;
}

/** One verification for programs. */
function asJson({ namespace, serviceAccount, result, reason, message, resolved, steps }: Verification): object {
  const access = resolved?.access;
  return {
    namespace,
    serviceAccount,
    result,
    reason,
    message,
    credentials: access?.mode,
    role: access?.role.text,
    ...(access?.mode === 'chain' && { hubRole: access.hub?.text, externalId: access.externalId }),
    region: resolved?.region,
    audience: resolved?.audience,
    steps: steps.map((step, index) => ({
      call: step.call,
      role: step.role.text,
      identity: step.identity?.arn,
      ...(step.refusal && {
        refusal: {
          kind: step.refusal.kind,
          code: step.refusal.code,
          text: step.refusal.text,
          cause: refusals[step.refusal.kind].cause,
          fix: fixOf(refusals[step.refusal.kind], step, steps[index - 1]),
        },
      }),
    })),
  };
}

export function renderJson(verifications: readonly Verification[]): string {
  return `${JSON.stringify({ results: verifications.map(asJson) }, undefined, 2)}\n`;
}
