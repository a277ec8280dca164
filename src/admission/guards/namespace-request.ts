import { optionalObject, optionalString, requiredObject } from '../../objects/json.ts';
import type { AdmissionRequest } from '../review.ts';

/** What the rules on namespaces have in common. */

export const ofNamespaces = {
  webhook: 'namespaces.carm-webhook.dev',
  // The subresources can change annotations and labels as well.
  matches: [
    { group: '', kind: 'Namespace', resource: 'namespaces', operations: ['CREATE', 'UPDATE'] },
    { group: '', resource: 'namespaces', subResource: 'status', operations: ['CREATE', 'UPDATE'] },
    { group: '', resource: 'namespaces', subResource: 'finalize', operations: ['CREATE', 'UPDATE'] },
  ],
} as const;

/** As it is stored: what a request says of it is only a claim. */
export function isTerminating({ oldObject }: AdmissionRequest): boolean {
  const stored = optionalObject(requiredObject(oldObject ?? {}, ''), 'metadata', '') ?? {};
  return optionalString(stored, 'deletionTimestamp', '/metadata') !== undefined;
}
