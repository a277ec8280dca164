/**
 * Measures the built server with the settings of the image, over TLS with keep-alive, and beside it the same build once more,
 * whose difference is the noise; and another build, and a handler that answers a constant, where they are asked for. All of
 * them in turns. With --scale: start and memory by the size of the cluster.
 *
 *   node test/bench/bench.ts [--against REF|FILE] [--review pod|resource|both] [--seconds N] [--connections N]
 *                            [--program FILE] [--constant] [--json]
 *   node test/bench/bench.ts --scale [--namespaces N,...] [--program FILE] [--json]
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { programOf } from './build-of-ref.ts';
import { type Contestant, contest, type ReviewName } from './contestants.ts';
import { measureScale, renderScale } from './scale.ts';
import { cpuRatio, renderRatio, renderTable } from './table.ts';

const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    review: { type: 'string', default: 'both' },
    seconds: { type: 'string', default: '14' },
    connections: { type: 'string', default: '8' },
    program: { type: 'string' },
    constant: { type: 'boolean', default: false },
    scale: { type: 'boolean', default: false },
    namespaces: { type: 'string', default: '10,1000,50000' },
    json: { type: 'boolean', default: false },
  },
});

function misused(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  return Number.isFinite(value) && value > 0
    ? value
    : misused(`--${flag} takes a number greater than 0, not ${JSON.stringify(text)}`);
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = values.program ?? join(root, 'dist', 'carm-webhook.mjs');
if (!existsSync(program)) misused(`${relative('', program)} is missing: build first (make build)`);

function reviewsOf(review: string): readonly ReviewName[] {
  if (review === 'both') return ['pod', 'resource'];
  if (review === 'pod' || review === 'resource') return [review];
  return misused(`--review takes pod, resource or both, not ${JSON.stringify(review)}`);
}

async function compare(folder: string): Promise<void> {
  const seconds = positive('seconds', values.seconds);
  const connections = Math.ceil(positive('connections', values.connections));
  const { against, constant, json } = values;
  const contestants: Contestant[] = [
    { name: 'this', program },
    { name: 'this, again', program },
  ];
  if (against !== undefined) {
    contestants.push({ name: against.slice(-14), program: await programOf(against, root, folder) });
  }
  if (constant) contestants.push({ name: 'constant', program: undefined });
  const names = contestants.map(({ name }) => name);
  for (const review of reviewsOf(values.review)) {
    const figures = await contest(contestants, { review, connections, seconds, folder });
    const [first, ...others] = figures;
    if (first === undefined) throw new RangeError('a contest needs a contestant');
    const ratios = others.map(other => cpuRatio(first, other));
    if (json) {
      process.stdout.write(`${JSON.stringify({ review, seconds, connections, names, figures, ratios })}\n`);
      continue;
    }
    const lines = [
      `${review}: ${connections} connections, ${first.cpuOfRounds.length} rounds in turns, ${first.reviews} reviews`,
      renderTable(names, figures),
    ];
    const what = ['this build against itself (the noise)', `this build against ${against}`];
    for (const [index, ratio] of ratios.entries()) {
      if (contestants[index + 1]?.program !== undefined) lines.push(renderRatio(what[index] ?? '', ratio));
    }
    process.stdout.write(`${lines.join('\n')}\n\n`);
  }
}

async function scale(folder: string): Promise<void> {
  const counts = values.namespaces.split(',').map(count => Math.ceil(positive('namespaces', count)));
  for (const namespaces of counts) {
    const figures = await measureScale(program, namespaces, folder);
    process.stdout.write(`${values.json ? JSON.stringify(figures) : renderScale(figures)}\n`);
  }
}

const folder = await mkdtemp(join(tmpdir(), 'carm-webhook-bench-'));
try {
  await (values.scale ? scale(folder) : compare(folder));
} finally {
  await rm(folder, { recursive: true, force: true });
}
