import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { volumeState } from '../../src/injection/token-volume.ts';
import { webIdentity, webIdentityMode } from '../../src/injection/web-identity.ts';
import { readPod } from '../../src/objects/pod.ts';

const ours = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const windowsFile = 'C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token';
const role = 'arn:aws:iam::111111111111:role/r';

test('names and paths are those of amazon-eks-pod-identity-webhook', () => {
  const [linux, windows] = ['linux', 'windows'].map(name => readPod({ spec: { os: { name } } }));
  assert.ok(linux !== undefined && windows !== undefined);
  const pair = (tokenFile: string) => [
    { name: 'AWS_ROLE_ARN', value: role },
    { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: tokenFile },
  ];
  assert.deepEqual(webIdentityMode.variables(role, linux), pair(`${ours}/token`));
  assert.deepEqual(webIdentityMode.variables(role, windows), pair(windowsFile));
  const token = { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, regionalSts: true, warning: undefined };
  assert.deepEqual(
    webIdentity(linux, {
      roleArn: role,
      token,
      sessionName: undefined,
      withoutMetadata: false,
      allowsRole: () => true,
    }).volume(),
    {
      name: 'aws-iam-token',
      projected: {
        sources: [{ serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, path: 'token' } }],
      },
    },
  );
});

describe('a volume is ours', () => {
  const token = { audience: 'sts.amazonaws.com', path: 'token' };
  const projected = (...sources: readonly unknown[]) => ({ name: 'aws-iam-token', projected: { sources } });
  const table: readonly [string, unknown, string][] = [
    ['no volumes', undefined, 'absent'],
    ['null', null, 'absent'],
    ['another name', [{ name: 'aws-iam-token2' }], 'absent'],
    ['ours', [projected({ serviceAccountToken: token })], 'ours'],
    ['another expiration', [projected({ serviceAccountToken: { ...token, expirationSeconds: 601 } })], 'ours'],
    ['another audience', [projected({ serviceAccountToken: { ...token, audience: 'vault' } })], 'foreign'],
    ["the API server's audience", [projected({ serviceAccountToken: { path: 'token' } })], 'foreign'],
    ['another path', [projected({ serviceAccountToken: { ...token, path: 'x/token' } })], 'foreign'],
    ['two sources', [projected({ serviceAccountToken: token }, { configMap: { name: 'x' } })], 'foreign'],
    ['another source', [projected({ secret: { name: 'x' } })], 'foreign'],
    ['no sources', [projected()], 'foreign'],
    ['an emptyDir', [{ name: 'aws-iam-token', emptyDir: {} }], 'foreign'],
    [
      'ours beside a foreign one of its name',
      [projected({ serviceAccountToken: token }), { name: 'aws-iam-token' }],
      'foreign',
    ],
  ];
  for (const [what, volumes, expected] of table) {
    test(`${what}: ${expected}`, () => {
      const pod = readPod({ spec: { volumes } });
      const state = volumeState(pod.volumes, volume => webIdentityMode.isOurs(volume, 'sts.amazonaws.com'));
      assert.equal(state, expected);
    });
  }
});

describe('a container uses our token', () => {
  type Entry = { readonly name: string; readonly value?: string };
  function reads(env: readonly Entry[], windows: boolean): boolean {
    const pod = readPod({ spec: { os: { name: windows ? 'windows' : 'linux' }, containers: [{ name: 'app', env }] } });
    return pod.containers.every(container => webIdentityMode.reads(container, pod));
  }
  const uses = (value: string | undefined, windows = false) =>
    reads([{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', ...(value === undefined ? {} : { value }) }], windows);
  test('by our path, however it is written', () => {
    assert.ok(uses(`${ours}/token`));
    assert.ok(uses(`${ours}//./token`));
    assert.ok(uses(windowsFile, true));
    assert.ok(uses(`${ours}/token`, true));
    assert.ok(uses(windowsFile.toLowerCase(), true));
  });
  test('not by another one', () => {
    for (const value of [undefined, '', '/token', `${ours}/token2`, ours, windowsFile]) assert.ok(!uses(value));
  });
  test('not by an earlier occurrence, which kubelet overrides', () => {
    const env = [
      { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${ours}/token` },
      { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/mine' },
    ];
    assert.ok(!reads(env, false));
  });
});
