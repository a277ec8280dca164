/**
 * A cluster of one node with cert-manager and the webhook as `deploy/` ships it, for a person to play with until Ctrl-C:
 * `make playground NODE=1`. The cluster runs in namespaces of its own (playground-inside.ts). This process runs where the person's
 * terminal does, and forwards a port of loopback to it.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { builtImage, busyboxImage } from '../e2e-node/images.ts';
import { webhookNamespace } from '../e2e-node/node-cluster.ts';
import {
  controlPlaneProgram,
  controlPlanePrograms,
  nodeProgram,
  nodeProgramNames,
  TestbedMissing,
} from './binaries.ts';
import { certManagerProgram } from './cert-manager.ts';
import { kubeconfig } from './kubeconfig.ts';
import { LoopbackBridge } from './loopback-bridge.ts';
import { NodeRequirementMissing, requireNode } from './node/requirements.ts';
import type { ReadyPlayground } from './playground-inside.ts';
import { sampleNamespace } from './playground-sample.ts';
import { denialTries, resourceTries, unboundTries, welcome } from './playground-text.ts';
import { SupervisedProcess } from './supervised-process.ts';
import { untilSignal } from './until-signal.ts';

/** It may have to finish its start before it ends. */
const stopGraceMs = 120_000;
/** kube-apiserver's own certificate is for its address inside, and for the names of Service `kubernetes`. */
const apiServerName = 'kubernetes.default.svc';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const busyPod = (name: string): string =>
  `kubectl run ${name} -n ${sampleNamespace} --image=${busyboxImage} -- sleep 1000`;

const debugFlags = `--image=${busyboxImage} --container=look --profile=general`;

const tries = [
  '# A pod runs, with the role of its account, the region and a token',
  busyPod('web'),
  `kubectl wait -n ${sampleNamespace} --for=condition=Ready pod/web`,
  `kubectl exec -n ${sampleNamespace} web -- sh -c 'env | grep AWS_'`,
  `kubectl exec -n ${sampleNamespace} web -- sh -c 'cat $AWS_WEB_IDENTITY_TOKEN_FILE'`,
  '# A container that is added to debug it gets the same',
  // It waits for kubectl, which shows nothing of what was said before.
  `kubectl debug -n ${sampleNamespace} web --attach ${debugFlags} -- sh -c 'sleep 2; env | grep AWS_'`,
  `kubectl logs -n ${sampleNamespace} web --container=look`,
  ...denialTries(busyboxImage),
  ...resourceTries,
  '# The webhook has two replicas; while one is replaced, pods are created',
  `kubectl get pods -n ${webhookNamespace}`,
  `kubectl delete -n ${webhookNamespace} --wait=false $(kubectl get pods -n ${webhookNamespace} -o name | head -n 1)`,
  busyPod('again'),
  '# A third replica',
  `kubectl scale -n ${webhookNamespace} deployment/carm-webhook --replicas=3`,
  `kubectl rollout status -n ${webhookNamespace} deployment/carm-webhook`,
  ...unboundTries,
];

const started = `A Kubernetes cluster of one node, with cert-manager, and carm-webhook as deploy/ installs it.
Nothing leads out of it, so no image can be pulled; ${busyboxImage} is there.`;

/** An error to be thrown when the cluster ends by itself; it has said why. */
class ClusterEnded extends Error {
  override readonly name = 'ClusterEnded';
  readonly code = 'ClusterEnded';
  readonly exitCode: number;

  constructor(exitCode: number) {
    super('the cluster has ended');
    this.exitCode = exitCode;
  }
}

/** What cannot be had is said before anything is started. */
function requireAll(): void {
  requireNode();
  for (const program of controlPlanePrograms) controlPlaneProgram(program);
  for (const program of nodeProgramNames) nodeProgram(program);
  certManagerProgram();
  builtImage();
}

function startCluster(): SupervisedProcess {
  const runner = join(import.meta.dirname, 'node', 'run-isolated.ts');
  const inside = join(import.meta.dirname, 'playground-inside.ts');
  const cluster = new SupervisedProcess(process.execPath, [runner, process.execPath, inside]);
  cluster.stderr?.pipe(process.stderr);
  return cluster;
}

async function untilReady(cluster: SupervisedProcess): Promise<ReadyPlayground> {
  if (cluster.stdout !== null) {
    for await (const line of createInterface({ input: cluster.stdout })) return JSON.parse(line) as ReadyPlayground;
  }
  throw await ended(cluster);
}

async function ended(cluster: SupervisedProcess): Promise<ClusterEnded> {
  const { code } = await cluster.ended;
  return new ClusterEnded(code || 1);
}

/** Writes a kubeconfig that leads over the bridge. */
function writeKubeconfig({ dataFolder, caFile, adminToken }: ReadyPlayground, { port }: LoopbackBridge): string {
  const path = join(dataFolder, 'kubeconfig');
  const server = `https://127.0.0.1:${port}`;
  writeFileSync(path, kubeconfig(server, caFile, adminToken, { tlsServerName: apiServerName }), { mode: 0o600 });
  return path;
}

async function play(): Promise<void> {
  requireAll();
  const signalled = untilSignal(() => say('\nEnding everything ...'));
  say('Starting a control plane, a node, cert-manager and carm-webhook, about 15 seconds ...');
  const cluster = startCluster();
  // A promise keeps no process alive.
  const alive = setInterval(() => undefined, 2 ** 30);
  let bridge: LoopbackBridge | undefined;
  try {
    const ready = await Promise.race([untilReady(cluster), signalled]);
    if (ready === undefined) return;
    const { socket, logFolder } = ready;
    bridge = await LoopbackBridge.start({ listen: { host: '127.0.0.1', port: 0 }, target: { path: socket } });
    say(welcome({ started, kubeconfig: writeKubeconfig(ready, bridge), logFolder, tries }));
    const over = await Promise.race([signalled, ended(cluster)]);
    if (over !== undefined) throw over;
  } finally {
    clearInterval(alive);
    await bridge?.stop();
    const { code } = await cluster.stop(stopGraceMs);
    // One that was interrupted early has nothing to end in order, and other exit codes.
    if (code !== 0 && bridge !== undefined) process.exitCode = 1;
  }
}

try {
  await play();
  process.exit();
} catch (error) {
  if (error instanceof ClusterEnded) {
    process.stderr.write(`${error.message}\n`);
    process.exit(error.exitCode);
  }
  if (!(error instanceof TestbedMissing || error instanceof NodeRequirementMissing)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(2);
}
