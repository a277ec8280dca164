import { isExcludedNamespace } from '../../accounts/managed-namespace.ts';
import { type JsonObject, optionalArray, optionalObject, requiredObject } from '../../objects/json.ts';
import { endpointUrlAnnotation, injectLabel } from '../../objects/keys.ts';
import { type Namespace, readNamespace } from '../../objects/namespace.ts';
import { quote } from '../../objects/quote.ts';
import type { Config } from '../config.ts';
import { isNamespaceController } from '../controllers.ts';
import { allow } from '../decision.ts';
import { denyObject, messageContext } from '../deny-object.ts';
import type { InvalidLabelValue } from '../label-values.ts';
import type { AdmissionRequest } from '../review.ts';
import { defineRule } from '../rule.ts';
import { bindingForbidden, neededGrants } from './binding-authorization.ts';
import { invalidValues, isOld } from './namespace-labels.ts';
import { isTerminating, ofNamespaces } from './namespace-request.ts';
import { invalidSettings, isOldSetting } from './namespace-settings.ts';
import { judgeRebinding } from './rebinding.ts';

/** Whether anything keeps a namespace in deletion; without finalizers it is gone with this very request. */
function isHeld(object: JsonObject): boolean {
  const metadata = optionalObject(object, 'metadata', '') ?? {};
  const spec = optionalObject(object, 'spec', '') ?? {};
  const finalizers = [optionalArray(metadata, 'finalizers', '/metadata'), optionalArray(spec, 'finalizers', '/spec')];
  return finalizers.some(list => list !== undefined && list.length > 0);
}

/**
 * Whether a terminating namespace would lose the label by which its pods are judged. They run for as long as it takes,
 * and `kubectl debug` may add containers to them; on a live namespace that is bound, `/mutate` puts the label back.
 */
function losesLabel(
  request: AdmissionRequest,
  before: Namespace | undefined,
  after: Namespace,
  config: Config,
): boolean {
  return (
    before?.labels.get(injectLabel) === 'enabled' &&
    after.labels.get(injectLabel) !== 'enabled' &&
    isTerminating(request) &&
    !isExcludedNamespace(after.name, config.ownNamespace) &&
    isHeld(requiredObject(request.object, ''))
  );
}

/** A value that means nothing, given to one of our labels by this very request. What was there before stays possible. */
function newInvalidValue(
  request: AdmissionRequest,
  before: Namespace | undefined,
  after: Namespace,
  config: Config,
): InvalidLabelValue | undefined {
  if (isTerminating(request) || isExcludedNamespace(after.name, config.ownNamespace)) return undefined;
  return invalidValues(after).find(invalid => !isOld(invalid, before));
}

export const namespaceRules = [
  defineRule({
    ...ofNamespaces,
    endpoint: 'validate',
    reasons: {
      allow: ['Checked', 'ExemptIdentity'],
      mutate: [],
      deny: [
        'EndpointNotAllowed',
        'InvalidLabel',
        'BindingForbidden',
        'InvalidAnnotation',
        'InvalidRoleArn',
        'RebindWithResources',
        'RoleOutsideAccount',
      ],
    },
    /**
     * A change of binding, labels or region can take resources from ACK.
     * An endpoint of a tenant's own would have ACK send its credentials and calls there, for every namespace that shares the
     * role. https://github.com/aws-controllers-k8s/runtime/blob/main/pkg/runtime/config.go (BaseEndpoint, for STS too)
     */
    decide(request, view, config) {
      if (isNamespaceController(request.userInfo)) return allow('ExemptIdentity');
      const namespace = readNamespace(request.object, request.name);
      const old = request.operation === 'UPDATE' ? readNamespace(request.oldObject, request.name) : undefined;
      const subject = () => `Namespace ${quote(namespace.name)}`;
      const at = messageContext(namespace.name, config);
      const value = namespace.annotations.get(endpointUrlAnnotation);
      const changed = value && value !== old?.annotations.get(endpointUrlAnnotation);
      if (changed && !config.allowedEndpointUrls.has(value))
        return denyObject(subject, { reason: 'EndpointNotAllowed', value }, at, config);
      if (losesLabel(request, old, namespace, config))
        return denyObject(
          subject,
          { reason: 'InvalidLabel', replacedBy: namespace.labels.get(injectLabel) },
          at,
          config,
        );
      const invalid = newInvalidValue(request, old, namespace, config);
      if (invalid !== undefined) return denyObject(subject, { reason: 'InvalidLabel', ...invalid }, at, config);
      // ACK works in a namespace until it is gone.
      const ends = isTerminating(request) && !isHeld(requiredObject(request.object, ''));
      const needed = config.authorizeBindings && !ends ? neededGrants(old, namespace, config) : [];
      const forbidden = bindingForbidden(request.userInfo, needed, view);
      if (typeof forbidden === 'object') return denyObject(subject, forbidden, at, config);
      const checked = allow('Checked', { confirmLive: forbidden === 'unasked' });
      if (isTerminating(request) || isExcludedNamespace(namespace.name, config.ownNamespace)) return checked;
      const setting = invalidSettings(namespace, view, config).find(each => !isOldSetting(each, old));
      // As with labels, the mode has no say: it stands on the same object.
      if (setting !== undefined) return { ...denyObject(() => '', setting.problem, at, config), ignoresMode: true };
      // What nobody may do is not searched for.
      if (old === undefined || forbidden === 'unasked') return checked;
      return judgeRebinding({ before: old, after: namespace }, view, config);
    },
  }),
];
