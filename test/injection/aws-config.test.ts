import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type ExternalId, isExternalId } from '../../src/accounts/external-id.ts';
import { parseRoleArn, type RoleArn } from '../../src/accounts/role-arn.ts';
import { type AwsConfig, readAwsConfig, writeAwsConfig } from '../../src/injection/aws-config.ts';
import { isSessionName, type SessionName } from '../../src/injection/session-name.ts';

function roleOf(text: string): RoleArn {
  const role = parseRoleArn(text);
  if (role === undefined) throw new Error(`not a role: ${text}`);
  return role;
}

const hub = roleOf('arn:aws:iam::999988887777:role/hubs/pods');
const role = roleOf('arn:aws:iam::111122223333:role/workloads');
const whole: AwsConfig = {
  hub,
  role,
  externalId: 'a=b:c/d@e,f+g-h' as ExternalId,
  sessionName: 'shop.web' as SessionName,
  region: 'eu-central-1',
};

test('the hub role by web identity, and from it the role', () => {
  assert.equal(
    writeAwsConfig(whole, false),
    `[profile carm-hub]
role_arn = arn:aws:iam::999988887777:role/hubs/pods
web_identity_token_file = /var/run/secrets/eks.amazonaws.com/serviceaccount/token
role_session_name = shop.web

[default]
role_arn = arn:aws:iam::111122223333:role/workloads
source_profile = carm-hub
external_id = a=b:c/d@e,f+g-h
role_session_name = shop.web
region = eu-central-1
`,
  );
});

test('over EKS Pod Identity, with nothing else known', () => {
  assert.equal(
    writeAwsConfig({ hub: undefined, role, externalId: undefined, sessionName: undefined, region: undefined }, false),
    `[default]
role_arn = arn:aws:iam::111122223333:role/workloads
credential_source = EcsContainer
`,
  );
});

test('on Windows the path to the token has slashes', () => {
  assert.match(
    writeAwsConfig(whole, true),
    /^web_identity_token_file = C:\/var\/run\/secrets\/eks\.amazonaws\.com\/serviceaccount\/token$/m,
  );
});

const name = fc.stringMatching(/^[\w+=,.@-]{1,64}$/);
const roles = fc
  .record({
    partition: fc.constantFrom('aws', 'aws-cn', 'aws-us-gov'),
    account: fc.stringMatching(/^[0-9]{12}$/),
    path: fc.array(name, { maxLength: 3 }),
    last: name,
  })
  .map(({ partition, account, path, last }) =>
    roleOf(`arn:${partition}:iam::${account}:role/${[...path, last].join('/')}`),
  );
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const configs: fc.Arbitrary<AwsConfig> = fc.record({
  hub: maybe(roles),
  role: roles,
  externalId: maybe(fc.stringMatching(/^[\w+=,.@:/-]{2,1224}$/).filter(isExternalId)),
  sessionName: maybe(fc.stringMatching(/^[\w+=,.@-]{2,64}$/).filter(isSessionName)),
  region: maybe(fc.constantFrom('eu-central-1', 'cn-north-1', 'us-gov-west-1')),
});

/** As SDKs read it: sections, and `key = value` split at the first sign. */
function parseAsSdk(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:[#;].*)?$/.test(line)) continue;
    if (line.startsWith('[')) {
      current = new Map();
      sections.set(line.slice(1, line.indexOf(']')), current);
      continue;
    }
    const at = line.indexOf('=');
    current?.set(line.slice(0, at).trim(), line.slice(at + 1).trim());
  }
  return sections;
}

describe('whatever the values are', () => {
  test('an SDK reads what was written: each value whole, no line and no section more', () => {
    fc.assert(
      fc.property(configs, fc.boolean(), (config, windows) => {
        const sections = parseAsSdk(writeAwsConfig(config, windows));
        const expected = (entries: Record<string, string | undefined>) =>
          new Map(Object.entries(entries).filter((entry): entry is [string, string] => entry[1] !== undefined));
        const file = `${windows ? 'C:' : ''}/var/run/secrets/eks.amazonaws.com/serviceaccount/token`;
        const first = expected({
          role_arn: config.hub?.text,
          web_identity_token_file: file,
          role_session_name: config.sessionName,
        });
        const last = expected({
          role_arn: config.role.text,
          ...(config.hub === undefined ? { credential_source: 'EcsContainer' } : { source_profile: 'carm-hub' }),
          external_id: config.externalId,
          role_session_name: config.sessionName,
          region: config.region,
        });
        assert.deepEqual(
          sections,
          new Map([...(config.hub === undefined ? [] : [['profile carm-hub', first] as const]), ['default', last]]),
        );
      }),
    );
  });

  test('it is read back as it was written, within 8 KiB', () => {
    fc.assert(
      fc.property(configs, fc.boolean(), (config, windows) => {
        const text = writeAwsConfig(config, windows);
        assert.ok(text.length <= 8192);
        assert.deepEqual(readAwsConfig(text, windows), { ...config });
      }),
    );
  });

  test('a text that differs in anything is not one of ours', () => {
    const change = fc.tuple(
      fc.nat(),
      fc.nat({ max: 2 }),
      fc.constantFrom('', ' ', '\n', '\r', '#', '[', ';', 'x', '\0'),
    );
    fc.assert(
      fc.property(configs, change, (config, [place, removed, inserted]) => {
        const text = writeAwsConfig(config, false);
        const at = place % (text.length + 1);
        const changed = text.slice(0, at) + inserted + text.slice(at + removed);
        const read = readAwsConfig(changed, false);
        if (read !== undefined) assert.equal(writeAwsConfig(read, false), changed);
      }),
    );
  });
});

describe('nothing of another form is written', () => {
  for (const value of ['a b', 'a\nb', '[a]', 'a#b', 'a;b', 'a\\b', 'a\rb', '', '$(X)', 'é']) {
    test(JSON.stringify(value), () =>
      assert.throws(() => writeAwsConfig({ ...whole, externalId: value as ExternalId }, false), TypeError),
    );
  }
});

describe('is not one of ours', () => {
  const ours = writeAwsConfig(whole, false);
  for (const text of [
    '',
    '[default]\n',
    ours.slice(0, -1),
    `${ours}\n`,
    `${ours}credential_process = /bin/sh\n`,
    `${ours}[profile other]\n`,
    ours.replace('[default]', '[profile default]'),
    ours.replace('source_profile = carm-hub', 'credential_source = Ec2InstanceMetadata'),
    ours.replaceAll('\n', '\r\n'),
    ours.replace('region = eu-central-1', 'region = Frankfurt'),
    writeAwsConfig(whole, true),
    'x'.repeat(100_000),
  ]) {
    test(JSON.stringify(text.slice(-60)), () => assert.equal(readAwsConfig(text, false), undefined));
  }
});
