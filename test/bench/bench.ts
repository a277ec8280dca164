/**
 * Measures the server against a node:https handler that answers a constant, both over TLS with keep-alive, in turns.
 *
 *   node test/bench/bench.ts [--review pod|resource] [--seconds N] [--connections N] [--program FILE] [--json]
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeSelfSigned } from '../../src/server/self-signed.ts';
import { Load } from './load.ts';
import { MeasuredServer } from './measured-server.ts';
import { type Figures, Measurement, median } from './measurement.ts';
import { benchManifests, podReview, requestBytes } from './pod-review.ts';
import { resourceReview } from './resource-review.ts';
import { renderTable } from './table.ts';

const rounds = 4;
/** Shares of the whole time: a warm-up of each server, then the rounds. */
const warmUpShare = 0.1;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '8' },
    program: { type: 'string' },
    json: { type: 'boolean', default: false },
    review: { type: 'string', default: 'pod' },
  },
});

function positive(name: 'seconds' | 'connections'): number {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value > 0) return value;
  process.stderr.write(`--${name} takes a number greater than 0, not ${JSON.stringify(values[name])}\n`);
  process.exit(2);
}

const seconds = positive('seconds');
const connections = Math.ceil(positive('connections'));
const root = fileURLToPath(new URL('../../', import.meta.url));
const bundle = join(root, 'dist', 'carm-webhook.mjs');
const program = values.program ?? (existsSync(bundle) ? bundle : join(root, 'src', 'main.ts'));

const reviews = new Map([
  ['pod', { make: podReview, patched: 'AWS_ROLE_ARN' }],
  ['resource', { make: resourceReview, patched: 'services.k8s.aws/region' }],
]);
const review = reviews.get(values.review);
if (review === undefined) {
  process.stderr.write(`--review takes pod or resource, not ${JSON.stringify(values.review)}\n`);
  process.exit(2);
}
const { make, patched } = review;

function isAsItShouldBe(answer: string): boolean {
  const { response } = JSON.parse(answer);
  return response.allowed === true && atob(response.patch ?? '').includes(patched);
}

async function measure(
  folder: string,
): Promise<{ readonly ours: Figures; readonly constant: Figures; readonly cpuRatio: number }> {
  const { current, caPem } = await makeSelfSigned();
  const certFile = join(folder, 'tls.crt');
  const keyFile = join(folder, 'tls.key');
  const answerFile = join(folder, 'answer.json');
  const state = join(folder, 'state');
  await mkdir(state);
  await writeFile(certFile, current.certPem);
  await writeFile(keyFile, current.keyPem, { mode: 0o600 });
  await writeFile(join(state, 'cluster.yaml'), benchManifests);
  const request = requestBytes('/mutate', make('c5a7e2f0-8a6b-4a55-9f0e-7a4f3f1f0b42'));
  const started: { stop(): Promise<void> }[] = [];
  const loads: Load[] = [];
  const begin = async (file: string, args: readonly string[]): Promise<Measurement> => {
    const server = await MeasuredServer.start(file, args);
    started.push(server);
    const load = await Load.open({ port: server.port, ca: caPem, request, connections });
    loads.push(load);
    return new Measurement(server, load);
  };
  try {
    const flags = ['--port=0', '--ops-port=0', '--bind-address=127.0.0.1', '--log-level=info'];
    const files = [`--tls-cert-file=${certFile}`, `--tls-private-key-file=${keyFile}`];
    const ours = await begin(program, ['serve', `--state=${state}`, ...files, ...flags]);
    const answer = await ours.sample();
    if (!isAsItShouldBe(answer))
      throw new Error(`the review was not answered as it should be: ${answer.slice(0, 400)}`);
    await writeFile(answerFile, answer);
    const constant = await begin(fileURLToPath(new URL('./constant-server.ts', import.meta.url)), [
      certFile,
      keyFile,
      answerFile,
    ]);
    const stretch = (seconds * (1 - 2 * warmUpShare)) / (2 * rounds);
    for (const each of [ours, constant]) await each.warmUp(seconds * warmUpShare);
    for (let round = 0; round < rounds; round++) {
      await ours.measure(stretch);
      await constant.measure(stretch);
    }
    const cpuRatio = median(
      ours.cpuMicroseconds.map((cpu, round) => cpu / (constant.cpuMicroseconds[round] ?? Number.NaN)),
    );
    return { ours: await ours.figures(), constant: await constant.figures(), cpuRatio };
  } finally {
    for (const load of loads) load.close();
    await Promise.all(started.map(server => server.stop()));
  }
}

const folder = await mkdtemp(join(tmpdir(), 'carm-webhook-bench-'));
try {
  const { ours, constant, cpuRatio } = await measure(folder);
  if (values.json) process.stdout.write(`${JSON.stringify({ seconds, connections, ours, constant, cpuRatio })}\n`);
  else
    process.stdout.write(
      renderTable({ program: program.replace(root, ''), connections, rounds, ours, constant, cpuRatio }),
    );
} finally {
  await rm(folder, { recursive: true, force: true });
}
