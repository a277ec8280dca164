import { refusalMessage } from './catalogue/message.ts';
import type { Circumstances, Refusal } from './catalogue/refusal.ts';
import { type Problem, refusals } from './catalogue/refusals.ts';
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
  const { ignoresMode }: Pick<Refusal<never>, 'ignoresMode'> = refusals[problem.reason];
  return {
    verdict: 'deny',
    reason: problem.reason,
    message: refusalMessage(subject, problem, at, rules.supportMessage),
    ...(ignoresMode && { ignoresMode }),
    restsOnState: true,
  };
}
