import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseImageName } from '../../.ci/image/image-name.ts';

describe('the name of an image', () => {
  for (const [name, full, tag] of [
    ['carm-webhook', 'docker.io/library/carm-webhook:latest', 'latest'],
    ['carm-webhook:dev', 'docker.io/library/carm-webhook:dev', 'dev'],
    ['team/carm-webhook:0.1.0', 'docker.io/team/carm-webhook:0.1.0', '0.1.0'],
    ['docker.io/carm-webhook:a', 'docker.io/library/carm-webhook:a', 'a'],
    ['registry.invalid/carm-webhook:1', 'registry.invalid/carm-webhook:1', '1'],
    ['localhost/a:1', 'localhost/a:1', '1'],
    ['localhost:5000/a:1', 'localhost:5000/a:1', '1'],
    ['host:5000/a/b', 'host:5000/a/b:latest', 'latest'],
    [
      '1.dkr.ecr.eu-central-1.amazonaws.com/a_b/c:V.1-2_x',
      '1.dkr.ecr.eu-central-1.amazonaws.com/a_b/c:V.1-2_x',
      'V.1-2_x',
    ],
  ] as const) {
    test(name, () => assert.deepEqual(parseImageName(name), { full, tag }));
  }

  for (const name of [
    '',
    'A',
    'a:',
    ':a',
    'a b',
    '-a',
    'a-',
    'a//b',
    '/a',
    'a/',
    'a:.b',
    'a.b/C',
    'a@sha256:00',
    `a:${'b'.repeat(129)}`,
  ]) {
    test(`${JSON.stringify(name)} is none`, () => {
      assert.throws(() => parseImageName(name), { code: 'InvalidImageName' });
    });
  }
});
