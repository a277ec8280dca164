import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultConfig } from '../../../src/admission/config.ts';
import { lookUpIn } from '../../../src/admission/lookup.ts';
import { NoTokenError } from '../../../src/cli/sources/no-token-error.ts';
import type { Target } from '../../../src/cli/verify/resolve-target.ts';
import type { Verification } from '../../../src/cli/verify/verification.ts';
import { listTargets, readOnceCluster, verifyAll } from '../../../src/cli/verify/verify-all.ts';
import { ApiError } from '../../../src/cluster/api/api-errors.ts';
import { viewOf } from '../../admission/fake-cluster.ts';

const owner = { 'services.k8s.aws/owner-account-id': '111122223333' };
const never = new AbortController().signal;

const accounts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'team-a/default': {},
  'team-a/quiet': {},
  'team-a/reports': { 'carm-webhook.dev/role': 'reader' },
  'team-a/empty': { 'carm-webhook.dev/role': '' },
  'team-b/default': {},
  'team-b/eks': { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::111122223333:role/x' },
  'free/asking': { 'carm-webhook.dev/role': 'reader' },
};
const view = viewOf({
  namespaces: {
    'team-b': { annotations: owner },
    'team-a': { annotations: owner },
    free: {},
    out: { annotations: owner, labels: { 'carm-webhook.dev/inject': 'disabled' } },
    'kube-system': { annotations: owner },
  },
  serviceAccounts: accounts,
});
const namespaces = [...view.namespaces()];
const serviceAccounts = Object.keys(accounts).map(key => {
  const [namespace = '', name = ''] = key.split('/');
  const serviceAccount = view.serviceAccount(namespace, name);
  assert.ok(serviceAccount);
  return { namespace, name, serviceAccount };
});

function ok(target: Target): Verification {
  return { ...target, result: 'ok', reason: undefined, message: undefined, resolved: undefined, steps: [] };
}

const targetsOf = (count: number): readonly Target[] =>
  Array.from({ length: count }, (_, index) => ({ namespace: `n${index}`, serviceAccount: 'default' }));

describe('verify --all', () => {
  test('default of each bound namespace that is managed, and ServiceAccounts that ask for something, in order', () => {
    const targets = listTargets(namespaces, serviceAccounts, defaultConfig);
    assert.deepEqual(
      targets.map(({ namespace, serviceAccount }) => `${namespace}/${serviceAccount}`),
      ['team-a/default', 'team-a/reports', 'team-b/default', 'team-b/eks'],
    );
  });

  test('no more than five at once, results in order, each counted', async () => {
    let running = 0;
    let most = 0;
    const counts: number[] = [];
    const results = await verifyAll(
      targetsOf(30),
      async target => {
        running += 1;
        most = Math.max(most, running);
        await sleep(1);
        running -= 1;
        return ok(target);
      },
      never,
      count => counts.push(count),
    );
    assert.equal(most, 5);
    assert.deepEqual(
      results.map(({ namespace }) => namespace),
      targetsOf(30).map(({ namespace }) => namespace),
    );
    assert.deepEqual(
      counts,
      targetsOf(30).map((_, index) => index + 1),
    );
  });

  test('when the time is over the rest is not begun, and says so', async () => {
    const end = new AbortController();
    const results = await verifyAll(
      targetsOf(20),
      async target => {
        if (target.namespace === 'n4') end.abort();
        return ok(target);
      },
      end.signal,
      () => {},
    );
    assert.equal(results.length, 20);
    assert.deepEqual(
      results.slice(6).map(({ result, reason }) => [result, reason]),
      Array.from({ length: 14 }, () => ['unverified', 'TimeLimit']),
    );
  });

  test('one that has no token does not keep the others from theirs; an error of ours is not hidden', async () => {
    const forbidden = new NoTokenError('n1/default', new ApiError(403, 'Forbidden', 'the API server answered 403'));
    const results = await verifyAll(
      targetsOf(3),
      async target => {
        if (target.namespace === 'n1') throw forbidden;
        return ok(target);
      },
      never,
      () => {},
    );
    assert.deepEqual(
      results.map(({ result, reason }) => [result, reason]),
      [
        ['ok', undefined],
        ['unverified', 'NoRightToToken'],
        ['ok', undefined],
      ],
    );
    const broken = verifyAll(
      targetsOf(1),
      () => Promise.reject(new TypeError('ours')),
      never,
      () => {},
    );
    await assert.rejects(broken, TypeError);
  });

  test('what lists brought is not read again, and a map once for all', async () => {
    const reads: string[] = [];
    const cluster = readOnceCluster(namespaces, serviceAccounts, async lookup => {
      reads.push(lookup.kind);
      return lookUpIn(view, lookup);
    });
    const map = { kind: 'RoleMap', map: 'account', ackSystem: 'ack-system' } as const;
    await Promise.all([
      cluster.read({ kind: 'Namespace', name: 'team-a' }, 'team-a', 0),
      cluster.read({ kind: 'ServiceAccount', namespace: 'team-a', name: 'reports' }, 'team-a', 0),
      cluster.read(map, 'team-a', 0),
      cluster.read(map, 'team-b', 0),
    ]);
    assert.deepEqual(reads, ['RoleMap']);
  });
});
