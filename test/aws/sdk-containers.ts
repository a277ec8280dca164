import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hubAccount } from './aws-scene.ts';
import { type SdkScene, ways } from './sdk-scene.ts';

const testLimit = { timeout: 60_000 };
const js = ['js'] as const;

/** That every SDK can, one container shows; here one SDK shows that every container can. */
export function describeContainers(sceneOf: () => SdkScene): void {
  describe('a chain is there', () => {
    test('for init containers, sidecars and containers, not for one that is skipped', testLimit, async () => {
      const scene = sceneOf();
      const spec = {
        initContainers: [
          { name: 'setup', image: 'setup' },
          { name: 'sidecar', image: 'sidecar', restartPolicy: 'Always' },
        ],
        containers: [
          { name: 'app', image: 'app' },
          { name: 'plain', image: 'plain', env: [{ name: 'AWS_REGION', value: 'eu-central-1' }] },
        ],
      };
      const annotations = { 'eks.amazonaws.com/skip-containers': 'plain' };
      const pod = await scene.cluster.pod(scene.namespace('chained'), spec, { annotations });
      for (const container of ['setup', 'sidecar', 'app']) {
        await scene.within(pod, { names: js, container }, async clients => {
          assert.deepEqual([...(await clients.ask())], [['js', { arn: ways.chain.arn }]], container);
        });
      }
      const env = { AWS_EC2_METADATA_DISABLED: 'true' };
      await scene.within(pod, { names: js, container: 'plain', env }, async clients => {
        assert.equal((await clients.ask()).get('js')?.arn, undefined);
        assert.deepEqual(scene.cluster.aws.takeStsCalls(), []);
      });
    });

    test('for an ephemeral container', testLimit, async () => {
      const scene = sceneOf();
      const pod = await scene.podOf(ways.chain);
      const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}`;
      const spec = { ephemeralContainers: [{ name: 'debug', image: 'debug', targetContainerName: 'app' }] };
      const { plane } = scene.cluster;
      const patched = await plane.request<typeof pod>(
        'PATCH',
        `${path}/ephemeralcontainers`,
        { spec },
        {
          contentType: 'application/strategic-merge-patch+json',
        },
      );
      assert.equal(patched.status, 200, JSON.stringify(patched.body));
      await scene.within(patched.body, { names: js, container: 'debug' }, async clients => {
        assert.deepEqual([...(await clients.ask())], [['js', { arn: ways.chain.arn }]]);
      });
    });
  });

  test('EKS Pod Identity is left alone in mode web-identity', testLimit, async () => {
    const scene = sceneOf();
    const pod = await scene.podOf({ ...ways.webIdentity, spec: ways.chainOverEks.spec });
    await scene.within(pod, { names: js }, async clients => {
      const arn = `arn:aws:sts::${hubAccount}:assumed-role/pod-identity/eks-cluster-app-0123`;
      assert.deepEqual([...(await clients.ask())], [['js', { arn }]]);
    });
  });
}
