import { type Cluster, type Lookup, type LookupResult, UnverifiedError, type View } from './cluster.ts';
import { LookupView, lookupKey } from './lookup.ts';

/** Whether the decision is made without what could not be read. */
function canGoWithout(lookup: Lookup, error: unknown): boolean {
  return lookup.kind === 'Resources' && lookup.search.advisory === true && error instanceof UnverifiedError;
}

/** A view of objects that were read live. A look-up of one that was not read yet answers undefined and is noted. */
class LiveView extends LookupView {
  /** What came of each read: an object, none, or an error for whoever looks it up. */
  readonly #read = new Map<string, { readonly found: unknown } | { readonly error: unknown }>();
  #missing = new Map<string, Lookup>();

  constructor(lookups: readonly Lookup[]) {
    super();
    for (const lookup of lookups) this.#missing.set(lookupKey(lookup), lookup);
  }

  protected lookUp<L extends Lookup>(lookup: L): LookupResult<L> | undefined {
    const key = lookupKey(lookup);
    const result = this.#read.get(key);
    if (result === undefined) {
      this.#missing.set(key, lookup);
      return undefined;
    }
    if ('error' in result) throw result.error;
    return result.found as LookupResult<L>;
  }

  get isComplete(): boolean {
    return this.#missing.size === 0;
  }

  async readMissing(cluster: Cluster, namespace: string, deadline: number): Promise<void> {
    const missing = this.#missing;
    this.#missing = new Map();
    // What a search looks for depends on the other reads, so it waits until they are there.
    if (missing.size > 1) {
      for (const [key, { kind }] of missing) if (kind === 'Resources') missing.delete(key);
    }
    const read = async ([key, lookup]: [string, Lookup]): Promise<void> => {
      const result = await cluster.read(lookup, namespace, deadline).then(
        found => ({ found }),
        (error: unknown) => (canGoWithout(lookup, error) ? { found: undefined } : { error }),
      );
      this.#read.set(key, result);
    };
    await Promise.all(Array.from(missing, read));
  }
}

/**
 * Decides by live reads alone: reads what is known to be looked up, decides, and while that looked up anything else, reads
 * this and decides again. Each turn reads an object more, so it ends.
 * @param deadline milliseconds of `performance.now()`.
 * @param lookups what the decision by the cache looked up: with nothing new in the live state, one round trip is enough.
 * @throws {UnverifiedError}
 */
export async function decideLive<T>(
  cluster: Cluster,
  namespace: string,
  deadline: number,
  decide: (view: View) => T,
  lookups: readonly Lookup[] = [],
): Promise<T> {
  const view = new LiveView(lookups);
  for (;;) {
    if (!view.isComplete) await view.readMissing(cluster, namespace, deadline);
    const decision = decide(view);
    if (view.isComplete) return decision;
  }
}
