import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRoleArn } from '../../src/accounts/role-arn.ts';
import { writeAwsConfig } from '../../src/injection/aws-config.ts';
import { chain, chainAsDelivered, chainMode, deliveredConfig, isChainVolume } from '../../src/injection/chain.ts';
import { readPod, type Volume } from '../../src/objects/pod.ts';

const folder = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const roleOf = (name: string) => parseRoleArn(`arn:aws:iam::111122223333:role/${name}`) ?? assert.fail(name);
const more = { role: roleOf('r'), externalId: undefined, sessionName: undefined, region: undefined };
const byHub = { hub: roleOf('hub'), ...more };
const overPodIdentity = { hub: undefined, ...more };
const settings = {
  token: { audience: 'sts.amazonaws.com', expirationSeconds: 3600, regionalSts: true, warning: undefined },
  withoutMetadata: true,
};

const token = (audience = 'sts.amazonaws.com', path = 'token') => ({ serviceAccountToken: { audience, path } });
const item = (path = 'config', fieldPath = "metadata.annotations['carm-webhook.dev/aws-config']") => ({
  path,
  fieldRef: { fieldPath },
});
const field = (...items: readonly object[]) => ({ downwardAPI: { items } });
const config = field(item());

function volumeOf(sources: readonly object[], name = 'aws-iam-token'): Volume {
  const [volume] = readPod({ spec: { volumes: [{ name, projected: { sources } }] } }).volumes ?? [];
  return volume ?? assert.fail('no volume');
}

describe('a volume is that of chain mode', () => {
  const table: readonly [
    what: string,
    sources: readonly object[],
    isChain: boolean,
    hub: boolean,
    podIdentity: boolean,
    delivered: boolean,
  ][] = [
    ['token and config', [token(), config], true, true, true, true],
    ['config and token', [config, token()], true, true, true, true],
    ['config alone', [config], true, false, true, false],
    ['a token of another audience', [token('vault'), config], true, false, false, true],
    ['token alone', [token()], false, false, false, false],
    ['a token at another path', [token('sts.amazonaws.com', 'x'), config], false, false, false, false],
    ['config at another path', [token(), field(item('x'))], false, false, false, false],
    ['another field', [token(), field(item('config', 'metadata.labels'))], false, false, false, false],
    [
      'another annotation',
      [token(), field(item('config', "metadata.annotations['mine']"))],
      false,
      false,
      false,
      false,
    ],
    ['another file beside it', [token(), field(item(), item('credentials'))], false, false, false, false],
    ['another source', [token(), config, { secret: { name: 'x' } }], false, false, false, false],
    ['two tokens', [token(), token()], false, false, false, false],
    ['config twice', [config, config], false, false, false, false],
    ['nothing', [], false, false, false, false],
  ];
  for (const [what, sources, isChain, hub, podIdentity, delivered] of table) {
    test(`${what}: ${isChain}; for the chain from a hub role ${hub}, from EKS Pod Identity ${podIdentity}`, () => {
      const volume = volumeOf(sources);
      const pod = readPod({});
      assert.equal(isChainVolume(volume), isChain);
      assert.equal(chain(pod, { config: byHub, ...settings }).isOurs(volume), hub);
      assert.equal(chain(pod, { config: overPodIdentity, ...settings }).isOurs(volume), podIdentity);
      assert.equal(chainAsDelivered(pod, { config: byHub, ...settings }).isOurs(volume), delivered);
    });
  }

  test('only by its name', () => assert.equal(isChainVolume(volumeOf([token(), config], 'mine')), false));

  test('as we make it', () => {
    for (const config of [byHub, overPodIdentity]) {
      const credentials = chain(readPod({}), { config, ...settings });
      const [made] = readPod({ spec: { volumes: [credentials.volume()] } }).volumes ?? [];
      assert.ok(made !== undefined && credentials.isOurs(made) && chainMode.isOurs(made, 'sts.amazonaws.com'));
    }
  });
});

describe('the config of a pod is known by', () => {
  const text = writeAwsConfig(byHub, false);
  const podWith = (sources: readonly object[] | undefined, said: string | undefined) =>
    readPod({
      metadata: { annotations: said === undefined ? {} : { 'carm-webhook.dev/aws-config': said } },
      spec: {
        containers: [{ name: 'app', env: [{ name: 'AWS_CONFIG_FILE', value: `${folder}/config` }] }],
        ...(sources === undefined ? {} : { volumes: [{ name: 'aws-iam-token', projected: { sources } }] }),
      },
    });
  test('its volume and a text of ours', () => {
    const pod = podWith([token(), config], text);
    assert.deepEqual(deliveredConfig(pod), byHub);
    const [container] = pod.containers;
    assert.ok(container !== undefined);
    assert.deepEqual(chainMode.readHeld(container, pod), {
      roleArn: byHub.role.text,
      tokenFile: undefined,
      chain: {
        configFile: `${folder}/config`,
        hubRoleArn: byHub.hub.text,
        externalId: undefined,
        overPodIdentity: false,
      },
    });
  });
  test('nothing less', () => {
    for (const pod of [
      podWith(undefined, text),
      podWith([token()], text),
      podWith([token(), config], undefined),
      podWith([token(), config], ''),
      podWith([token(), config], `${text} `),
    ]) {
      assert.equal(deliveredConfig(pod), undefined);
      for (const container of pod.containers) assert.equal(chainMode.readHeld(container, pod).roleArn, undefined);
    }
  });
});
