import { boundedCopy } from '../objects/bounded-copy.ts';

/** Of what AWS sends, so much is looked at, and so much shown. */
const mostRead = 2_000;
const mostShown = 400;

/** Runs of this length that a text shares with a secret are hidden: shorter ones are no use to anybody, and may be chance. */
const sharedRun = 12;

/** The form of a JSON Web Token, whole or cut: its header begins with `{"` in base64. */
const tokenForm = /\beyJ[\w.-]*/g;

function sharesRun(word: string, secrets: readonly string[]): boolean {
  for (let from = 0; from + sharedRun <= word.length; from++) {
    const run = word.slice(from, from + sharedRun);
    if (secrets.some(secret => secret.includes(run))) return true;
  }
  return false;
}

/**
 * A text from elsewhere, to be shown: one line of ASCII, bounded, with the secrets in it hidden. AWS's validation errors
 * repeat the value that they reject.
 */
export function redactSecrets(text: string, secrets: readonly string[]): string {
  const line = boundedCopy(text, mostRead)
    .replaceAll(tokenForm, '(hidden)')
    .replaceAll(/[\w+/=.-]{12,}/g, word => (sharesRun(word, secrets) ? '(hidden)' : word))
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[^ -~]/g, '?')
    .trim();
  return line.length > mostShown ? `${line.slice(0, mostShown - 3)}...` : line;
}
