import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { chartReadme, readmeOfChart } from './chart-readme.ts';
import { chartDefaults, chartValues, isGroup } from './chart-values.ts';
import { chartFolder } from './helm.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
}

const schema: Schema = JSON.parse(readFileSync(join(chartFolder, 'values.schema.json'), 'utf8'));

/** The paths of all values that a schema lists. */
function listed({ properties }: Schema, path = ''): readonly string[] {
  if (properties === undefined) return [path];
  return Object.entries(properties).flatMap(([key, inner]) => listed(inner, path === '' ? key : `${path}.${key}`));
}

const leaves = new Set(chartValues().map(({ path }) => path));
/** What a subchart's parent may set, and no value of ours. */
const ofHelm = 'global';

describe('the values of the chart', () => {
  test('are described, each of them', () => {
    const undescribed: string[] = [];
    const walk = (values: Readonly<Record<string, unknown>>, path: readonly string[]) => {
      for (const [key, value] of Object.entries(values)) {
        const at = [...path, key];
        if (leaves.has(at.join('.'))) continue;
        if (isGroup(value) && Object.keys(value).length > 0) walk(value, at);
        else undescribed.push(at.join('.'));
      }
    };
    walk(chartDefaults, []);
    assert.deepEqual(undescribed, []);
    assert.ok(leaves.size > 60);
  });

  test('are those of the schema, and nothing else is taken', () => {
    const described = (path: string) => [...leaves].some(leaf => path === leaf || path.startsWith(`${leaf}.`));
    const paths = listed(schema).filter(path => path !== ofHelm);
    assert.deepEqual(
      paths.filter(path => !described(path)),
      [],
    );
    for (const leaf of leaves)
      assert.ok(
        paths.some(path => path === leaf || path.startsWith(`${leaf}.`)),
        leaf,
      );
    const open: string[] = [];
    const walk = ({ properties, additionalProperties }: Schema, path: string) => {
      if (properties === undefined) return;
      if (additionalProperties !== false) open.push(path);
      for (const [key, inner] of Object.entries(properties)) walk(inner, `${path}.${key}`);
    };
    walk(schema, '');
    assert.deepEqual(open, []);
  });

  test('are listed in its README (to write it: make docs)', () => {
    assert.equal(readFileSync(chartReadme, 'utf8'), readmeOfChart());
  });
});
