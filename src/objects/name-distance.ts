/** How far apart the names of two keys are, as people slip: by letters, by words, by the signs between them. */

import { editDistance, slipsAllowed } from './edit-distance.ts';

/** Slips of the hand that no letter counts: `Role_Arn`, `owner.account.id`. */
export const notPlain = /[A-Z_.]/;

export function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_.]/g, '-');
}

/** A word that says what everyone knows: `aws-region`, `iam-role-arn`. */
export function withoutFiller(name: string): string {
  return name.replace(/^(?:aws|iam)-/, '');
}

/** Whether one name has one word more than the other, in the same order, and two in common. */
function isOneWordApart(written: string, known: string): boolean {
  const [a, b] = [written.split('-'), known.split('-')];
  const [longer, shorter] = a.length > b.length ? [a, b] : [b, a];
  if (shorter.length < 2 || longer.length !== shorter.length + 1) return false;
  const at = longer.findIndex((word, index) => word !== shorter[index]);
  // A word in front makes another thing of it: the role of a hub is not a role.
  if (longer === a && at === 0) return false;
  return longer.toSpliced(at, 1).join('-') === shorter.join('-');
}

/** More than any number of letters that counts. */
const oneWord = 3;

/** How far a written name is from a known one; undefined for one that has nothing to do with it. Short names must be closer. */
export function apart(written: string, known: string): number | undefined {
  const most = slipsAllowed(known);
  const letters = editDistance(written, known, most);
  if (letters <= most) return letters;
  return isOneWordApart(written, known) ? oneWord : undefined;
}

/** Under our own prefix everything is reported, so more may be guessed: `injection` is `inject`. */
export function apartInOwn(written: string, known: string): number | undefined {
  const closest = apart(written, known);
  if (closest !== undefined) return closest;
  return written.startsWith(known) && !written.startsWith(`${known}-`) ? oneWord : undefined;
}
