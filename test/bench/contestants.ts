import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeSelfSigned } from '../../src/server/self-signed.ts';
import { Load } from './load.ts';
import { MeasuredServer } from './measured-server.ts';
import { type Figures, Measurement } from './measurement.ts';
import { benchManifests, podReview, requestBytes } from './pod-review.ts';
import { resourceReview } from './resource-review.ts';

export interface Contestant {
  readonly name: string;
  /** A build of ours; undefined for the handler that answers a constant. */
  readonly program: string | undefined;
}

export const reviews = {
  pod: { make: podReview, patched: 'AWS_ROLE_ARN' },
  resource: { make: resourceReview, patched: 'services.k8s.aws/region' },
} as const;
export type ReviewName = keyof typeof reviews;

export interface ContestOptions {
  readonly review: ReviewName;
  readonly connections: number;
  readonly seconds: number;
  /** An empty folder for certificate and state. */
  readonly folder: string;
}

/** Of each contestant's time: a process is slow until V8 has compiled what is hot. */
const warmUpShare = 0.2;
/** Short ones, and many: so a neighbour's burst of work falls on all contestants, or on few rounds. */
const roundSeconds = 0.25;
const fewestRounds = 8;

function isAsItShouldBe(answer: string, patched: string): boolean {
  const { response } = JSON.parse(answer);
  return response.allowed === true && atob(response.patch ?? '').includes(patched);
}

/** Runs all contestants at once and loads them in turns, first forth and then back. */
export async function contest(
  contestants: readonly Contestant[],
  { review, connections, seconds, folder }: ContestOptions,
): Promise<readonly Figures[]> {
  const { make, patched } = reviews[review];
  const { current, caPem } = await makeSelfSigned();
  const [certFile, keyFile, answerFile] = ['tls.crt', 'tls.key', 'answer.json'].map(name => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const state = join(folder, 'state');
  await mkdir(state, { recursive: true });
  await writeFile(certFile, current.certPem);
  await writeFile(keyFile, current.keyPem, { mode: 0o600 });
  await writeFile(join(state, 'cluster.yaml'), benchManifests);
  const request = requestBytes('/mutate', make('c5a7e2f0-8a6b-4a55-9f0e-7a4f3f1f0b42'));
  const flags = ['--port=0', '--ops-port=0', '--bind-address=127.0.0.1', '--log-level=info'];
  const served = ['serve', `--state=${state}`, `--tls-cert-file=${certFile}`, `--tls-private-key-file=${keyFile}`];
  const constant = fileURLToPath(new URL('./constant-server.mjs', import.meta.url));
  const servers: MeasuredServer[] = [];
  const loads: Load[] = [];
  try {
    const measurements: Measurement[] = [];
    for (const { name, program } of contestants) {
      const server =
        program === undefined
          ? await MeasuredServer.start(constant, [certFile, keyFile, answerFile])
          : await MeasuredServer.start(program, [...served, ...flags]);
      servers.push(server);
      const { rssBytes } = await server.usage();
      const load = await Load.open({ port: server.port, ca: caPem, request, connections });
      loads.push(load);
      const measurement = new Measurement(server, load, rssBytes);
      measurements.push(measurement);
      if (program === undefined) continue;
      const answer = await measurement.sample();
      if (!isAsItShouldBe(answer, patched)) {
        throw new Error(`${name} did not answer the review as it should: ${answer.slice(0, 400)}`);
      }
      await writeFile(answerFile, answer);
    }
    const each = seconds / contestants.length;
    for (const measurement of measurements) await measurement.warmUp(each * warmUpShare);
    const measuredSeconds = each * (1 - warmUpShare);
    const rounds = Math.max(fewestRounds, Math.round(measuredSeconds / roundSeconds));
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? measurements : measurements.toReversed();
      for (const measurement of order) await measurement.measure(measuredSeconds / rounds);
    }
    return await Promise.all(measurements.map(measurement => measurement.figures()));
  } finally {
    for (const load of loads) load.close();
    await Promise.all(servers.map(server => server.stop()));
  }
}
