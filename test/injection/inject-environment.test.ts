import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type InjectionSettings, injectPod } from '../../src/injection/inject.ts';
import type { SdkSettings } from '../../src/injection/sdk-settings.ts';
import { webIdentity } from '../../src/injection/web-identity.ts';
import { type Pod, readPod } from '../../src/objects/pod.ts';

const role = 'arn:aws:iam::111111111111:role/r';
const ourToken = '/var/run/secrets/eks.amazonaws.com/serviceaccount/token';
const settings: SdkSettings = { region: 'eu-central-1', regionalSts: true };

/** What comes with the pair. */
interface Beside {
  readonly sessionName: string | undefined;
  readonly withoutMetadata: boolean;
}
const both: Beside = { sessionName: 'shop.app', withoutMetadata: true };

type Entry = { readonly name: string; readonly value?: string; readonly valueFrom?: object };

function settingsFor(pod: Pod, sdk: SdkSettings, beside: Beside): InjectionSettings {
  const token = { audience: 'sts.amazonaws.com', expirationSeconds: 86_400, regionalSts: true, warning: undefined };
  const allowsRole = (roleArn: string) => roleArn.startsWith('arn:aws:iam::111111111111:');
  return { credentials: webIdentity(pod, { roleArn: role, token, ...beside, allowsRole }), sdk };
}

/** What is added to the `env` of the one container of a pod, and the warnings. */
function inject(env: readonly Entry[], more: Partial<SdkSettings & Beside> = {}, fields = {}, os = 'linux') {
  const pod = readPod({ spec: { os: { name: os }, containers: [{ name: 'app', env, ...fields }] } });
  const injection = injectPod(pod, pod.containers, settingsFor(pod, { ...settings, ...more }, { ...both, ...more }));
  assert.ok(injection.ok);
  const { patch, warnings } = injection.value;
  const added = patch.filter(({ path }) => path.includes('/env')).map(({ value }) => value as Entry);
  return { added, warnings: warnings.map(({ reason }) => reason) };
}

function plan(...args: Parameters<typeof inject>) {
  const { added, warnings } = inject(...args);
  return { added: added.map(({ name }) => name), warnings };
}

const sts = 'AWS_STS_REGIONAL_ENDPOINTS';
const region = ['AWS_DEFAULT_REGION', 'AWS_REGION'];
const pair = ['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'];
const [roleArn = '', tokenFile = ''] = pair;
const besidePair = ['AWS_ROLE_SESSION_NAME', 'AWS_EC2_METADATA_DISABLED'];
const given = [...pair, ...besidePair];
const all = [sts, ...region, ...given];

