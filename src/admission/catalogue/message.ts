import type { FixedBy, MessageContext } from './denial.ts';
import { denialOf, type Problem } from './denials.ts';
import type { Reason } from './reasons.ts';

/** Bytes; and characters, for all that users wrote is quoted in ASCII. */
const longestMessage = 1024;

const fixIntroductions: Readonly<Record<FixedBy, string>> = {
  you: 'To fix this,',
  'platform team': 'Ask your platform team to',
};

/** What is wrong, in one line without remedy and reason, for a warning that has words and a reason of its own. */
export function describeProblem(problem: Problem, at: MessageContext): string {
  return denialOf(problem).say(problem, at).wrong;
}

function endOf(reason: Reason, supportMessage: string | undefined): string {
  return ` (${reason})${supportMessage === undefined ? '' : ` ${supportMessage}`}`;
}

/** Characters that are left for words. */
function roomFor(reason: Reason, supportMessage: string | undefined): number {
  return longestMessage - Buffer.byteLength(endOf(reason, supportMessage));
}

/** A message with the reason and where to ask at its end; its words are cut where all would be too long. */
export function closeMessage(words: string, reason: Reason, supportMessage: string | undefined): string {
  return `${words.slice(0, roomFor(reason, supportMessage))}${endOf(reason, supportMessage)}`;
}

/**
 * The whole message of a denial: the object, what is wrong, who can fix it and how, the reason, where to ask.
 * @param subject names the object: `Pod "web" in namespace "team-a"`; empty where what is wrong names it already.
 */
export function denialMessage(
  subject: string,
  problem: Problem,
  at: MessageContext,
  supportMessage: string | undefined,
): string {
  const entry = denialOf(problem);
  const { wrong, remedy, command, fixedBy = entry.fixedBy } = entry.say(problem, at);
  const words = `${subject === '' ? '' : `${subject}: `}${wrong}. ${fixIntroductions[fixedBy]} ${remedy}`;
  const withCommand = command === undefined ? words : `${words}: ${command}`;
  const fits = withCommand.length <= roomFor(problem.reason, supportMessage);
  return closeMessage(fits ? withCommand : words, problem.reason, supportMessage);
}
