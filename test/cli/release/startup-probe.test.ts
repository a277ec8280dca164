import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRoleArn } from '../../../src/accounts/role-arn.ts';
import { type Config, defaultConfig } from '../../../src/admission/config.ts';
import {
  accountWithRole,
  bindingPatch,
  isDeniedAsUnbound,
  isInjected,
} from '../../../src/cli/release/startup-probe.ts';

const role = (account: string) => `arn:aws:iam::${account}:role/app`;
const one = '111122223333';
const other = '444455556666';

describe('the account that the startup check binds to', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, Partial<Config>, string?])[] = [
    ['none of an empty map', {}, {}],
    ['one that pods have a role for', { [`pods.${one}`]: role(one) }, {}, one],
    ["one that has ACK's role", { [one]: role(one) }, {}, one],
    ["none that has ACK's role alone, where pods never get it", { [one]: role(one) }, { requirePodsKey: true }],
    ['the first whose role is valid', { [one]: 'app', [`pods.${other}`]: role(other) }, {}, other],
    ['none whose role is of another account', { [one]: role(other) }, {}],
    ['none by a key of a service', { [`s3.${one}`]: role(one), team: role(one) }, {}],
    ['none in chain mode without a hub role for all', { [one]: role(one) }, { credentials: 'chain' }],
    [
      'one in chain mode with such a hub role',
      { [one]: role(one) },
      { credentials: 'chain', hubRoleArn: parseRoleArn(role(other)) },
      one,
    ],
  ];
  for (const [what, map, config, expected] of cases) {
    test(`is ${what}`, () => {
      assert.equal(accountWithRole(new Map(Object.entries(map)), { ...defaultConfig, ...config }), expected);
    });
  }
});

test('the namespace of the startup check is left as it was', () => {
  assert.deepEqual(bindingPatch(undefined, false), {
    metadata: {
      annotations: { 'services.k8s.aws/owner-account-id': null },
      labels: { 'carm-webhook.dev/inject': null, 'carm-webhook.dev/mode': null },
    },
  });
});

describe('what the startup check takes for an answer of the webhook', () => {
  const pod = (env: unknown) => ({ spec: { containers: [{ name: 'probe', env }] } });
  test('is a role in either mode', () => {
    assert.ok(isInjected(pod([{ name: 'AWS_ROLE_ARN', value: role(one) }])));
    assert.ok(isInjected(pod([{ name: 'AWS_CONFIG_FILE', value: '/config' }])));
  });
  test('is no pod without one', () => {
    for (const env of [undefined, [], [{ name: 'AWS_REGION', value: 'eu-central-1' }], [null]]) {
      assert.ok(!isInjected(pod(env)));
    }
    assert.ok(!isInjected({}));
  });
  test('is its own denial, and no one else’s', () => {
    const denied = 'denied the request: Pod "startup-check": namespace "x" is not bound … (NamespaceNotBound)';
    assert.ok(isDeniedAsUnbound(`admission webhook "pods.carm-webhook.dev" ${denied}`));
    assert.ok(!isDeniedAsUnbound(`admission webhook "pods.example.com" ${denied}`));
    assert.ok(!isDeniedAsUnbound('failed calling webhook "pods.carm-webhook.dev": (NamespaceNotBound)'));
    assert.ok(!isDeniedAsUnbound('admission webhook "pods.carm-webhook.dev" denied the request: … (Unverified)'));
  });
});
