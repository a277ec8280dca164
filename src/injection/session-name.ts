import { createHash } from 'node:crypto';
import { namedPlaceholders, type PlaceholderValues, TextTemplate } from '../accounts/text-template.ts';

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html (RoleSessionName) */
const form = /^[\w+=,.@-]*$/;
const shortest = 2;
const longest = 64;

const hashLength = 16;

declare const validated: unique symbol;

/** A session name as STS takes it. */
export type SessionName = string & { readonly [validated]: 'SessionName' };

export function isSessionName(text: string): text is SessionName {
  return text.length >= shortest && text.length <= longest && form.test(text);
}

/** The name of the sessions of a pod's role, as CloudTrail shows it: the same for the same pod, whenever it is created. */
export class SessionNameTemplate {
  readonly #template: TextTemplate;
  /** Between what is left of a name and its hash: no names of Kubernetes hold it, nor the text of the template, if it can be. */
  readonly #separator: string;

  private constructor(template: TextTemplate) {
    this.#template = template;
    this.#separator = ['=', '_', '@', '+', ','].find(character => !template.ownText.includes(character)) ?? '=';
  }

  /** @throws {Error} that says what is allowed. */
  static parse(text: string): SessionNameTemplate {
    const template = TextTemplate.parse(text, form, '_+=,.@-');
    const { ownText, isFixed } = template;
    if (ownText.length > longest || (isFixed && ownText.length < shortest)) {
      throw new Error(`is not ${shortest} to ${longest} characters, nor none; it may have ${namedPlaceholders}`);
    }
    return new SessionNameTemplate(template);
  }

  /**
   * The name, of STS's characters and length. What does not fit ends in a hash of the whole, so that names that differ
   * stay different.
   */
  nameFor(values: PlaceholderValues): SessionName {
    const whole = this.#template.fill(values);
    if (isSessionName(whole)) return whole;
    const hash = createHash('sha256').update(whole).digest('hex').slice(0, hashLength);
    const left = whole.slice(0, longest - hashLength - 1).replaceAll(/[^\w+=,.@-]/g, '-');
    return `${left}${this.#separator}${hash}` as SessionName;
  }
}
