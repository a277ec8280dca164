import { isJsonObject, type JsonObject, optionalObject, optionalString } from '../objects/json.ts';
import { quote } from '../objects/quote.ts';
import type { AdmissionRequest } from './review.ts';

/** The kind of an object, which is an identifier in all that an API server sends. */
export function plainKind({ kind }: Pick<AdmissionRequest, 'kind'>): string {
  return /^[A-Za-z0-9]{1,63}$/.test(kind) ? kind : 'object';
}

/** The name; of an object without one its `generateName`: `web-*`. @throws {MalformedObjectError} */
function givenName(request: AdmissionRequest, object: JsonObject): string {
  const metadata = optionalObject(object, 'metadata', '') ?? {};
  const generated = optionalString(metadata, 'generateName', '/metadata');
  return request.name || optionalString(metadata, 'name', '/metadata') || (generated ? `${generated}*` : '');
}

/** How warnings name the object of a request: `Pod "web"`. */
export function shortSubject(request: AdmissionRequest, object: JsonObject): string {
  return `${plainKind(request)} ${quote(givenName(request, object))}`;
}

/** How denials name it: `Pod "web" in namespace "team-a"`. Its fields are read at once, and quoted when they are spoken. */
export function nameSubject(request: AdmissionRequest, object: JsonObject): () => string {
  const name = givenName(request, object);
  return () => `${plainKind(request)} ${quote(name)} in namespace ${quote(request.namespace)}`;
}

/** A request that deletes a collection has no name, but is asked for each object. Nothing in it is as it should be. */
function nameOf({ name, object, oldObject }: AdmissionRequest): string {
  const named = [object, oldObject].flatMap(value => {
    const metadata = isJsonObject(value) ? value['metadata'] : undefined;
    const own = isJsonObject(metadata) ? metadata['name'] : undefined;
    return typeof own === 'string' ? [own] : [];
  });
  return name || (named[0] ?? '');
}

/** How an object is named of which nothing is known to be as it should be. */
export function subjectOf(request: AdmissionRequest): string {
  const { namespace, resource } = request;
  // The review of a namespace carries its own name.
  const isInOne = namespace !== '' && resource.resource !== 'namespaces';
  const where = isInOne ? ` in namespace ${quote(namespace)}` : '';
  return `${plainKind(request)} ${quote(nameOf(request))}${where}`;
}

/** Words that name who says them, for people who asked us nothing: they applied a workload, and its pods are what we see. */
export function fromUs(words: string): string {
  return `carm-webhook: ${words}`;
}
