/** What we know of a ServiceAccount. */
export interface ServiceAccount {
  readonly annotations: ReadonlyMap<string, string>;
}
