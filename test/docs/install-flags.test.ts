import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { defaultFeatureGates } from '../../src/accounts/feature-gates.ts';
import { readFlags } from '../../src/cli/flags/flag.ts';
import { serveFlags } from '../../src/cli/serve/serve.ts';
import { chartValues, valueAt } from '../deploy/chart-values.ts';

const root = new URL('../../', import.meta.url);
const page = await readFile(new URL('docs/install.md', root), 'utf8');
const section = page.split('## Flags and feature gates\n')[1]?.split('\n## ')[0] ?? '';

/** What the values of the page are, in the chart. */
const [, block = ''] = /^```yaml\n([\s\S]*?)^```$/m.exec(section) ?? [];

describe('flags and feature gates in docs/install.md', () => {
  test('its values are values of the chart', () => {
    const { config, ...more } = parse(block);
    assert.deepEqual(more, {});
    for (const key of Object.keys(config)) assert.notEqual(valueAt(`config.${key}`), undefined, key);
    for (const gate of Object.keys(config.featureGates)) assert.ok(gate in defaultFeatureGates, gate);
    const { featureGates } = readFlags(serveFlags, [`--default-region=${config.defaultRegion}`], {}).values;
    assert.deepEqual(featureGates, defaultFeatureGates);
  });

  test('its table says where each flag is that is no key of config', () => {
    const rows = [...section.matchAll(/^\| (`--[^|]*) \|/gm)].flatMap(
      ([, flags = '']) => flags.match(/--[a-z-]+/g) ?? [],
    );
    const inConfig = chartValues().flatMap(({ path, description }) =>
      path.startsWith('config.') ? [/^`(--[a-z-]+)`: /.exec(description)?.[1]] : [],
    );
    const others = Object.values(serveFlags)
      .map(({ name }) => `--${name}`)
      .filter(flag => !inConfig.includes(flag));
    assert.deepEqual(rows.sort(), others.sort());
  });

  test('its table has every gate that changes a decision, and the text the others', () => {
    const rows = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, gate = '']) => gate);
    const [, taken = ''] = /^ACK's (.*) are accepted too/m.exec(section) ?? [];
    const others = [...taken.matchAll(/`(\w+)`/g)].map(([, gate = '']) => gate);
    const off = Object.entries(defaultFeatureGates).filter(([, on]) => !on);
    assert.deepEqual(
      rows,
      off.map(([gate]) => gate),
    );
    assert.deepEqual([...rows, ...others], Object.keys(defaultFeatureGates));
  });
});
