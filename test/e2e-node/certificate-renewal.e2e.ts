import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, describe, test } from 'node:test';
import type { BoundNamespace } from '../e2e/bound-namespace.ts';
import { eventually } from '../e2e/eventually.ts';
import { authority, IssuedCertificates, leaf } from '../e2e/issued-certificates.ts';
import { servedSerialNumber } from '../e2e/served-certificate.ts';
import { SteadyPods } from '../e2e/steady-pods.ts';
import type { NodeCluster } from './node-cluster.ts';
import { readyReplicas } from './replicas.ts';
import { sharedCluster } from './shared-cluster.ts';

const account = '111122223333';
const roleArn = `arn:aws:iam::${account}:role/renewal`;
/** Kubelet looks after a pod's volumes every 10 s here, every minute by default, and up to half as long again later. */
const servedLimitMs = 40_000;

describe('a certificate that cert-manager renews', () => {
  let cluster: NodeCluster;
  let team: BoundNamespace;

  before(
    async () => {
      const shared = await sharedCluster();
      cluster = shared.cluster;
      team = await shared.team('renewal', account, roleArn);
    },
    { timeout: 120_000 },
  );

  test('kubelet brings it to both replicas, they serve it without a restart, and no call fails', {
    timeout: 150_000,
  }, async t => {
    const certificates = new IssuedCertificates(cluster.plane);
    const replicas = await readyReplicas(cluster.plane);
    assert.equal(replicas.length, 2);
    const pids = () => replicas.map(replica => replica.controlGroup().pids);
    const before = pids();
    const pods = new SteadyPods(team, roleArn, 20, { dryRun: true });
    await pods.during(async () => {
      for (const name of [leaf, authority]) {
        pods.phase = `renewal of ${name}`;
        await certificates.renew(name);
        // A new CA alone changes nothing that is served: its key is the same.
        if (name === authority) await certificates.renew(leaf);
        const renewedAt = performance.now();
        const { serialNumber } = new X509Certificate(await certificates.secretValue(leaf, 'tls.crt'));
        const took = replicas.map(async ({ url }) => {
          const isServed = async () => ((await servedSerialNumber(url)) === serialNumber ? true : undefined);
          await eventually('the new certificate is served', isServed, servedLimitMs);
          return `${((performance.now() - renewedAt) / 1000).toFixed(1)} s`;
        });
        t.diagnostic(`renewal of ${name}: served ${(await Promise.all(took)).join(' and ')} after the Secret was new`);
      }
    });
    t.diagnostic(`${pods.started} pods meanwhile, the slowest in ${Math.round(pods.slowestMs)} ms`);
    assert.deepEqual(pods.failures.slice(0, 5), []);
    assert.equal(pods.count('injected'), pods.started);
    assert.deepEqual(pids(), before);
  });
});
