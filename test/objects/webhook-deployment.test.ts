import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { authorizesBindings } from '../../src/objects/webhook-deployment.ts';

const deployment = (...containers: readonly unknown[]) => ({ spec: { template: { spec: { containers } } } });
const variable = (value: string) => [{ name: 'CARM_WEBHOOK_AUTHORIZE_BINDINGS', value }];

describe('whether a Deployment runs the webhook with --authorize-bindings', () => {
  const rows: readonly (readonly [title: string, deployment: Readonly<Record<string, unknown>>, isOn: boolean])[] = [
    ['the flag', deployment({ args: ['serve', '--authorize-bindings'] }), true],
    ['the flag with a value', deployment({ args: ['serve', '--authorize-bindings=true'] }), true],
    ['the flag in the command', deployment({ command: ['node', 'main.js', 'serve', '--authorize-bindings'] }), true],
    ['the flag, off', deployment({ args: ['--authorize-bindings', '--authorize-bindings=false'] }), false],
    ['the variable', deployment({ env: variable('true') }), true],
    ['the variable, off', deployment({ env: variable('false') }), false],
    ['the flag over the variable', deployment({ args: ['--authorize-bindings=false'], env: variable('true') }), false],
    ['a container beside it', deployment({ args: ['--verbose'] }, { args: ['--authorize-bindings'] }), true],
    ['another flag', deployment({ args: ['serve', '--authorize-bindings-later'] }), false],
    ['neither', deployment({}), false],
    ['another shape', deployment(null, 'x', { args: 'a', command: [7], env: ['x', null] }), false],
    ['no pod', { spec: [] }, false],
  ];
  for (const [title, given, isOn] of rows) test(title, () => assert.equal(authorizesBindings(given), isOn));
});
