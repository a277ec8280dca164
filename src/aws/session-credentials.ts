import { inspect } from 'node:util';

/** What signs a call. */
export interface RevealedCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const hidden = '[session credentials]';

/** Credentials of a role session. Whatever prints, logs or serializes the object meets only a word in their place. */
export class SessionCredentials {
  readonly #revealed: RevealedCredentials;

  constructor(revealed: RevealedCredentials) {
    this.#revealed = revealed;
  }

  /** For the signature of a call, and nothing else. */
  reveal(): RevealedCredentials {
    return this.#revealed;
  }

  toString(): string {
    return hidden;
  }

  toJSON(): string {
    return hidden;
  }

  [inspect.custom](): string {
    return hidden;
  }
}
