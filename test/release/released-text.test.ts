import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { ReleaseError } from '../../.ci/release/release-error.ts';
import { releaseNames } from '../../.ci/release/release-names.ts';
import { releasedChart, releasedManifests, releasedReadme, releasedValues } from '../../.ci/release/released-text.ts';

const read = (path: string) => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');
const names = releaseNames('Example-Org/carm', '1.2.3');

describe('where a release goes', () => {
  test('under the owner of the repository, in small letters', () => {
    assert.equal(names.image.reference, 'ghcr.io/example-org/carm-webhook:1.2.3');
    assert.equal(names.chart.parent, 'oci://ghcr.io/example-org/charts');
    assert.equal(names.chart.reference, 'ghcr.io/example-org/charts/carm-webhook:1.2.3');
  });

  for (const repository of ['', 'owner', 'a/b/c', 'a b/c', '-x;y/z', '../x']) {
    test(`not under ${JSON.stringify(repository)}`, () => {
      assert.throws(() => releaseNames(repository, '1.2.3'), ReleaseError);
    });
  }
});

describe('what a release changes in the files of the repository', () => {
  test('values.yaml: the image, and nothing else', () => {
    const before = parse(read('chart/values.yaml'));
    const after = parse(releasedValues(read('chart/values.yaml'), names));
    assert.deepEqual(after, {
      ...before,
      image: { ...before.image, registry: 'ghcr.io', repository: 'example-org/carm-webhook' },
    });
  });

  test('Chart.yaml: where it comes from', () => {
    const before = parse(read('chart/Chart.yaml'));
    const home = 'https://github.com/Example-Org/carm';
    assert.deepEqual(parse(releasedChart(read('chart/Chart.yaml'), names)), { ...before, home, sources: [home] });
  });

  test('README.md: how to install that chart, its image, and links that lead somewhere', () => {
    const before = read('chart/README.md').split('\n');
    const after = releasedReadme(read('chart/README.md'), names, '1.2.3').split('\n');
    const install = `$ helm install carm-webhook oci://ghcr.io/example-org/charts/carm-webhook --version 1.2.3 --namespace carm-webhook --create-namespace`;
    assert.ok(after.includes(install));
    assert.ok(after.some(line => line.startsWith('| `image.registry`') && line.endsWith('| `"ghcr.io"` |')));
    assert.ok(
      after.some(line => line.startsWith('| `image.repository`') && line.endsWith('| `"example-org/carm-webhook"` |')),
    );
    assert.doesNotMatch(after.join('\n'), /\]\(\.\.|--set image/);
    assert.match(after.join('\n'), /\(https:\/\/github\.com\/Example-Org\/carm\/blob\/v1\.2\.3\/docs\/install\.md\)/);
    // Everything below the links is as it was.
    assert.deepEqual(
      after.slice(-100).filter(line => !line.startsWith('| `image.')),
      before.slice(-100).filter(line => !line.startsWith('| `image.')),
    );
  });

  test('install.yaml: the image in every place', () => {
    const after = releasedManifests(read('install.yaml'), names);
    assert.doesNotMatch(after, /registry\.invalid|none is published/);
    assert.match(after, /^ +image: "ghcr\.io\/example-org\/carm-webhook:1\.2\.3"$/m);
    assert.equal(after.split('\n---').length, read('install.yaml').split('\n---').length);
  });

  test('a file that has become another one is said, not published', () => {
    assert.throws(() => releasedValues('image:\n  registry: mine\n', names), ReleaseError);
    assert.throws(() => releasedChart('name: x\n', names), ReleaseError);
    assert.throws(() => releasedReadme('# x\n', names, '1.2.3'), ReleaseError);
    assert.throws(() => releasedManifests('kind: List\n', names), ReleaseError);
  });
});
