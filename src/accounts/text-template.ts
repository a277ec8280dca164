/** What stands for the placeholders, and the longest that each can be. */
const longestValues = {
  account: 12,
  /** https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ (DNS label, DNS subdomain) */
  namespace: 63,
  serviceAccount: 253,
} as const;

type Placeholder = keyof typeof longestValues;

const placeholders = Object.keys(longestValues) as readonly Placeholder[];

/** Of the pod that a text is for. */
export type PlaceholderValues = Readonly<Record<Placeholder, string>>;

/** A text, or what stands in its place. */
type Part = { readonly text: string } | { readonly placeholder: Placeholder };

/** As a message lists them. */
export const namedPlaceholders = placeholders.map(name => `{${name}}`).join(', ');

/** A text about a pod, such as the name of its sessions: `{account}`, `{namespace}` and `{serviceAccount}` stand for the pod's own. */
export class TextTemplate {
  readonly #parts: readonly Part[];
  /** All that is no placeholder. */
  readonly ownText: string;

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
    this.ownText = parts.map(part => ('text' in part ? part.text : '')).join('');
  }

  /**
   * @param form what its own text must match.
   * @param characters those of the form besides letters and digits, for the message.
   * @throws {Error} that says what is allowed.
   */
  static parse(text: string, form: RegExp, characters: string): TextTemplate {
    const parts = text
      .split(/(\{[^{}]*\})/)
      .filter(part => part !== '')
      .map((part): Part => {
        if (!part.startsWith('{') || !part.endsWith('}')) return { text: part };
        const placeholder = placeholders.find(name => part === `{${name}}`);
        if (placeholder === undefined) throw new Error(`contains a placeholder other than ${namedPlaceholders}`);
        return { placeholder };
      });
    const template = new TextTemplate(parts);
    if (!form.test(template.ownText)) {
      throw new Error(`contains other characters than letters, digits, ${characters} and ${namedPlaceholders}`);
    }
    return template;
  }

  /** Whether it is the same for every pod. */
  get isFixed(): boolean {
    return this.#parts.every(part => 'text' in part);
  }

  /** Of all that it can become. */
  get longest(): number {
    let length = 0;
    for (const part of this.#parts) length += 'text' in part ? part.text.length : longestValues[part.placeholder];
    return length;
  }

  fill(values: PlaceholderValues): string {
    let whole = '';
    for (const part of this.#parts) whole += 'text' in part ? part.text : values[part.placeholder];
    return whole;
  }
}
