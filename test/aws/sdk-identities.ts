import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsCall } from './aws-call.ts';
import { clientNames } from './aws-client.ts';
import { callsOf, hopOf } from './client-calls.ts';
import { type SdkScene, type Way, ways } from './sdk-scene.ts';

const testLimit = { timeout: 120_000 };
/** Of the sessions of the second half. Less than any SDK would keep. */
const lifetimeMs = 2_000;

const everyClient = (arn: string, names = clientNames) => new Map(names.map(name => [name, { arn }]));

export function describeIdentities(sceneOf: () => SdkScene): void {
  describe('every SDK ends with the mapped role', () => {
    for (const way of Object.values<Way>(ways)) {
      test(way.what, testLimit, async () => {
        const scene = sceneOf();
        const { aws, metadata } = scene.cluster;
        const names = way.names ?? clientNames;
        await scene.within(await scene.podOf(way), { names }, async clients => {
          assert.deepEqual(await clients.ask(), everyClient(way.arn, names));
          const calls = aws.takeStsCalls();
          for (const name of names) {
            const hops = callsOf(calls, name).map(hopOf);
            assert.deepEqual(hops, [...way.hops, { action: 'GetCallerIdentity', caller: way.arn }], name);
          }
          assert.deepEqual(metadata.take(), []);
        });
      });
    }
  });

  describe('every SDK goes on when its sessions have ended and its tokens were replaced', () => {
    for (const way of [ways.webIdentity, ways.chainWithId, ways.chainOverEks]) {
      test(way.what, testLimit, async () => {
        const scene = sceneOf();
        const { aws, agent } = scene.cluster;
        aws.setSessionLifetime(lifetimeMs);
        agent.lifetimeMs = lifetimeMs;
        try {
          await scene.within(await scene.podOf(way), {}, async clients => {
            assert.deepEqual(await clients.ask(), everyClient(way.arn));
            await clients.volumes.fill();
            // Some SDKs renew again in the background when they have answered.
            await sleep(lifetimeMs + 100);
            aws.takeStsCalls();
            agent.take();

            assert.deepEqual(await clients.ask(), everyClient(way.arn));
            const calls = aws.takeStsCalls();
            // The tokens of EKS Pod Identity are shown to its agent.
            const shown = way === ways.chainOverEks ? agent.take() : tokensOf(calls);
            assert.ok(shown.length >= clientNames.length);
            for (const id of shown) assert.ok(id !== undefined && clients.volumes.tokenIds.includes(id), id);
            for (const name of clientNames) {
              const ofClient = callsOf(calls, name);
              const given = ofClient.map(({ sessionKeyId }) => sessionKeyId);
              const asked = ofClient.find(({ action }) => action === 'GetCallerIdentity');
              assert.ok(given.includes(asked?.accessKeyId), `${name}: ${JSON.stringify(ofClient)}`);
            }
          });
        } finally {
          aws.setSessionLifetime(undefined);
          agent.lifetimeMs = undefined;
        }
      });
    }
  });
}

function tokensOf(calls: readonly AwsCall[]): readonly (string | undefined)[] {
  return calls.flatMap(({ token }) => (token === undefined ? [] : [token.id]));
}
