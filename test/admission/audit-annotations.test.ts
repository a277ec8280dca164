import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAdmit } from '../../src/admission/admit.ts';
import { defaultConfig } from '../../src/admission/config.ts';
import { pod, podWithEnv } from '../decisions/manifests.ts';
import { readRequest } from '../decisions/review.ts';
import { account, FakeCluster, type FakeState, good, inMode, role } from './fake-cluster.ts';

async function ask(object: unknown, state: FakeState = good) {
  return createAdmit(new FakeCluster(state, state), defaultConfig)('mutate', readRequest({ object }), 5_000);
}
const foreign = podWithEnv([{ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::222222222222:role/x' }]);

describe('the audit annotations', () => {
  test('of an injection: decision, reason, account and role', async () => {
    assert.deepEqual((await ask(pod())).response.auditAnnotations, {
      decision: 'mutate',
      reason: 'Injected',
      'account-id': account,
      'role-arn': role,
    });
  });

  test('of a denial: what was decided, also where the mode let it pass', async () => {
    const expected = {
      decision: 'deny',
      reason: 'RoleOutsideAccount',
      denied: 'RoleOutsideAccount',
      'account-id': account,
    };
    for (const mode of ['enforce', 'warn', 'audit']) {
      assert.deepEqual((await ask(foreign, inMode(mode))).response.auditAnnotations, expected, mode);
    }
  });

  test('of what is not ours: decision and reason alone', async () => {
    const free = { ...good, namespaces: { shop: {} } };
    assert.deepEqual((await ask(pod(), free)).response.auditAnnotations, {
      decision: 'allow',
      reason: 'NamespaceNotManaged',
    });
  });
});

test('neither answer nor record holds an env value that is no role', async () => {
  const secret = 'hunter2-very-secret';
  for (const name of ['PASSWORD', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION']) {
    const { response, record } = await ask(podWithEnv([{ name, value: secret }]));
    const patch = Buffer.from(response.patch ?? '', 'base64').toString();
    assert.ok(!`${JSON.stringify(response)}${JSON.stringify(record)}${patch}`.includes(secret), name);
  }
});
