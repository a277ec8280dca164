import { namedPlaceholders, type PlaceholderValues, TextTemplate } from './text-template.ts';

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (ExternalId) */
const form = /^[\w+=,.@:/-]*$/;
const shortest = 2;
const longest = 1224;

declare const validated: unique symbol;

/** An external id as STS takes it; so it holds nothing that ends a line or begins a comment in a file. */
export type ExternalId = string & { readonly [validated]: 'ExternalId' };

export function isExternalId(text: string): text is ExternalId {
  return text.length >= shortest && text.length <= longest && form.test(text);
}

/** What is allowed, for messages. */
export const externalIdForm = `${shortest} to ${longest} letters, digits and _+=,.@:/-, with ${namedPlaceholders} filled in`;

/** The external id that pods show to the role that they chain to, with `{account}`, `{namespace}` and `{serviceAccount}`. */
export class ExternalIdTemplate {
  readonly #template: TextTemplate;

  private constructor(template: TextTemplate) {
    this.#template = template;
  }

  /** @throws {Error} that says what is allowed; also for one that could become too long for some pod. */
  static parse(text: string): ExternalIdTemplate {
    const template = TextTemplate.parse(text, form, '_+=,.@:/-');
    if (template.longest > longest || (template.isFixed && template.longest < shortest)) {
      throw new Error(`is not ${shortest} to ${longest} characters, with the longest ${namedPlaceholders}`);
    }
    return new ExternalIdTemplate(template);
  }

  /** Undefined where it comes to a single character: a namespace, or a ServiceAccount, of that name. */
  idFor(values: PlaceholderValues): ExternalId | undefined {
    const id = this.#template.fill(values);
    return isExternalId(id) ? id : undefined;
  }
}
