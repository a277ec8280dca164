import type { MessageContext } from './catalogue/denial.ts';
import { denialOf, type Problem, softeningOf } from './catalogue/denials.ts';
import { denialMessage } from './catalogue/message.ts';
import type { Config } from './config.ts';
import type { Denied } from './decision.ts';
import type { Mode } from './mode.ts';

/** What messages need to know, as far as it is known of a namespace. */
export function messageContext(namespace: string, config: Config, more: Partial<MessageContext> = {}): MessageContext {
  return {
    namespace,
    serviceAccountName: '',
    binding: undefined,
    ackSystemNamespace: config.ackSystems[0].namespace,
    teamLevelCarm: config.featureGates.TeamLevelCARM,
    roleArnAnnotation: undefined,
    ...more,
  };
}

/**
 * Whether the mode of the namespace has no say in a denial. What `--default-mode` alone softens follows the label once
 * it does: the label then chooses between warning and audit, or denies.
 */
function ignoresMode(problem: Problem, { defaultMode }: Config): boolean {
  const softenedBy = softeningOf(problem);
  return softenedBy === 'nothing' || (softenedBy === 'default' && defaultMode === 'enforce');
}

/**
 * The denial of an object, which is never spoken from the cache alone.
 * @param subject names the object; empty where what is wrong names it already.
 */
export function denyObject<P extends Problem>(
  subject: () => string,
  problem: P,
  at: MessageContext,
  config: Config,
): Denied<P['reason']> {
  const { redact, foreignAccount } = denialOf(problem);
  const messageOf = (of: Problem) => denialMessage(subject(), of, at, config.supportMessage);
  return {
    verdict: 'deny',
    reason: problem.reason,
    message: () => messageOf(problem),
    ...(redact && { loggedMessage: () => messageOf(redact(problem)) }),
    ...(foreignAccount && { foreignAccountId: foreignAccount(problem) }),
    ...(at.binding?.kind === 'account' && { accountId: at.binding.id }),
    ...(ignoresMode(problem, config) && { ignoresMode: true }),
    confirmLive: true,
  };
}

/**
 * Whether the mode makes a denial for this a warning, or less.
 * @param modeOf asked only where it matters.
 */
export function isSoftened(problem: Problem, modeOf: () => Mode, config: Config): boolean {
  return !ignoresMode(problem, config) && modeOf() !== 'enforce';
}

/** What an object is denied for. */
export interface CountingProblem<P extends Problem> {
  readonly problem: P;
  readonly isSoft: boolean;
}

/**
 * The problem to deny an object for: the first, or where the mode would soften that, the first that no mode softens. Else a
 * harmless mistake, made beside what a guard denies, would take the guard away.
 * @param modeOf asked only where it matters.
 */
export function firstThatCounts<P extends Problem>(
  problems: Iterable<P>,
  modeOf: () => Mode,
  config: Config,
): CountingProblem<P> | undefined {
  let first: P | undefined;
  for (const problem of problems) {
    if (!isSoftened(problem, modeOf, config)) return { problem, isSoft: false };
    first ??= problem;
  }
  return first && { problem: first, isSoft: true };
}
