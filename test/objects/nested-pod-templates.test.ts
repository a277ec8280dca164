import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../src/objects/json.ts';
import { findPodTemplates, nestedLimits } from '../../src/objects/nested-pod-templates.ts';

const template = { spec: { containers: [{ name: 'a', image: 'x' }] } };

/** An object around a value, so many levels deep. */
function within(levels: number, value: unknown): JsonObject {
  let object = value;
  for (let level = 0; level < levels; level++) object = { a: object };
  return object as JsonObject;
}

const pathsIn = (object: JsonObject) => findPodTemplates(object).templates.map(({ path }) => path);
const unknownIn = (object: JsonObject) => findPodTemplates(object).unknownShape;

describe('pod templates are found by their shape', () => {
  test('wherever they are, in order, and none within another', () => {
    const inner = { ...template, status: { template } };
    const object = { spec: { jobs: [{ template }, { other: 1, template: inner }], template } };
    assert.deepEqual(pathsIn(object), ['/spec/jobs/0/template', '/spec/jobs/1/template', '/spec/template']);
  });

  test('under keys of any kind', () => {
    assert.deepEqual(pathsIn({ 'a/b~': { '': template } }), ['/a~1b~0/']);
  });

  for (const [what, value] of Object.entries({
    'no containers': { spec: {} },
    'an empty list': { spec: { containers: [] } },
    'a schema': { spec: { containers: { type: 'array' } } },
    strings: { spec: { containers: ['a'] } },
    'containers without name and image': { spec: { containers: [{}] } },
    'one of them without': { spec: { containers: [{ name: 'a' }, {}] } },
  })) {
    test(`not by ${what}`, () => assert.deepEqual(pathsIn({ a: value }), []));
  }

  test("an object's own spec is no template: its operator merges it with a pod of its own", () => {
    assert.deepEqual(pathsIn(template), []);
    assert.equal(unknownIn(template), '/spec');
  });

  for (const [what, at, object] of [
    ['an image with a command', '/spec', { spec: { image: 'x', command: ['y'] } }],
    [
      'a container with no more than an image',
      '/spec/templates/0',
      { spec: { templates: [{ container: { image: 'x' } }] } },
    ],
    ['init containers', '/spec', { spec: { initContainers: [{ image: 'x' }] } }],
    ['a ServiceAccount', '/spec', { spec: { serviceAccountName: 'x' } }],
    ['a list env with a variable of AWS', '/driver', { driver: { env: [{ name: 'B' }, { name: 'AWS_ROLE_ARN' }] } }],
    ['a map of variables', '/driver', { driver: { envVars: { aws_role_arn: 'x' } } }],
    ['an item of a list', '/spec/steps/1', { spec: { steps: [{ name: 'a' }, { name: 'b', image: 'x' }] } }],
    ['a script with no more than its source', '/a/0/b', { a: [{ b: { image: 'x', source: 'y' } }] }],
    ['a script with no more than an image', '/a/0/script', { a: [{ script: { image: 'x' } }] }],
    ['a step with no more than an image', '/spec/steps/0', { spec: { steps: [{ image: 'x' }] } }],
    ['a driver with no more than an image', '/spec/driver', { spec: { driver: { image: 'x' } } }],
    ['a variable from a Secret', '/spec/driver', { spec: { driver: { envSecretKeyRefs: { AWS_ROLE_ARN: {} } } } }],
    ['a variable in a setting', '/spec', { spec: { sparkConf: { 'spark.executorEnv.AWS_ROLE_ARN': 'x' } } }],
    ['other settings', undefined, { spec: { sparkConf: { 'spark.hadoop.fs.s3a.aws.credentials.provider': 'x' } } }],
    ['what stands beside a template', '/spec/extra', { spec: { template, extra: { image: 'x', args: [] } } }],
    ['an image alone', undefined, { spec: { image: 'x' } }],
    ['other variables', undefined, { spec: { env: [{ name: 'B', value: 'AWS_ROLE_ARN' }] } }],
    ['what stands in a template', undefined, { spec: { template: { ...template, extra: { image: 'x', args: [] } } } }],
  ] as const) {
    test(`of another shape: ${what}: ${at}`, () => assert.equal(unknownIn(object), at));
  }
});

describe('the search has limits, and says which one ended it', () => {
  const { templates, levels, values } = nestedLimits;

  test('templates', () => {
    const list = (length: number) => ({ list: Array.from({ length }, () => template) });
    assert.equal(findPodTemplates(list(templates)).cutBy, undefined);
    const cut = findPodTemplates(list(templates + 1));
    assert.deepEqual([cut.templates.length, cut.cutBy], [templates, 'templates']);
  });

  test('levels', () => {
    assert.deepEqual(pathsIn(within(levels, template)).length, 1);
    const cut = findPodTemplates(within(levels + 1, template));
    assert.deepEqual([cut.templates, cut.cutBy], [[], 'levels']);
  });

  test('values: objects and lists', () => {
    const list = (length: number) => ({ list: Array.from({ length }, () => ({})), template });
    assert.equal(findPodTemplates(list(values - 3)).cutBy, undefined);
    const cut = findPodTemplates(list(values + 10));
    assert.deepEqual([cut.templates, cut.cutBy], [[], 'values']);
  });
});
