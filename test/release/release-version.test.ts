import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { ReleaseError } from '../../.ci/release/release-error.ts';
import { changesOf, type VersionSources, versionOf } from '../../.ci/release/release-version.ts';
import packageJson from '../../package.json' with { type: 'json' };

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const sources: VersionSources = {
  packageJson: { version: '1.2.3' },
  chart: { version: '1.2.3', appVersion: '1.2.3', annotations: { 'artifacthub.io/prerelease': 'false' } },
  changelog:
    '# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-01-31\n\n### Added\n\n- A.\n\n## [1.2.2] - 2026-01-01\n\n- B.\n',
};

describe('the version of this repository', () => {
  test('can be released as soon as its changes stand under it in the changelog', () => {
    const { version } = packageJson;
    const changelog = read('CHANGELOG.md');
    const released =
      changesOf(changelog, version) === undefined
        ? changelog.replace('## [Unreleased]', `## [Unreleased]\n\n## [${version}] - 2026-01-31`)
        : changelog;
    const chart = parse(read('deploy/chart/Chart.yaml'));
    assert.equal(versionOf(`v${version}`, { packageJson, chart, changelog: released }), version);
  });

  test('the changelog has a place for what comes next', () => {
    assert.match(read('CHANGELOG.md'), /^## \[Unreleased\]$/m);
  });
});

describe('the version that a tag releases', () => {
  test('is that of package.json, of the chart and of the changelog', () => {
    assert.equal(versionOf('v1.2.3', sources), '1.2.3');
  });

  const marked = { ...sources.chart, version: '1.2.3-rc.1', appVersion: '1.2.3-rc.1' };
  const candidate = {
    packageJson: { version: '1.2.3-rc.1' },
    changelog: sources.changelog.replace('[1.2.3]', '[1.2.3-rc.1]'),
  };
  test('can be a candidate, which the chart says too', () => {
    const chart = { ...marked, annotations: { 'artifacthub.io/prerelease': 'true' } };
    assert.equal(versionOf('v1.2.3-rc.1', { ...candidate, chart }), '1.2.3-rc.1');
    assert.throws(() => versionOf('v1.2.3-rc.1', { ...candidate, chart: marked }), /prerelease false, not true/);
  });

  for (const [what, tag, changed, message] of [
    ['no v', '1.2.3', {}, '"1.2.3" is not vMAJOR.MINOR.PATCH'],
    ['a branch', 'vnext', {}, '"vnext" is not vMAJOR.MINOR.PATCH'],
    ['build metadata', 'v1.2.3+4', {}, '"v1.2.3+4" is not vMAJOR.MINOR.PATCH'],
    ['package.json', 'v1.2.3', { packageJson: { version: '1.2.2' } }, 'package.json has version 1.2.2'],
    ['the chart', 'v1.2.3', { chart: { ...sources.chart, version: '2.0.0' } }, 'Chart.yaml has version 2.0.0'],
    ['what it runs', 'v1.2.3', { chart: { ...sources.chart, appVersion: '0.1' } }, 'Chart.yaml has appVersion 0.1'],
    ['no date', 'v1.2.3', { changelog: '## [1.2.3]\n\n- A.\n' }, 'no section "## [1.2.3] - YYYY-MM-DD" with text'],
    ['no text', 'v1.2.3', { changelog: '## [1.2.3] - 2026-01-31\n\n## [1.2.2] - 2026-01-01\n- B\n' }, 'no section'],
  ] as const) {
    test(`is none where they differ: ${what}`, () => {
      assert.throws(
        () => versionOf(tag, { ...sources, ...changed }),
        (error: Error) => error instanceof ReleaseError && error.message.includes(message),
      );
    });
  }

  test('everything that differs is said at once', () => {
    const other = { ...sources, packageJson: { version: '9.9.9' }, changelog: '' };
    assert.throws(() => versionOf('v1.2.3', other), /cannot be released:\n {2}package\.json .*\n {2}CHANGELOG\.md .*$/);
  });
});

test('what the changelog says of a version ends before the version below it', () => {
  assert.equal(changesOf(sources.changelog, '1.2.3'), '### Added\n\n- A.');
  assert.equal(changesOf(sources.changelog, '1.2.2'), '- B.');
  // A version is no pattern.
  assert.equal(changesOf(sources.changelog, '1.2.'), undefined);
  assert.equal(changesOf(sources.changelog, '1x2.3'), undefined);
});
