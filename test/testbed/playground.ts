/** A control plane with the webhook, for a person to play with until Ctrl-C: `make playground`. With a node: playground-node.ts. */

import { WebhookFailed, WebhookUnderTest } from '../e2e/webhook-under-test.ts';
import { TestbedMissing } from './binaries.ts';
import { ControlPlane } from './control-plane.ts';
import { makeSample, sampleNamespace } from './playground-sample.ts';
import { denialTries, unboundTries, welcome } from './playground-text.ts';
import { untilSignal } from './until-signal.ts';

const image = 'nginx';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const tries = [
  '# A pod gets its role, a token and the region',
  `kubectl run web -n ${sampleNamespace} --image=${image} -o yaml`,
  ...denialTries(image),
  ...unboundTries,
];

async function play(): Promise<void> {
  const signalled = untilSignal(() => say('\nEnding everything ...'));
  say('Starting a control plane and carm-webhook, a few seconds ...');
  const plane = await ControlPlane.start({ controllerManager: true });
  let webhook: WebhookUnderTest | undefined;
  try {
    // As installed: staleness and log level of production.
    webhook = await WebhookUnderTest.start(plane, { flags: ['--max-staleness=90s', '--log-level=info'] });
    await webhook.install();
    await makeSample(plane);
    const started =
      'A Kubernetes API server with its controllers and carm-webhook. There is no node: pods stay Pending.';
    say(welcome({ started, kubeconfig: plane.adminKubeconfig, logFolder: plane.logFolder, tries }));
    // A promise keeps no process alive.
    const alive = setInterval(() => undefined, 2 ** 30);
    await signalled;
    clearInterval(alive);
  } finally {
    await webhook?.stop();
    await plane.stop();
  }
}

try {
  await play();
  process.exit(0);
} catch (error) {
  if (!(error instanceof TestbedMissing || error instanceof WebhookFailed)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(error instanceof TestbedMissing ? 2 : 1);
}
