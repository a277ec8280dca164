import { describe } from 'node:test';
import { builtHelm, type HelmVersion, helmProgram, helmVersions } from '../testbed/binaries.ts';

/** A run that must not pass without having seen the chart. */
const required = process.env['CHART_TESTS'] === 'required';

function skipOf(version: HelmVersion): string | false {
  if (builtHelm(version) !== undefined) return false;
  if (required && version === 'v4') helmProgram(version);
  return `Helm ${version} is not built: node test/testbed/build.ts --helm=${version}`;
}

/** Tests by Helm 4, and by Helm 3 where it is built. Without any they are skipped, unless CHART_TESTS=required. */
export function withEachHelm(what: string, tests: (helm: string, version: HelmVersion) => void): void {
  for (const version of helmVersions) {
    const skip = skipOf(version);
    describe(`${what}, by Helm ${version}`, { skip, concurrency: 3 }, () => {
      const helm = builtHelm(version);
      if (helm !== undefined) tests(helm, version);
    });
  }
}
