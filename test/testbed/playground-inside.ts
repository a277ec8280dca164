/**
 * The playground's cluster, in the namespaces that run-isolated.ts makes: see playground-node.ts, which starts it. When all is ready it
 * writes one line of JSON to stdout, a `ReadyPlayground`; SIGTERM ends it.
 */

import { join } from 'node:path';
import { NodeCluster } from '../e2e-node/node-cluster.ts';
import { TestbedMissing } from './binaries.ts';
import { ControlPlaneFailed } from './control-plane.ts';
import { LoopbackBridge } from './loopback-bridge.ts';
import { NodeRequirementMissing } from './node/requirements.ts';
import { NodeFailed } from './node/test-node.ts';
import { makeSample } from './playground-sample.ts';

/** What the outside needs to call the cluster. All files are seen there too. */
export interface ReadyPlayground {
  /** The Unix socket that leads to the API server. */
  readonly socket: string;
  readonly caFile: string;
  readonly adminToken: string;
  /** Removed with the cluster, whatever ends it. */
  readonly dataFolder: string;
  readonly logFolder: string;
}

async function play(): Promise<void> {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  // It may come twice: to the process group, and passed on by its first process.
  process.on('SIGTERM', () => end());
  const cluster = await NodeCluster.start();
  let bridge: LoopbackBridge | undefined;
  try {
    const { plane } = cluster;
    await makeSample(plane);
    const { hostname, port } = new URL(plane.url);
    const socket = join(plane.dataFolder, 'api.sock');
    bridge = await LoopbackBridge.start({ listen: { path: socket }, target: { host: hostname, port: Number(port) } });
    const { caFile, adminToken, dataFolder, logFolder } = plane;
    const ready: ReadyPlayground = { socket, caFile, adminToken, dataFolder, logFolder };
    process.stdout.write(`${JSON.stringify(ready)}\n`);
    await ended;
  } finally {
    await bridge?.stop();
    await cluster.stop();
  }
}

try {
  await play();
  process.exit(0);
} catch (error) {
  const isMissing = error instanceof TestbedMissing || error instanceof NodeRequirementMissing;
  if (!(isMissing || error instanceof ControlPlaneFailed || error instanceof NodeFailed)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(isMissing ? 2 : 1);
}
