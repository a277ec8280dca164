import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Assets } from './assets.ts';
import type { ReleaseNames } from './release-names.ts';
import { runProgram } from './run-program.ts';

type Command = readonly [program: string, ...args: string[]];

export interface Published {
  readonly image: string;
  readonly chart: string;
}

export interface Publishing {
  /** The OCI archive of the image, checked. */
  readonly archive: string;
  readonly imageDigest: string;
  readonly names: ReleaseNames;
  readonly assets: Assets;
  /** Is told each command before it runs. */
  readonly report: (line: string) => void;
  /** Whether commands are told only. */
  readonly dryRun: boolean;
}

const atDigest = (reference: string, digest: string): string => `${reference.replace(/:[^:/]+$/, '')}@${digest}`;

/** crane sees by itself that a registry on loopback has no certificate, Helm does not. */
function plainHttp(registry: string): readonly string[] {
  return /^(?:127\.0\.0\.1|localhost):\d+$/.test(registry) ? ['--plain-http'] : [];
}

/**
 * Pushes image and chart, and signs both by their digests, and the checksums of the assets. Who runs it is logged in to the registry already, and
 * has an identity that cosign can prove: in GitHub Actions, `id-token: write`.
 * @throws {ReleaseError}
 */
export async function publish({ archive, imageDigest, names, assets, report, dryRun }: Publishing): Promise<Published> {
  const run = async (...[program, ...args]: Command): Promise<string> => {
    report(`${program} ${args.join(' ')}`);
    return dryRun ? '' : runProgram(program, args);
  };
  const layout = await mkdtemp(join(tmpdir(), 'carm-webhook-push-'));
  try {
    await mkdir(layout, { recursive: true });
    await run('tar', '-xf', archive, '-C', layout);
    await run('crane', 'push', layout, names.image.reference);
    await run('helm', 'push', assets.chart, names.chart.parent, ...plainHttp(names.image.registry));
    const chartDigest = (await run('crane', 'digest', names.chart.reference)).trim() || 'DIGEST';
    const image = atDigest(names.image.reference, imageDigest);
    const chart = atDigest(names.chart.reference, chartDigest);
    // Signed is what was pushed, not what a tag may name by now.
    await run('cosign', 'sign', '--yes', '--recursive', image);
    // BuildKit's own SBOM sees the base image; the packages in the bundle are seen by npm only.
    await run('cosign', 'attest', '--yes', '--type', 'cyclonedx', '--predicate', assets.sbom, image);
    await run('cosign', 'sign', '--yes', chart);
    await run('cosign', 'sign-blob', '--yes', '--bundle', `${assets.checksums}.sigstore.json`, assets.checksums);
    return { image, chart };
  } finally {
    await rm(layout, { recursive: true, force: true });
  }
}
