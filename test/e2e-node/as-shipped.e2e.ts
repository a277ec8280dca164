import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import type { BoundNamespace } from '../e2e/bound-namespace.ts';
import { eventually } from '../e2e/eventually.ts';
import { credentialsOf } from '../e2e/injected-credentials.ts';
import { only, renderDeploy } from '../e2e/manifests.ts';
import { sumOf } from '../e2e/metric-sum.ts';
import { SteadyPods } from '../e2e/steady-pods.ts';
import { type NodeCluster, webhookNamespace } from './node-cluster.ts';
import { countOf, probeCounts } from './probe-counts.ts';
import { type Replica, readyReplicas } from './replicas.ts';
import { sharedCluster } from './shared-cluster.ts';

/** What `deploy/` promises, seen in the containers that run: their processes, mounts and control groups. */
const testLimit = { timeout: 120_000 };
const replaceLimitMs = 60_000;
const account = '111122223333';
const roleArn = `arn:aws:iam::${account}:role/as-shipped`;
const user = 65532;

describe('the webhook as shipped, on a real node', () => {
  let cluster: NodeCluster;
  let team: BoundNamespace;

  before(
    async () => {
      const shared = await sharedCluster();
      cluster = shared.cluster;
      team = await shared.team('as-shipped', account, roleArn);
    },
    { timeout: 120_000 },
  );

  async function bothReplicas(): Promise<readonly Replica[]> {
    return eventually(
      'both replicas are Ready',
      async () => {
        const replicas = await readyReplicas(cluster.plane);
        return replicas.length === 2 ? replicas : undefined;
      },
      replaceLimitMs,
    );
  }

  function pidOf(replica: Replica): number {
    const [pid, ...more] = replica.controlGroup().pids;
    assert.ok(pid !== undefined && more.length === 0, 'a container is one process');
    return pid;
  }

  /** A path as the container sees it. */
  const inContainer = (replica: Replica, path: string): string => `/proc/${pidOf(replica)}/root${path}`;

  test('the API server calls it by its Service: a pod gets its role', testLimit, async () => {
    const answer = await team.tryPod();
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    assert.equal(credentialsOf(answer.body)?.roleArn, roleArn);
  });

  test('its processes are restricted: user, capabilities, system calls, new privileges', testLimit, async () => {
    for (const replica of await bothReplicas()) {
      const status = new Map(
        readFileSync(`/proc/${pidOf(replica)}/status`, 'utf8')
          .split('\n')
          .map(line => {
            const [name = '', value = ''] = line.split(':\t');
            return [name, value.trim()];
          }),
      );
      assert.equal(status.get('Uid'), [user, user, user, user].join('\t'));
      assert.equal(status.get('Gid'), [user, user, user, user].join('\t'));
      assert.equal(status.get('Groups'), String(user));
      for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
        assert.equal(status.get(set), '0000000000000000', set);
      }
      assert.equal(status.get('NoNewPrivs'), '1');
      // 2: a filter. https://www.man7.org/linux/man-pages/man5/proc_pid_status.5.html
      assert.equal(status.get('Seccomp'), '2');
    }
  });

  test('nothing of its file system can be written, not even by root', testLimit, async () => {
    for (const replica of await bothReplicas()) {
      for (const folder of ['/', '/tmp', '/carm-webhook', '/home/nonroot', '/etc/carm-webhook/tls']) {
        const write = () => writeFileSync(inContainer(replica, `${folder}/probe`), '');
        assert.throws(write, { code: 'EROFS' }, folder);
      }
    }
  });

  test(
    'the key is readable by its group alone, the token is there, and no variable is of a Service of ours',
    testLimit,
    async () => {
      for (const replica of await bothReplicas()) {
        const key = statSync(inContainer(replica, '/etc/carm-webhook/tls/tls.key'));
        assert.equal(key.mode & 0o777, 0o440);
        assert.deepEqual([key.uid, key.gid], [0, user]);
        assert.deepEqual(
          readdirSync(inContainer(replica, '/etc/carm-webhook/tls')).filter(name => !name.startsWith('..')),
          ['tls.crt', 'tls.key'],
        );
        const token = readFileSync(inContainer(replica, '/var/run/secrets/kubernetes.io/serviceaccount/token'), 'utf8');
        const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
        assert.equal(claims.sub, `system:serviceaccount:${webhookNamespace}:carm-webhook`);
        const variables = readFileSync(`/proc/${pidOf(replica)}/environ`, 'utf8').split('\0');
        assert.ok(variables.includes(`POD_NAMESPACE=${webhookNamespace}`));
        assert.deepEqual(
          variables.filter(variable => variable.startsWith('CARM_WEBHOOK')),
          [],
        );
      }
    },
  );

  test('its memory is limited as shipped', testLimit, async () => {
    const { spec } = only(await renderDeploy(), 'Deployment') as unknown as {
      spec: { template: { spec: { containers: [{ resources: { limits: { memory: string } } }] } } };
    };
    const { memory } = spec.template.spec.containers[0].resources.limits;
    for (const replica of await bothReplicas()) {
      const { memoryLimitBytes, outOfMemoryKills } = replica.controlGroup();
      assert.equal(`${memoryLimitBytes / 2 ** 20}Mi`, memory);
      assert.equal(outOfMemoryKills, 0);
    }
  });

  test("kubelet's probes pass, and never started it again", testLimit, async () => {
    const probed = async () => {
      const replicas = await bothReplicas();
      const counts = await probeCounts();
      const all = replicas.every(({ name }) =>
        ['Liveness', 'Readiness'].every(type => (counts.get(`${name} ${type} successful`) ?? 0) > 0),
      );
      return all ? { replicas, counts } : undefined;
    };
    const { replicas, counts } = await eventually('both probes of both replicas', probed, 30_000);
    for (const { name, restarts } of replicas) {
      assert.equal(restarts, 0);
      // The first probe may come before the process listens.
      assert.ok((counts.get(`${name} Liveness failed`) ?? 0) <= 1);
      assert.ok(countOf(counts, name, 'failed') <= 3, `${countOf(counts, name, 'failed')} probes failed`);
    }
  });

  test('its metrics are at its address, its log is JSON in `kubectl logs`', testLimit, async () => {
    let reviews = 0;
    for (const { name, opsUrl } of await bothReplicas()) {
      const response = await fetch(`${opsUrl}/metrics`, { signal: AbortSignal.timeout(5_000) });
      assert.equal(response.status, 200);
      reviews += sumOf(await response.text(), 'carm_webhook_review_duration_seconds_count');
      const { stdout } = await cluster.plane.kubectl(['logs', name, '-n', webhookNamespace]);
      const entries = stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as { readonly msg: string });
      assert.ok(entries.some(({ msg }) => msg === 'serving'));
    }
    assert.ok(reviews > 0);
  });

  test(
    'a drain takes the replicas one by one, one that is deleted is replaced, and no call fails',
    testLimit,
    async t => {
      const evict = async ({ name }: Replica) => {
        const path = `/api/v1/namespaces/${webhookNamespace}/pods/${name}/eviction`;
        const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } };
        return cluster.plane.request<{ readonly message?: string }>('POST', path, body);
      };
      const [first, second] = await bothReplicas();
      assert.ok(first !== undefined && second !== undefined);
      const pods = new SteadyPods(team, roleArn, 20, { dryRun: true });
      await pods.during(async () => {
        pods.phase = 'eviction';
        assert.equal((await evict(first)).status, 201);
        const refused = await evict(second);
        assert.equal(refused.status, 429);
        assert.match(refused.body.message ?? '', /disruption budget/);
        const evictedAt = performance.now();
        const evicted = async () => ((await evict(second)).status === 201 ? true : undefined);
        await eventually('the second may go', evicted, replaceLimitMs);
        t.diagnostic(`the second could be evicted ${Math.round(performance.now() - evictedAt)} ms after the first`);
        const replaced = await bothReplicas();
        for (const { name } of replaced) assert.ok(name !== first.name && name !== second.name);
        pods.phase = 'deletion';
        const [deleted, kept] = replaced;
        const path = `/api/v1/namespaces/${webhookNamespace}/pods/${deleted?.name}`;
        assert.equal((await cluster.plane.request('DELETE', path)).status, 200);
        const deletedAt = performance.now();
        const others = await bothReplicas();
        t.diagnostic(`one that was deleted was replaced in ${Math.round(performance.now() - deletedAt)} ms`);
        assert.ok(others.some(({ name }) => name === kept?.name));
        assert.ok(others.every(({ name }) => name !== deleted?.name));
      });
      t.diagnostic(`${pods.started} pods meanwhile, the slowest in ${Math.round(pods.slowestMs)} ms`);
      assert.deepEqual(pods.failures.slice(0, 5), []);
      await cluster.rolledOut();
    },
  );
});
