import { refusalMessage } from './catalogue/message.ts';
import type { Circumstances } from './catalogue/refusal.ts';
import { type Problem, refusalOf, softeningOf } from './catalogue/refusals.ts';
import type { Decision } from './decision.ts';
import type { Rules } from './rules.ts';

/** Circumstances, as far as they are known of a namespace. */
export function circumstancesOf(namespace: string, rules: Rules, more: Partial<Circumstances> = {}): Circumstances {
  return {
    namespace,
    serviceAccountName: '',
    binding: undefined,
    ackSystemNamespace: rules.ackSystems[0].namespace,
    roleArnAnnotation: undefined,
    ...more,
  };
}

/**
 * Whether the mode of the namespace has no say in a denial. What `--default-mode` alone softens follows the label once
 * it does: the label then chooses between warning and audit, or denies.
 */
function ignoresMode(problem: Problem, { defaultMode }: Rules): boolean {
  const softenedBy = softeningOf(problem);
  return softenedBy === 'nothing' || (softenedBy === 'default' && defaultMode === 'enforce');
}

/** The refusal of an object, which is never spoken by memory alone. */
export function denial(subject: string, problem: Problem, at: Circumstances, rules: Rules): Decision {
  const { redact } = refusalOf(problem);
  const messageOf = (of: Problem) => refusalMessage(subject, of, at, rules.supportMessage);
  return {
    verdict: 'deny',
    reason: problem.reason,
    message: messageOf(problem),
    ...(redact && { loggedMessage: messageOf(redact(problem)) }),
    ...(at.binding?.kind === 'account' && { accountId: at.binding.id }),
    ...(ignoresMode(problem, rules) && { ignoresMode: true }),
    restsOnState: true,
  };
}
