import { refusalMessage } from './catalogue/message.ts';
import type { Circumstances } from './catalogue/refusal.ts';
import { type Problem, refusalOf } from './catalogue/refusals.ts';
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

/** The refusal of an object, which is never spoken by memory alone. */
export function denial(subject: string, problem: Problem, at: Circumstances, rules: Rules): Decision {
  const { ignoresMode, redact } = refusalOf(problem);
  const messageOf = (of: Problem) => refusalMessage(subject, of, at, rules.supportMessage);
  return {
    verdict: 'deny',
    reason: problem.reason,
    message: messageOf(problem),
    ...(redact && { loggedMessage: messageOf(redact(problem)) }),
    ...(at.binding?.kind === 'account' && { accountId: at.binding.id }),
    ...(ignoresMode && { ignoresMode }),
    restsOnState: true,
  };
}
