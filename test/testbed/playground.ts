/** A control plane with the webhook, for a person to play with until Ctrl-C: `make playground`. With a node: playground-node.ts. */

import { join } from 'node:path';
import { probeNamespace, WebhookFailed, WebhookUnderTest } from '../e2e/webhook-under-test.ts';
import { TestbedMissing } from './binaries.ts';
import { ControlPlane } from './control-plane.ts';
import { makeSample, sampleNamespace } from './playground-sample.ts';
import { denialTries, resourceTries, unboundTries, welcome } from './playground-text.ts';
import type { ProcessEnd } from './supervised-process.ts';
import { untilSignal } from './until-signal.ts';

const image = 'nginx';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const bundle = join(import.meta.dirname, '..', '..', 'dist', 'carm-webhook.mjs');

const tries = [
  '# Nothing is wrong in the cluster so far',
  `node ${bundle} check`,
  '# A pod gets its role, a token and the region',
  `kubectl run web -n ${sampleNamespace} --image=${image} -o yaml`,
  ...denialTries(image),
  ...resourceTries,
  ...unboundTries,
];

function reportEnd({ code, signal }: ProcessEnd, { logFile }: WebhookUnderTest): void {
  process.stderr.write(
    `\ncarm-webhook has ended (${signal ?? `exit code ${code}`}): the API server denies what it would ask it about. Its log: ${logFile}\n`,
  );
}

/** @returns whether the webhook served to the end. */
async function play(): Promise<boolean> {
  const signalled = untilSignal(() => say('\nEnding everything ...'));
  say('Starting a control plane and carm-webhook, a few seconds ...');
  const plane = await ControlPlane.start({ controllerManager: true });
  let webhook: WebhookUnderTest | undefined;
  try {
    // As installed: staleness and log level of production.
    webhook = await WebhookUnderTest.start(plane, { flags: ['--max-staleness=90s', '--log-level=info'] });
    await webhook.install();
    // What the test bed looked for is a namespace that is labelled and not bound: a finding of `check`.
    await plane.kubectl(['delete', 'namespace', probeNamespace, '--timeout=30s']);
    await makeSample(plane);
    const started =
      'A Kubernetes API server with its controllers and carm-webhook. There is no node: pods stay Pending.';
    const { adminKubeconfig, logFolder } = plane;
    say(welcome({ started, kubeconfig: adminKubeconfig, logFolder, opsUrl: webhook.opsUrl, tries }));
    // A promise keeps no process alive.
    const alive = setInterval(() => undefined, 2 ** 30);
    const end = await Promise.race([signalled, webhook.ended]);
    if (end !== undefined) {
      reportEnd(end, webhook);
      await signalled;
    }
    clearInterval(alive);
    return end === undefined;
  } finally {
    await webhook?.stop();
    await plane.stop();
  }
}

try {
  process.exit((await play()) ? 0 : 1);
} catch (error) {
  if (!(error instanceof TestbedMissing || error instanceof WebhookFailed)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(error instanceof TestbedMissing ? 2 : 1);
}
