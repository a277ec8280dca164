import assert from 'node:assert/strict';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { namespace as namespaceObject, serviceAccount } from '../e2e/cluster-objects.ts';
import { eventually } from '../e2e/eventually.ts';
import { asList } from '../e2e/manifests.ts';
import type { ControlPlane } from '../testbed/control-plane.ts';
import { builtImage } from './images.ts';
import type { Replica } from './replicas.ts';

const namespace = 'attackers';
const startLimitMs = 60_000;

interface AttackPod {
  readonly metadata: { readonly name: string };
  readonly status: {
    readonly phase?: string;
    readonly containerStatuses?: readonly { readonly state?: { readonly running?: object } }[];
  };
}

/**
 * Pods that attack the webhook's pods at their own addresses, as a tenant could: one for each attack, so each with an address of its
 * own. They are BestEffort, which leaves the processors to others: attackers are on other machines.
 */
export class AttackPods {
  readonly #plane: ControlPlane;
  readonly #count: number;

  private constructor(plane: ControlPlane, count: number) {
    this.#plane = plane;
    this.#count = count;
  }

  /** Starts them, and waits until all run. */
  static async start(
    plane: ControlPlane,
    attacks: readonly string[],
    replicas: readonly Replica[],
  ): Promise<AttackPods> {
    const folder = await mkdtemp(join(tmpdir(), 'attacker-'));
    // Not for its owner alone: they run as another user.
    await chmod(folder, 0o755);
    await build({
      entryPoints: [join(import.meta.dirname, '..', 'hostile', 'attacker.ts')],
      outfile: join(folder, 'attacker.mjs'),
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      logLevel: 'warning',
    });
    const addresses = replicas.map(({ address }) => address).join(',');
    const pods = attacks.map((attack, index) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name: `attack-${index}` },
      spec: {
        serviceAccountName: 'attacker',
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        enableServiceLinks: false,
        automountServiceAccountToken: false,
        volumes: [{ name: 'attacker', hostPath: { path: folder } }],
        containers: [
          {
            name: 'attacker',
            // It has Node.js, and the node has it already.
            image: builtImage().name,
            imagePullPolicy: 'Never',
            command: ['/nodejs/bin/node', '/attacker/attacker.mjs', attack, addresses, '8443', '8080'],
            volumeMounts: [{ name: 'attacker', mountPath: '/attacker', readOnly: true }],
          },
        ],
      },
    }));
    const owned = [namespaceObject(namespace), serviceAccount(namespace, 'attacker')];
    await plane.kubectl(['apply', '-f', '-'], { input: asList([...owned, ...pods]) });
    const started = new AttackPods(plane, attacks.length);
    await eventually('all attackers run', () => started.#allRun(), startLimitMs);
    return started;
  }

  /** Ends them; an attack that ended by itself was none. */
  async end(): Promise<void> {
    const didRun = await this.#allRun();
    await this.#plane.kubectl(['delete', 'namespace', namespace, '--wait'], { timeoutMs: startLimitMs });
    assert.ok(didRun, 'an attacker ended by itself');
  }

  async #allRun(): Promise<true | undefined> {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    const { body } = await this.#plane.request<{ readonly items: readonly AttackPod[] }>('GET', path);
    const running = body.items.filter(({ status }) => {
      const containers = status.containerStatuses ?? [];
      return containers.length > 0 && containers.every(({ state }) => state?.running !== undefined);
    });
    return running.length === this.#count ? true : undefined;
  }
}