describe('the environment is appended in the order of amazon-eks-pod-identity-webhook, each only if absent', () => {
  const mine = 'arn:aws:iam::111111111111:role/mine';
  const theirs = 'arn:aws:iam::222222222222:role/theirs';
  const table: readonly [string, readonly Entry[], readonly string[], (readonly string[])?][] = [
    ['nothing there', [], all],
    ['something else there', [{ name: 'X', value: '1' }], all],
    ['the STS setting', [{ name: sts, value: 'legacy' }], [...region, ...given]],
    ['the STS setting, empty', [{ name: sts }], [...region, ...given]],
    ['AWS_REGION', [{ name: 'AWS_REGION', value: 'x' }], [sts, ...given]],
    ['AWS_DEFAULT_REGION by valueFrom', [{ name: 'AWS_DEFAULT_REGION', valueFrom: {} }], [sts, ...given]],
    ['an own role in the account', [{ name: roleArn, value: mine }], [sts, ...region, tokenFile, ...besidePair]],
    ['an own role elsewhere', [{ name: roleArn, value: theirs }], [sts, ...region]],
    ['an own role by valueFrom', [{ name: roleArn, valueFrom: {} }], [sts, ...region]],
    ['an empty role', [{ name: roleArn, value: '' }], [sts, ...region]],
    ['a role without a value', [{ name: roleArn }], [sts, ...region]],
    [
      'the last occurrence counts',
      [
        { name: roleArn, value: mine },
        { name: roleArn, value: '' },
      ],
      [sts, ...region],
    ],
    ['a token file alone', [{ name: tokenFile, value: '/t' }], [sts, ...region], ['IncompleteWebIdentity']],
    ['an empty token file alone', [{ name: tokenFile, value: '' }], [sts, ...region], ['IncompleteWebIdentity']],
    [
      'both',
      [
        { name: roleArn, value: mine },
        { name: tokenFile, value: '/t' },
      ],
      [sts, ...region],
    ],
    ['both, the role empty', [{ name: roleArn }, { name: tokenFile, value: '/t' }], [sts, ...region]],
    [
      'a session name',
      [{ name: 'AWS_ROLE_SESSION_NAME', value: 'mine' }],
      [sts, ...region, ...pair, ...besidePair.slice(1)],
    ],
    ['an empty session name', [{ name: 'AWS_ROLE_SESSION_NAME' }], [sts, ...region, ...pair, ...besidePair.slice(1)]],
    [
      'a metadata switch',
      [{ name: 'AWS_EC2_METADATA_DISABLED', value: '' }],
      [sts, ...region, ...pair, ...besidePair.slice(0, 1)],
    ],
    ['a profile', [{ name: 'AWS_PROFILE', value: '' }], all, ['OtherCredentials']],
    ['a key by its old name', [{ name: 'AWS_ACCESS_KEY', value: 'AKIA' }], all, ['OtherCredentials']],
    ['a file of credentials', [{ name: 'AWS_SHARED_CREDENTIALS_FILE', valueFrom: {} }], all, ['OtherCredentials']],
    ['an empty name of a file', [{ name: 'AWS_CONFIG_FILE', value: '' }], all],
    [
      'a profile beside a token of their own',
      [
        { name: roleArn, value: mine },
        { name: tokenFile, value: '/t' },
        { name: 'AWS_PROFILE', value: 'x' },
      ],
      [sts, ...region],
    ],
    ['a static key', [{ name: 'AWS_ACCESS_KEY_ID', value: 'k' }], all, ['StaticAccessKey']],
    [
      'Pod Identity',
      [{ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'u' }],
      [sts, ...region],
      ['ConfiguredByPodIdentity'],
    ],
    [
      'Pod Identity, relative',
      [{ name: 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', valueFrom: {} }],
      [sts, ...region],
      ['ConfiguredByPodIdentity'],
    ],
    [
      'Pod Identity beside an own role',
      [
        { name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'u' },
        { name: roleArn, value: mine },
      ],
      [sts, ...region],
    ],
    ['another case on Linux', [{ name: 'aws_role_arn', value: mine }], all],
    ['a name with a space', [{ name: 'AWS_ROLE_ARN ', value: mine }], all],
  ];
  for (const [what, env, added, warnings = []] of table) {
    test(what, () => assert.deepEqual(plan(env), { added, warnings }));
  }

  test('without a region none is added', () =>
    assert.deepEqual(plan([], { region: undefined }).added, [sts, ...given]));
  test('without regional STS none is added', () =>
    assert.deepEqual(plan([], { regionalSts: false }).added, [...region, ...given]));
  test('without a session name, and without the metadata switch, the other comes alone', () => {
    assert.deepEqual(plan([], { sessionName: undefined }).added, [sts, ...region, ...pair, ...besidePair.slice(1)]);
    assert.deepEqual(plan([], { withoutMetadata: false }).added, [sts, ...region, ...pair, ...besidePair.slice(0, 1)]);
  });
  test('on Windows names compare without case', () => {
    const env = [{ name: 'aws_region' }, { name: 'Aws_Role_Arn', value: mine }];
    assert.deepEqual(plan(env, {}, {}, 'windows').added, [sts, tokenFile, ...besidePair]);
  });
});

describe('envFrom', () => {
  const envFrom = [{ secretRef: { name: 'aws' } }];
  test('beside the injected pair is nothing: env wins', () =>
    assert.deepEqual(plan([], {}, { envFrom }), { added: all, warnings: [] }));
  test('with a suppressed pair is warned of', () =>
    assert.deepEqual(plan([{ name: tokenFile, value: '/t' }], {}, { envFrom }).warnings, [
      'IncompleteWebIdentity',
      'EnvFromUnverified',
    ]));
  test('empty is none', () =>
    assert.deepEqual(plan([{ name: tokenFile, value: '/t' }], {}, { envFrom: [] }).warnings, [
      'IncompleteWebIdentity',
    ]));
});

test('nothing is added twice, and a second run adds nothing, whatever is there', () => {
  const name = fc.constantFrom(
    ...all,
    'AWS_PROFILE',
    'AWS_ACCESS_KEY_ID',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    'aws_region',
    'X',
  );
  const value = fc.constantFrom('', 'x', role, 'arn:aws:iam::222222222222:role/x', ourToken);
  const entry = fc.oneof(fc.record({ name, value }), fc.record({ name, valueFrom: fc.constant({}) }));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 6 }), fc.boolean(), (env, windows) => {
      const os = windows ? 'windows' : 'linux';
      const first = inject(env, {}, {}, os);
      const names = first.added.map(added => added.name);
      const present = new Set(env.map(variable => (windows ? variable.name.toUpperCase() : variable.name)));
      assert.equal(new Set(names).size, names.length);
      for (const added of names) assert.ok(!present.has(added), added);
      assert.deepEqual(
        names,
        all.filter(known => names.includes(known)),
        'the order',
      );
      const again = inject([...env, ...first.added], {}, {}, os);
      assert.deepEqual(again.added, []);
    }),
    { numRuns: 1000 },
  );
});
