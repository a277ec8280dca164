import { bareServiceAccount } from '../../objects/service-account.ts';
import type { Lookup, LookupResult, View } from '../cluster.ts';
import { LookupView, lookUpIn } from '../lookup.ts';

/**
 * A view in which every ServiceAccount is there: one that is not has no labels and no annotations. In most bundles a workload's
 * ServiceAccount comes later in the same `kubectl apply`, and the pods only after that.
 */
export class ExpectedServiceAccounts extends LookupView {
  readonly #view: View;
  /** Whether one was not there. */
  missed = false;

  constructor(view: View) {
    super();
    this.#view = view;
  }

  protected override lookUp<L extends Lookup>(lookup: L): LookupResult<L> | undefined {
    const found = lookUpIn(this.#view, lookup);
    if (found !== undefined || lookup.kind !== 'ServiceAccount') return found;
    this.missed = true;
    return bareServiceAccount as LookupResult<L>;
  }
}
