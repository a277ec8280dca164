import { type AccountId, isAccountId } from '../../accounts/account-id.ts';
import { parseRoleArn } from '../../accounts/role-arn.ts';
import { isTeamId, type TeamId } from '../../accounts/team-id.ts';
import { teamIdAnnotation } from '../../objects/keys.ts';
import type { MessageContext } from './denial.ts';

/** What is wrong with an id that somebody wrote, and what they meant, as far as one can tell. */
export interface WrittenId<Id extends string> {
  /** After "which": `is not 12 digits`. */
  readonly which: string;
  /** What to do besides correcting it; empty where there is nothing to add. */
  readonly hint: string;
  readonly meant: Id | undefined;
}

export const padded = 'starts or ends with white space';

/** For whoever binds by a name. The gate is ACK's as well: its controllers must read the same map. */
function byName({ teamLevelCarm }: Pick<MessageContext, 'teamLevelCarm'>): string {
  const gate = teamLevelCarm ? '' : ", which needs --feature-gates=TeamLevelCARM=true here and in ACK's controllers";
  return ` (to bind by a name, use ${teamIdAnnotation}${gate})`;
}

/** YAML reads bare digits as a number; what prints that number again leaves out zeros, or shortens it. */
const inQuotes = (loses: string): string => ` (write it in quotes: as a bare number it loses ${loses})`;

/** What is wrong with an account id, by the ways in which people get it wrong. */
export function describeAccountId(value: string, at: Pick<MessageContext, 'teamLevelCarm'>): WrittenId<AccountId> {
  const trimmed = value.trim();
  if (isAccountId(trimmed)) return { which: padded, hint: '', meant: trimmed };
  const digits = value.replaceAll(/[ -]/g, '');
  if (isAccountId(digits)) return { which: 'is not 12 digits', hint: ' (without spaces and dashes)', meant: digits };
  const role = parseRoleArn(trimmed);
  if (role !== undefined) return { which: 'is a role ARN', hint: ' (the account id alone)', meant: role.accountId };
  if (/^[0-9]{1,11}$/.test(value)) {
    const counted = `${value.length} digit${value.length === 1 ? '' : 's'}`;
    return { which: `has ${counted} instead of 12`, hint: inQuotes('a leading zero'), meant: undefined };
  }
  if (/^[0-9](?:\.[0-9]+)?[eE]\+?[0-9]+$/.test(value))
    return { which: 'is a number in scientific notation', hint: inQuotes('digits'), meant: undefined };
  return { which: 'is not 12 digits', hint: /[A-Za-z]/.test(value) ? byName(at) : '', meant: undefined };
}

/** What is wrong with a team id. */
export function describeTeamId(value: string): WrittenId<TeamId> {
  const trimmed = value.trim();
  if (isTeamId(trimmed)) return { which: padded, hint: '', meant: trimmed };
  return { which: 'is not a team id (letters, digits, _ and -)', hint: '', meant: undefined };
}
