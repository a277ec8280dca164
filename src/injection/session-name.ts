import { createHash } from 'node:crypto';

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html (RoleSessionName) */
const form = /^[\w+=,.@-]*$/;
const shortest = 2;
const longest = 64;

const placeholders = ['account', 'namespace', 'serviceAccount'] as const;

/** What stands for the placeholders. */
export type SessionNameValues = Readonly<Record<(typeof placeholders)[number], string>>;

/** A text, or what stands in its place. */
type Part = { readonly text: string } | { readonly placeholder: keyof SessionNameValues };

const hashLength = 16;

/** The name of the sessions of a pod's role, as CloudTrail shows it: the same for the same pod, whenever it is created. */
export class SessionNameTemplate {
  readonly #parts: readonly Part[];
  /** Between what is left of a name and its hash: no names of Kubernetes hold it, nor the text of the template, if it can be. */
  readonly #separator: string;

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
    const text = parts.map(part => ('text' in part ? part.text : '')).join('');
    this.#separator = ['=', '_', '@', '+', ','].find(character => !text.includes(character)) ?? '=';
  }

  /** @throws {Error} that says what is allowed. */
  static parse(text: string): SessionNameTemplate {
    const parts = text
      .split(/(\{[^{}]*\})/)
      .filter(part => part !== '')
      .map((part): Part => {
        if (!part.startsWith('{') || !part.endsWith('}')) return { text: part };
        const placeholder = placeholders.find(name => part === `{${name}}`);
        if (placeholder === undefined) throw new Error(`contains a placeholder other than ${namedPlaceholders}`);
        return { placeholder };
      });
    const texts = parts.map(part => ('text' in part ? part.text : ''));
    if (!texts.every(each => form.test(each))) {
      throw new Error(`contains other characters than letters, digits, _+=,.@- and ${namedPlaceholders}`);
    }
    const length = texts.join('').length;
    const isFixed = parts.every(part => 'text' in part);
    if (length > longest || (isFixed && length < shortest)) {
      throw new Error(`is not ${shortest} to ${longest} characters, nor none; it may have ${namedPlaceholders}`);
    }
    return new SessionNameTemplate(parts);
  }

  /**
   * The name, of STS's characters and length. What does not fit ends in a hash of the whole, so that names that differ
   * stay different.
   */
  nameFor(values: SessionNameValues): string {
    let whole = '';
    for (const part of this.#parts) whole += 'text' in part ? part.text : values[part.placeholder];
    if (whole.length >= shortest && whole.length <= longest && form.test(whole)) return whole;
    const hash = createHash('sha256').update(whole).digest('hex').slice(0, hashLength);
    const left = whole.slice(0, longest - hashLength - 1).replaceAll(/[^\w+=,.@-]/g, '-');
    return `${left}${this.#separator}${hash}`;
  }
}

const namedPlaceholders = placeholders.map(name => `{${name}}`).join(', ');
