/** Arguments of kubectl that merge fields into an object, in a namespace or in none. */
export function patchArguments(resource: string, name: string, patch: object, namespace?: string): readonly string[] {
  const place = namespace === undefined ? [] : ['-n', namespace];
  return ['patch', resource, name, ...place, '--type=merge', '-p', JSON.stringify(patch)];
}

/** Arguments of kubectl that change entries of a map of ACK; null removes one. */
export function mapPatch(data: object, map = 'ack-role-account-map'): readonly string[] {
  return patchArguments('configmap', map, { data }, 'ack-system');
}
