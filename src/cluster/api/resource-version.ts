/** Versions are opaque to us except for one use: noticing that the server's history is not the one that we follow. */

const decimal = /^(0|[1-9][0-9]*)$/;

/**
 * True only when both are decimal numbers and `version` is the smaller. No object is ever kept or dropped by this: it
 * only says that a stream cannot be trusted, and a new list is right whether that is so or not.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export function isOlderVersion(version: string, than: string): boolean {
  if (!decimal.test(version) || !decimal.test(than)) return false;
  return version.length === than.length ? version < than : version.length < than.length;
}
