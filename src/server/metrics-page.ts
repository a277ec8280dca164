import type { Registry } from 'prom-client';

/** `/metrics` as text: made again only after `freshMs`, however many ask, for it takes milliseconds. */
export class MetricsPage {
  readonly contentType: string;
  readonly #registry: Registry;
  readonly #freshMs: number;
  #page: Promise<Buffer> | undefined;
  #madeAtMs = 0;

  constructor(registry: Registry, freshMs: number) {
    this.#freshMs = freshMs;
    this.#registry = registry;
    this.contentType = registry.contentType;
  }

  /** One buffer for all who ask: a reader who does not read holds no copy. */
  read(): Promise<Buffer> {
    const nowMs = performance.now();
    if (this.#page === undefined || nowMs - this.#madeAtMs >= this.#freshMs) {
      this.#madeAtMs = nowMs;
      this.#page = this.#make();
    }
    return this.#page;
  }

  async #make(): Promise<Buffer> {
    try {
      return Buffer.from(await this.#registry.metrics());
    } catch (error) {
      this.#page = undefined;
      throw error;
    }
  }
}
