import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SessionNameTemplate } from '../../src/injection/session-name.ts';

const values = { account: '111122223333', namespace: 'shop', serviceAccount: 'web' };
const nameBy = (template: string, more: Partial<typeof values> = {}) =>
  SessionNameTemplate.parse(template).nameFor({ ...values, ...more });

describe('a session is named', () => {
  const table: readonly [template: string, name: string, more?: Partial<typeof values>][] = [
    ['{namespace}.{serviceAccount}', 'shop.web'],
    ['{account}@{namespace}', '111122223333@shop'],
    ['eks-{serviceAccount}-{serviceAccount}', 'eks-web-web'],
    ['the_cluster', 'the_cluster'],
    // The longest and the shortest that fit.
    ['{namespace}.{serviceAccount}', `${'n'.repeat(60)}.web`, { namespace: 'n'.repeat(60) }],
    ['{namespace}', 'ab', { namespace: 'ab' }],
    // sha256 of the whole, in 16 characters.
    ['{namespace}', 'a=ca978112ca1bbdca', { namespace: 'a' }],
    [
      '{namespace}.{serviceAccount}',
      `${'n'.repeat(47)}=3b09a8da601e4df2`,
      { namespace: 'n'.repeat(61), serviceAccount: 'web' },
    ],
  ];
  for (const [template, name, more] of table) {
    test(`${template} is ${name}`, () => assert.equal(nameBy(template, more), name));
  }
});

const word = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
const serviceAccount = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/);
const pods = fc.record({ account: fc.constant('111122223333'), namespace: word, serviceAccount });
const templates = fc.constantFrom(
  '{namespace}.{serviceAccount}',
  '{account}_{namespace}={serviceAccount}',
  '{namespace}/'.replace('/', '@') + '{serviceAccount}'.repeat(2),
  `${'x'.repeat(40)}-{namespace}+{serviceAccount}`,
);

test('whatever the names are, STS takes the session name, and the same pod always has the same', () => {
  const anything = fc.record({ account: fc.string(), namespace: fc.string(), serviceAccount: fc.string() });
  fc.assert(
    fc.property(templates, fc.oneof(pods, anything), (template, pod) => {
      const name = SessionNameTemplate.parse(template).nameFor(pod);
      assert.match(name, /^[\w+=,.@-]{2,64}$/);
      assert.equal(SessionNameTemplate.parse(template).nameFor({ ...pod }), name);
    }),
  );
});

test('pods of different namespaces or ServiceAccounts have different session names', () => {
  const long = fc.constantFrom('n'.repeat(63), `${'n'.repeat(62)}m`, 'n'.repeat(46), 'n'.repeat(47));
  const near = fc.record({ account: fc.constant('111122223333'), namespace: long, serviceAccount: long });
  fc.assert(
    fc.property(templates, fc.oneof(pods, near), fc.oneof(pods, near), (template, one, other) => {
      if (one.namespace === other.namespace && one.serviceAccount === other.serviceAccount) return;
      const names = [one, other].map(pod => SessionNameTemplate.parse(template).nameFor(pod));
      assert.notEqual(names[0], names[1]);
    }),
  );
});

test('nobody can name a ServiceAccount so that its session looks like one that was cut', () => {
  const cut = nameBy('{namespace}.{serviceAccount}', { serviceAccount: 's'.repeat(100) });
  const [, hash = ''] = cut.split('=');
  assert.equal(hash.length, 16);
  const underscored = nameBy('{account}={namespace}={serviceAccount}', { serviceAccount: 's'.repeat(100) });
  assert.match(underscored, /^111122223333=shop=s+_[0-9a-f]{16}$/);
});

describe('a template is not taken', () => {
  for (const template of [
    '',
    'x',
    'x'.repeat(65),
    `${'x'.repeat(65)}{namespace}`,
    '{pod}',
    '{Namespace}',
    '{}',
    '{namespace',
    'namespace}',
    '{{namespace}}',
    'a b',
    '{namespace}:{serviceAccount}',
    '{namespace}/{serviceAccount}',
    '{namespace}\n',
    'é{namespace}',
  ]) {
    test(JSON.stringify(template), () =>
      assert.throws(() => SessionNameTemplate.parse(template), /^Error: (?:contains|is) /),
    );
  }
});
