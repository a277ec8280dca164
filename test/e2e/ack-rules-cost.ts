/**
 * What the two forms of the ACK rules cost requests that match neither: `node test/e2e/ack-rules-cost.ts`, for
 * docs/design/0008-enumerated-ack-groups.md. Needs a quiet machine; prints a table.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ControlPlane } from '../testbed/control-plane.ts';
import { ackPath, bucket, bucketKind, installAckKinds } from './ack-crds.ts';
import { eventually } from './eventually.ts';
import {
  asList,
  type Manifest,
  pointAt,
  renderDeploy,
  renderForEveryGroup,
  webhookConfigurations,
} from './manifests.ts';
import { RecordingWebhook } from './recording-webhook.ts';

const rounds = 5;
/** Writes of ConfigMaps, by their size in bytes. */
const loads = [
  { size: 1_000, writes: 2000 },
  { size: 100_000, writes: 300 },
] as const;
const forms = ['none', 'enumerated', 'every group'] as const;
type Form = (typeof forms)[number];
/** USER_HZ, on every Linux that Node.js runs on. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const ticksPerSecond = 100;

interface Sample {
  readonly latenciesMs: readonly number[];
  readonly cpuMs: number;
}

const names = 'mutatingwebhookconfiguration,validatingwebhookconfiguration';
const samples = new Map<string, Sample[]>();
const plane = await ControlPlane.start();
const webhook = await RecordingWebhook.start();
try {
  await installAckKinds(plane, [bucketKind]);
  const manifests: Readonly<Record<Exclude<Form, 'none'>, readonly Manifest[]>> = {
    enumerated: await renderDeploy(),
    'every group': await renderForEveryGroup(),
  };
  await measure(loads[0]);
  for (let round = 0; round < rounds; round += 1) {
    for (const form of forms) {
      await install(form, form === 'none' ? undefined : manifests[form]);
      for (const load of loads) {
        const key = `${form}\t${load.size}`;
        samples.set(key, [...(samples.get(key) ?? []), await measure(load)]);
      }
      if (webhook.take().some(({ resource }) => resource === 'configmaps')) throw new Error('a ConfigMap was sent');
    }
  }
  for (const [key, all] of samples) print(key, all);
} finally {
  await webhook.stop();
  await plane.stop();
}

async function install(form: Form, manifests: readonly Manifest[] | undefined): Promise<void> {
  await plane.kubectl(['delete', names, '--all', '--wait']);
  if (manifests !== undefined) {
    const configurations = webhookConfigurations(manifests).map(one =>
      pointAt(one, ({ name }) => `${webhook.url}/${name}`, webhook.caPem),
    );
    await plane.kubectl(['apply', '--server-side', '-f', '-'], { input: asList(configurations) });
  }
  await eventually(`${form} is in force`, async () => {
    webhook.take();
    await plane.request('POST', `${ackPath(bucketKind, 'default')}?dryRun=All`, bucket('default', 'probe'));
    return webhook.take().length === (form === 'none' ? 0 : 2) ? true : undefined;
  });
}

/** One write after the other. */
async function measure({ size, writes }: (typeof loads)[number]): Promise<Sample> {
  const data = { text: 'x'.repeat(size) };
  const latenciesMs: number[] = [];
  const cpuBefore = apiServerCpuMs();
  for (let index = 0; index < writes; index += 1) latenciesMs.push(await timedWrite(`cost-${index % 20}`, index, data));
  return { latenciesMs, cpuMs: (apiServerCpuMs() - cpuBefore) / writes };
}

async function timedWrite(name: string, index: number, data: object): Promise<number> {
  const path = `/api/v1/namespaces/default/configmaps/${name}?fieldManager=cost&force=true`;
  const metadata = { name, annotations: { index: String(index) } };
  const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
  const start = performance.now();
  const { status } = await plane.request('PATCH', path, body, { contentType: 'application/apply-patch+yaml' });
  const latencyMs = performance.now() - start;
  if (status !== 200 && status !== 201) throw new Error(`${path}: ${status}`);
  return latencyMs;
}

function apiServerCpuMs(): number {
  const pid = plane.pids.get('kube-apiserver');
  const stat = readFileSync(join('/proc', String(pid), 'stat'), 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

function print(key: string, all: readonly Sample[]): void {
  const sorted = all.flatMap(({ latenciesMs }) => latenciesMs).sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);
  const cpu = all.map(({ cpuMs }) => cpuMs.toFixed(3)).join(' ');
  process.stdout.write(
    `${key}\tp50 ${at(0.5)} ms\tp99 ${at(0.99)} ms\tCPU of kube-apiserver a write, by round: ${cpu} ms\n`,
  );
}
