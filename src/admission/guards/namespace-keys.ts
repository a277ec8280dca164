import { isExcludedNamespace } from '../../accounts/managed-namespace.ts';
import { keyHints } from '../../objects/key-hints.ts';
import { readNamespace } from '../../objects/namespace.ts';
import { isNamespaceController } from '../controllers.ts';
import { allow } from '../decision.ts';
import { defineRule } from '../rule.ts';
import { isTerminating } from './namespace-request.ts';

/**
 * Labels and annotations of namespaces that look like those that are read. Nothing else tells of them: a namespace whose binding
 * is misspelled is bound to nothing, so no other entry sees it. All the others leave them to this one, so that nobody is warned
 * twice; and it has an endpoint of its own, for a review does not say which entry it comes from.
 */
export const namespaceKeyRules = [
  defineRule({
    webhook: 'keys.carm-webhook.dev',
    endpoint: 'keys',
    matches: [{ group: '', kind: 'Namespace', resource: 'namespaces', operations: ['CREATE', 'UPDATE'] }],
    reasons: { allow: ['Checked', 'ExemptIdentity', 'NamespaceNotManaged', 'Terminating'], mutate: [], deny: [] },
    decide(request, _, config) {
      if (isNamespaceController(request.userInfo)) return allow('ExemptIdentity');
      if (isTerminating(request)) return allow('Terminating');
      const namespace = readNamespace(request.object, request.name);
      if (isExcludedNamespace(namespace.name, config.ownNamespace)) return allow('NamespaceNotManaged');
      const old = request.operation === 'UPDATE' ? readNamespace(request.oldObject, request.name) : undefined;
      return allow('Checked', { warnings: keyHints(namespace, 'namespace', old) });
    },
    advisory: true,
  }),
];
