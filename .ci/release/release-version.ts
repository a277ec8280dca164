import { ReleaseError } from './release-error.ts';

/** What a version stands in. */
export interface VersionSources {
  readonly packageJson: { readonly version: string };
  readonly chart: {
    readonly version: string;
    readonly appVersion: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly changelog: string;
}

/** https://semver.org, without build metadata: a tag of an image has no `+`. */
const semantic = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/** What the changelog says of a version: the lines below its heading; undefined where there is none, or no date. */
export function changesOf(changelog: string, version: string): string | undefined {
  const sections = changelog.split(/^(?=## )/m);
  const found = sections.find(section => section.startsWith(`## [${version}] - `));
  const [heading = '', ...lines] = found?.split('\n') ?? [];
  const text = lines.join('\n').trim();
  return / - \d{4}-\d{2}-\d{2}$/.test(heading) && text !== '' ? text : undefined;
}

/**
 * The version that a tag releases. Everything that names a version must name this one.
 * @throws {ReleaseError}
 */
export function versionOf(tag: string, { packageJson, chart, changelog }: VersionSources): string {
  const version = tag.replace(/^v/, '');
  if (!tag.startsWith('v') || !semantic.test(version))
    throw new ReleaseError(`${JSON.stringify(tag)} is not vMAJOR.MINOR.PATCH`);
  const named = {
    'package.json has version': packageJson.version,
    'deploy/chart/Chart.yaml has version': chart.version,
    'deploy/chart/Chart.yaml has appVersion': chart.appVersion,
  };
  const wrong = Object.entries(named).flatMap(([what, has]) => (has === version ? [] : [`${what} ${has}`]));
  const prerelease = String(version.includes('-'));
  const marked = chart.annotations['artifacthub.io/prerelease'];
  if (marked !== prerelease)
    wrong.push(`deploy/chart/Chart.yaml has artifacthub.io/prerelease ${marked}, not ${prerelease}`);
  if (changesOf(changelog, version) === undefined) {
    wrong.push(`CHANGELOG.md has no section "## [${version}] - YYYY-MM-DD" with text`);
  }
  if (wrong.length > 0)
    throw new ReleaseError(`${tag} cannot be released:\n${wrong.map(each => `  ${each}`).join('\n')}`);
  return version;
}
