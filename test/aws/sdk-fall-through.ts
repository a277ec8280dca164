import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type ClientName, clientNames } from './aws-client.ts';
import { hubAccount, type PodClients } from './aws-scene.ts';
import { type SdkScene, type Way, ways } from './sdk-scene.ts';

const testLimit = { timeout: 120_000 };
const folder = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const nodeArn = `arn:aws:sts::${hubAccount}:assumed-role/node/i-0123456789abcdef0`;
const podIdentityArn = `arn:aws:sts::${hubAccount}:assumed-role/pod-identity/eks-cluster-app-0123`;

/** What is broken, and how it is put right again. */
interface Break {
  readonly what: string;
  readonly way: Way;
  readonly breaks?: (scene: SdkScene) => Promise<void>;
  readonly restores?: (scene: SdkScene) => Promise<void>;
  readonly inVolume?: (clients: PodClients) => void;
  /** Part of what each SDK says of it; those that are missing here say something else. */
  readonly says: Partial<Readonly<Record<ClientName, RegExp>>>;
}

const denied = /AccessDenied|not authorized to perform/i;
const noCredentials = /credential/i;

const removeFile = (name: string) => (clients: PodClients) => rmSync(clients.volumes.file(`${folder}/${name}`));
const emptyFile = (name: string) => (clients: PodClients) =>
  writeFileSync(clients.volumes.file(`${folder}/${name}`), '');
const everySdk = (text: RegExp) => ({ boto3: text, cli: text, js: text, go: text });

const inChainMode: readonly Break[] = [
  {
    what: 'STS refuses the hub role',
    way: ways.chain,
    breaks: scene => scene.trustHub(false),
    restores: scene => scene.trustHub(true),
    says: everySdk(denied),
  },
  {
    what: "STS refuses the account's role",
    way: ways.chainWithId,
    breaks: scene => scene.demandExternalId('another'),
    restores: scene => scene.demandExternalId(),
    says: everySdk(denied),
  },
  {
    what: 'the config file is missing',
    way: ways.chain,
    inVolume: removeFile('config'),
    says: everySdk(noCredentials),
  },
  { what: 'the config file is empty', way: ways.chain, inVolume: emptyFile('config'), says: everySdk(noCredentials) },
  {
    what: 'the token is missing',
    way: ways.chain,
    inVolume: removeFile('token'),
    says: everySdk(/no such file|ENOENT/i),
  },
];

/** None has an identity, and nobody asked the node for its role. */
async function assertNobody(scene: SdkScene, { way, inVolume, says }: Break): Promise<void> {
  await scene.within(await scene.podOf(way), {}, async clients => {
    inVolume?.(clients);
    for (const [name, { arn, error = '' }] of await clients.ask()) {
      assert.equal(arn, undefined, name);
      const text = says[name];
      if (text !== undefined) assert.match(error, text, name);
    }
    assert.deepEqual(scene.cluster.metadata.take(), []);
    const asked = scene.cluster.aws.takeStsCalls().filter(({ action }) => action === 'GetCallerIdentity');
    assert.deepEqual(asked, []);
  });
}

export function describeFallThrough(sceneOf: () => SdkScene): void {
  describe('no SDK falls through to another role in chain mode when', () => {
    for (const each of inChainMode) {
      test(each.what, testLimit, async () => {
        const scene = sceneOf();
        await each.breaks?.(scene);
        try {
          await assertNobody(scene, each);
        } finally {
          await each.restores?.(scene);
        }
      });
    }
  });

  // Shows that the trap catches: what is injected is what keeps them from it.
  test("without AWS_EC2_METADATA_DISABLED and the config file every SDK takes the node's role", testLimit, async () => {
    const scene = sceneOf();
    const options = { env: { AWS_EC2_METADATA_DISABLED: 'false' } };
    await scene.within(await scene.podOf(ways.chain), options, async clients => {
      removeFile('config')(clients);
      const answers = await clients.ask();
      assert.deepEqual(answers, new Map(clientNames.map(name => [name, { arn: nodeArn }])));
      assert.ok(scene.cluster.metadata.take().some(path => path.endsWith('/node')));
    });
  });

  describe('over EKS Pod Identity', () => {
    test("STS refuses the account's role: none but the SDK for Java goes on as the hub role", testLimit, async () => {
      const scene = sceneOf();
      await scene.trustPodIdentity(false);
      try {
        await scene.within(await scene.podOf(ways.chainOverEks), {}, async clients => {
          for (const [name, { arn, error = '' }] of await clients.ask()) {
            if (name === 'java') {
              assert.equal(arn, podIdentityArn);
            } else {
              assert.equal(arn, undefined, name);
              assert.match(error, denied, name);
            }
          }
          assert.deepEqual(scene.cluster.metadata.take(), []);
        });
      } finally {
        await scene.trustPodIdentity(true);
      }
    });

    // Why nobody may take the annotation away: kubelet would write an empty file.
    test('the config file is empty: every SDK goes on as the hub role', testLimit, async () => {
      const scene = sceneOf();
      await scene.within(await scene.podOf(ways.chainOverEks), {}, async clients => {
        emptyFile('config')(clients);
        const answers = await clients.ask();
        assert.deepEqual(answers, new Map(clientNames.map(name => [name, { arn: podIdentityArn }])));
      });
    });
  });
}
