import { managementOf } from '../../accounts/managed-namespace.ts';
import { toPaste } from '../../admission/catalogue/paste.ts';
import type { Config } from '../../admission/config.ts';
import type { Snapshot } from '../../cluster/state/snapshot.ts';
import { isJsonObject, type JsonObject } from '../../objects/json.ts';
import { injectLabel } from '../../objects/keys.ts';
import { type Finding, finding } from './finding.ts';
import { sentence } from './namespace-findings.ts';

/** https://kubernetes.io/docs/tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods/ */
const criticalClasses: ReadonlySet<unknown> = new Set(['system-cluster-critical', 'system-node-critical']);

/** Where cert-manager is installed, unless someone says otherwise. https://cert-manager.io/docs/installation/ */
const certManagerNamespace = 'cert-manager';

/** Managed namespaces whose pods the cluster, or the webhook itself, cannot do without. It keeps one word of each. */
export class CriticalNamespaces {
  readonly #state: Snapshot;
  readonly #config: Config;
  readonly #whose = new Map<string, string>();

  constructor(state: Snapshot, config: Config) {
    this.#state = state;
    this.#config = config;
    this.#add(certManagerNamespace, 'cert-manager, which renews the certificate of the webhook');
    for (const { namespace } of config.ackSystems) this.#add(namespace, "ACK's controllers");
  }

  look({ metadata, spec }: JsonObject): void {
    const namespace = isJsonObject(metadata) ? metadata['namespace'] : undefined;
    const priority = isJsonObject(spec) ? spec['priorityClassName'] : undefined;
    if (typeof namespace === 'string' && criticalClasses.has(priority))
      this.#add(namespace, `pods of class ${priority}`);
  }

  #add(name: string, whose: string): void {
    if (this.#whose.has(name)) return;
    const namespace = this.#state.namespace(name);
    const { ownNamespace, featureGates } = this.#config;
    if (namespace === undefined || managementOf(namespace, ownNamespace, featureGates) !== 'managed') return;
    this.#whose.set(name, whose);
  }

  get findings(): readonly Finding[] {
    return [...this.#whose].map(([name, whose]) => {
      const message = `it has ${whose}, and none of its pods can start while the webhook does not answer`;
      const command = toPaste`kubectl label --overwrite namespace ${name} ${injectLabel}=disabled`;
      const fix = sentence('Give its pods their role in another way, and have the namespace opt out', command);
      return finding('CriticalNamespaceManaged', { kind: 'Namespace', namespace: '', name }, message, fix);
    });
  }
}
