/** A control plane with the webhook, for a person to play with until Ctrl-C: `make playground`. */

import { delimiter, dirname, join } from 'node:path';
import { eventually } from '../e2e/eventually.ts';
import { asList } from '../e2e/manifests.ts';
import { WebhookFailed, WebhookUnderTest } from '../e2e/webhook-under-test.ts';
import { controlPlaneProgram, isExecutable, TestbedMissing } from './binaries.ts';
import { ControlPlane } from './control-plane.ts';

const namespace = 'shop';
const account = '111122223333';
const otherAccount = '444455556666';
const serviceAccountLimitMs = 30_000;

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The first signal ends it in order, a second one at once; the programs that were started end either way. */
function untilSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isEnding = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isEnding) process.exit(1);
      isEnding = true;
      say('\nEnding everything ...');
      resolve();
    });
  }
  return promise;
}

async function makeSample(plane: ControlPlane): Promise<void> {
  const map = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'ack-role-account-map', namespace: 'ack-system' },
    data: { [`pods.${account}`]: `arn:aws:iam::${account}:role/shop-pods` },
  };
  const bound = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: namespace,
      annotations: {
        'services.k8s.aws/owner-account-id': account,
        'services.k8s.aws/default-region': 'eu-central-1',
      },
    },
  };
  await plane.kubectl(['apply', '-f', '-'], { input: asList([map, bound]) });
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  const isThere = async () => ((await plane.request('GET', path)).status === 200 ? true : undefined);
  await eventually('the namespace has its ServiceAccount', isThere, serviceAccountLimitMs);
}

/** Lines for a shell: what makes `kubectl` call this plane. */
function exportsFor(plane: ControlPlane): readonly string[] {
  const lines = [`export KUBECONFIG=${plane.adminKubeconfig}`];
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  if (!folders.some(folder => isExecutable(join(folder, 'kubectl')))) {
    lines.push(`export PATH=${dirname(controlPlaneProgram('kubectl'))}:$PATH`);
  }
  return lines;
}

function welcome(plane: ControlPlane): string {
  const foreignRole = `arn:aws:iam::${otherAccount}:role/other`;
  return `
A Kubernetes API server with its controllers and carm-webhook. There is no node: pods stay Pending.
Namespace ${namespace} is bound to account ${account}, which ConfigMap ack-role-account-map in ack-system maps to a role.

In another terminal:

${indented(exportsFor(plane))}

Then try:

${indented([
  '# A pod gets its role, a token and the region',
  `kubectl run web -n ${namespace} --image=nginx -o yaml`,
  '# A role in another account is denied',
  `kubectl run stray -n ${namespace} --image=nginx --env=AWS_ROLE_ARN=${foreignRole}`,
  '# A binding that does not resolve gets a warning; pods are denied until the map has the account',
  `kubectl annotate namespace ${namespace} --overwrite services.k8s.aws/owner-account-id=${otherAccount}`,
])}

Logs: ${plane.logFolder}
Ctrl-C ends it and removes everything.`;
}

const indented = (lines: readonly string[]): string => lines.map(line => `  ${line}`).join('\n');

async function play(): Promise<void> {
  const signalled = untilSignal();
  say('Starting a control plane and carm-webhook, a few seconds ...');
  const plane = await ControlPlane.start({ controllerManager: true });
  let webhook: WebhookUnderTest | undefined;
  try {
    // As installed: staleness and log level of production.
    webhook = await WebhookUnderTest.start(plane, { flags: ['--max-staleness=90s', '--log-level=info'] });
    await webhook.install();
    await makeSample(plane);
    say(welcome(plane));
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
