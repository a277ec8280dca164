import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AccountId, isAccountId } from '../../../src/accounts/account-id.ts';
import { connect } from '../../../src/cluster/api/connect.ts';
import { NamespaceEvents } from '../../../src/cluster/events/namespace-events.ts';
import { VerifiedCluster } from '../../cli/serve/verified-cluster.ts';

function accountOf(text: string): AccountId {
  return isAccountId(text) ? text : assert.fail(text);
}

async function startEvents(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'carm-events-'));
  const api = new VerifiedCluster(new Map());
  await api.start();
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, api.kubeconfig);
  const connection = connect({ kubeconfig });
  let written = 0;
  const events = new NamespaceEvents({ connection, self: 'one', onResult: () => (written += 1), eventMs: 1 });
  t.after(async () => {
    await events.stop();
    await Promise.all([api.stop(), rm(folder, { recursive: true })]);
  });
  const until = async (count: number) => {
    for (let waited = 0; written < count && waited < 5_000; waited += 5) await sleep(5);
    await sleep(50);
    return api.events.map(({ note }) => note);
  };
  return { events, until };
}

test('a namespace whose roles are in two broken accounts is told of each once a day, however often they are verified', async t => {
  const { events, until } = await startEvents(t);
  const first = { accountId: accountOf('111111111111'), problem: 'NoProvider', note: 'first' } as const;
  const second = { accountId: accountOf('222222222222'), problem: 'NoProvider', note: 'second' } as const;
  events.tell(['team-a'], first);
  events.tell(['team-a'], second);
  assert.deepEqual(await until(2), ['first', 'second']);
  for (let round = 0; round < 5; round++) {
    events.tell(['team-a'], first);
    events.tell(['team-a'], second);
  }
  assert.deepEqual(await until(3), ['first', 'second']);
  events.settle(['team-a'], second);
  for (const each of [first, second]) events.tell(['team-a'], each);
  assert.deepEqual(await until(3), ['first', 'second', 'second']);
});
