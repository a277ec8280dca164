import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  lookAtMounts,
  tokenFilePath,
  tokenVolume,
  usesTokenFile,
  volumeState,
} from '../../src/injection/token-volume.ts';
import { readPod } from '../../src/objects/pod.ts';
import { readContainer } from './read-container.ts';

const ours = '/var/run/secrets/eks.amazonaws.com/serviceaccount';
const windowsFile = 'C:\\var\\run\\secrets\\eks.amazonaws.com\\serviceaccount\\token';

test('names and paths are those of amazon-eks-pod-identity-webhook', () => {
  assert.equal(tokenFilePath(false), `${ours}/token`);
  assert.equal(tokenFilePath(true), windowsFile);
  assert.deepEqual(tokenVolume('sts.amazonaws.com', 86_400), {
    name: 'aws-iam-token',
    projected: {
      sources: [{ serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, path: 'token' } }],
    },
  });
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
      assert.equal(volumeState(readPod({ spec: { volumes } }).volumes, 'sts.amazonaws.com'), expected);
    });
  }
});

describe('a mount', () => {
  const mount = (mountPath: string, name = 'data', more = {}) => ({ name, mountPath, ...more });
  const table: readonly [string, object, 'absent' | 'present' | 'conflict', boolean?, boolean?][] = [
    ['elsewhere', mount('/data'), 'absent'],
    ['at our path, ours', mount(ours, 'aws-iam-token'), 'present'],
    ['at our path, ours, writable', mount(ours, 'aws-iam-token', { readOnly: false }), 'present'],
    ['at our path with a slash, ours', mount(`${ours}/`, 'aws-iam-token'), 'present'],
    ['at our path, foreign', mount(ours), 'conflict'],
    ['at our path, unnormalised', mount('/var//run/./secrets/x/../eks.amazonaws.com/serviceaccount/'), 'conflict'],
    ['at our path, relative', mount(ours.slice(1)), 'conflict'],
    ['at our path, ours by subPath', mount(ours, 'aws-iam-token', { subPath: 'token' }), 'conflict'],
    ['at our path, ours by subPathExpr', mount(ours, 'aws-iam-token', { subPathExpr: '$(X)' }), 'conflict'],
    ['at our path, ours, empty subPath', mount(ours, 'aws-iam-token', { subPath: '' }), 'present'],
    ['below our path, foreign', mount(`${ours}/token`), 'conflict'],
    ['below our path, ours', mount(`${ours}/token`, 'aws-iam-token', { subPath: 'token' }), 'absent'],
    ['a sibling with our path as prefix', mount(`${ours}-2`), 'absent'],
    ['above our path', mount('/var/run/secrets'), 'absent', true],
    ['far above our path', mount('/var'), 'absent', true],
    ['the root', mount('/'), 'absent', true],
    ['a sibling with a prefix of our path', mount('/var/run/sec'), 'absent'],
    ['another case on Linux', mount(ours.toUpperCase()), 'absent'],
    ['another case on Windows', mount(ours.toUpperCase()), 'conflict', false, true],
    ['with a drive on Windows', mount(`C:${ours}`), 'conflict', false, true],
    ['on another drive on Windows', mount(`D:${ours}`), 'absent', false, true],
    ['with backslashes on Windows', mount(`c:${ours.replaceAll('/', '\\')}\\x`), 'conflict', false, true],
    ['with backslashes on Linux', mount(ours.replaceAll('/', '\\')), 'absent'],
  ];
  for (const [what, entry, expected, above = false, windows = false] of table) {
    test(`${what}: ${expected}${above ? ', and above ours' : ''}`, () => {
      const container = readContainer({ volumeMounts: [mount('/other'), entry] });
      const looked = lookAtMounts(container, windows);
      assert.equal(looked.state, expected);
      assert.equal(looked.above !== undefined, above);
    });
  }
});

describe('a container uses our token', () => {
  const uses = (value: string | undefined, windows = false) =>
    usesTokenFile(
      readContainer({ env: [{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', ...(value === undefined ? {} : { value }) }] }),
      windows,
    );
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
    assert.ok(!usesTokenFile(readContainer({ env }), false));
  });
});
