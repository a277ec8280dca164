import type { Lookup, LookupResult, View } from './cluster.ts';
import { dispatchLookup, LookupView } from './lookup.ts';

/** A view that notes what a decision looked up in it: all of that can be read live at once. */
export class RecordingView extends LookupView {
  readonly #view: View;
  /** What was looked up, except for searches: what one looks for rests on what was looked up before. */
  readonly lookups: Lookup[] = [];

  constructor(view: View) {
    super();
    this.#view = view;
  }

  protected lookUp<L extends Lookup>(lookup: L): LookupResult<L> | undefined {
    if (lookup.kind !== 'Resources') this.lookups.push(lookup);
    // Not `lookUpIn`: it would copy the list of all namespaces, of which a decision may need the first few.
    return dispatchLookup<unknown>(lookup, this.#view) as LookupResult<L>;
  }
}
