import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configFlags } from '../../../src/cli/flags/config-flags.ts';

const folder = new URL('../../../src/admission/catalogue/', import.meta.url);
/** Of the commands to paste. https://kubernetes.io/docs/reference/kubectl/generated/ */
const ofKubectl = ['--namespace', '--overwrite', '--type', '--patch', '--from-literal', '--list'];
/** Nothing that they allow is denied: they set what is injected, or where messages end. */
const noWayOut = [
  ...['--credentials', '--external-id', '--token-expiration', '--role-session-name', '--disable-instance-metadata'],
  ...['--support-message', '--workloads', '--default-mode'],
];

test('messages name flags that there are, and each flag by which a platform team can allow what is denied', () => {
  const source = readdirSync(folder)
    .map(file => readFileSync(new URL(file, folder), 'utf8'))
    .join('\n');
  const named = new Set(source.match(/(?<![\w-])--[a-z][a-z-]*[a-z]/g));
  const flags = Object.values(configFlags).map(({ name }) => `--${name}`);
  assert.deepEqual(
    [...named].filter(flag => !flags.includes(flag) && !ofKubectl.includes(flag)),
    [],
  );
  assert.deepEqual(
    flags.filter(flag => !named.has(flag)),
    noWayOut.filter(flag => !named.has(flag)),
  );
});
