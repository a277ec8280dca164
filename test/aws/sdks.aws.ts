import { after, before, describe } from 'node:test';
import { describeContainers } from './sdk-containers.ts';
import { describeDenials } from './sdk-denials.ts';
import { describeFallThrough } from './sdk-fall-through.ts';
import { describeIdentities } from './sdk-identities.ts';
import { SdkScene } from './sdk-scene.ts';

/*
 * Pods as the API server stores them, and in them the real SDKs: whose identity do they end with, and by which calls of STS? Each client has
 * the environment of the pod's container, and its files where the container mounts them. One file: the addresses of the metadata service
 * and of EKS Pod Identity are there once.
 */
describe('SDKs in pods', () => {
  let scene: SdkScene | undefined;
  before(
    async () => {
      scene = await SdkScene.start();
    },
    { timeout: 120_000 },
  );
  after(() => scene?.stop(), { timeout: 60_000 });

  function started(): SdkScene {
    if (scene === undefined) throw new Error('the scene has not started');
    return scene;
  }

  describeIdentities(started);
  describeContainers(started);
  describeDenials(started);
  describeFallThrough(started);
});
