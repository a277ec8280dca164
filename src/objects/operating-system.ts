import { isJsonObject, type JsonObject, optionalObject, optionalString } from './json.ts';
import { readLabels } from './metadata.ts';
import type { SizeMeter } from './object-size.ts';

/** Where a pod will run, by what it says: `possible` where it may be Windows as well as Linux. */
export type WindowsUse = 'certain' | 'possible' | 'unlikely';

/** Either label is set by people who wrote for old clusters. https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-os */
const osLabels: ReadonlySet<unknown> = new Set(['kubernetes.io/os', 'beta.kubernetes.io/os']);

/** Labels and taints that name Windows otherwise, such as `node.kubernetes.io/windows-build`. */
function namesWindows(text: unknown): boolean {
  return typeof text === 'string' && text.length <= 317 && /windows/i.test(text);
}

function strings(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Whether an expression of a node selector lets a Windows node in, because it speaks of operating systems. */
function letsWindowsIn(expression: unknown): boolean {
  if (!isJsonObject(expression)) return false;
  const { key, operator } = expression;
  const values = strings(expression['values']);
  if (!osLabels.has(key)) return namesWindows(key) && operator !== 'DoesNotExist';
  if (operator === 'In') return values.includes('windows');
  return operator === 'NotIn' && !values.includes('windows');
}

/** https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#node-affinity */
function affinityLetsWindowsIn(spec: JsonObject, meter: SizeMeter): boolean {
  const affinity = optionalObject(spec, 'affinity', '/spec');
  const node = affinity === undefined ? undefined : optionalObject(affinity, 'nodeAffinity', '/spec/affinity');
  const required = node?.['requiredDuringSchedulingIgnoredDuringExecution'];
  const terms = isJsonObject(required) ? strings(required['nodeSelectorTerms']) : [];
  meter.add('node selector entries', terms.length);
  return terms.some(term => {
    if (!isJsonObject(term)) return false;
    const expressions = strings(term['matchExpressions']);
    meter.add('node selector entries', expressions.length);
    for (const expression of expressions) {
      if (isJsonObject(expression)) meter.add('node selector entries', strings(expression['values']).length);
    }
    // A term by the name of a node says nothing of its system.
    return expressions.some(letsWindowsIn) || strings(term['matchFields']).length > 0;
  });
}

function toleratesWindows(spec: JsonObject, meter: SizeMeter): boolean {
  const tolerations = strings(spec['tolerations']);
  meter.add('node selector entries', tolerations.length);
  return tolerations.some(item => isJsonObject(item) && (namesWindows(item['key']) || namesWindows(item['value'])));
}

/**
 * Whether a pod runs on Windows. `spec.os` and the `os` labels of the nodeSelector are certain: kubelet holds a pod to both.
 * https://kubernetes.io/docs/concepts/workloads/pods/#pod-os
 * @throws {MalformedObjectError | ObjectTooLargeError}
 */
export function readWindowsUse(spec: JsonObject, meter: SizeMeter): WindowsUse {
  const os = optionalObject(spec, 'os', '/spec');
  const named = os === undefined ? undefined : optionalString(os, 'name', '/spec/os');
  const nodeSelector = readLabels(spec, 'nodeSelector', '/spec');
  const selected = ['kubernetes.io/os', 'beta.kubernetes.io/os'].map(label => nodeSelector.get(label));
  if (named === 'windows' || selected.includes('windows')) return 'certain';
  if (named === 'linux' || selected.includes('linux')) return 'unlikely';
  // What a RuntimeClass schedules by, and which system a named node has, is not in the pod.
  const elsewhere = spec['runtimeClassName'] ?? spec['nodeName'] ?? undefined;
  const possible =
    (elsewhere !== undefined && elsewhere !== '') ||
    [...nodeSelector.keys()].some(namesWindows) ||
    affinityLetsWindowsIn(spec, meter) ||
    toleratesWindows(spec, meter);
  return possible ? 'possible' : 'unlikely';
}
