import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { keyHint, keyHints } from '../../src/objects/key-hints.ts';
import { type KeyedKind, type KeyRow, keyRows } from '../../src/objects/keys.ts';
import { shipped } from '../deploy/shipped.ts';
import { ackNamespaceKeys, ackResourceKeys, neighbourKeys } from './neighbour-keys.ts';

const kinds: readonly KeyedKind[] = ['pod', 'namespace', 'ServiceAccount', 'ACK resource'];
const kindsOf = ({ us, ack = [], written = [] }: KeyRow): readonly KeyedKind[] => [...us, ...ack, ...written];
const labels = ['label', 'annotation'] as const;

/** What can be written on the same object, by the words for it. */
function replacementOf(meant: string, as: 'label' | 'annotation') {
  if (meant.includes(' on the ') || meant.startsWith('SERVICE.')) return undefined;
  const [, other, key] = /^the (label|annotation) (.*)$/.exec(meant) ?? [];
  return key === undefined ? { key: meant, as } : { key, as: other };
}

describe('a misspelled key', () => {
  for (const [on, as, key, meant] of [
    ['ServiceAccount', 'annotation', 'eks.amazon.com/role-arn', 'eks.amazonaws.com/role-arn'],
    ['ServiceAccount', 'annotation', 'eks.amazonaws.com/rolearn', 'eks.amazonaws.com/role-arn'],
    ['ServiceAccount', 'annotation', 'eks.amazonaws.com/Role_Arn', 'eks.amazonaws.com/role-arn'],
    ['ServiceAccount', 'annotation', 'eks.amazonaws.com/role', 'carm-webhook.dev/role'],
    ['ServiceAccount', 'annotation', 'eks.amazonaws.com/sts-regional', 'eks.amazonaws.com/sts-regional-endpoints'],
    ['ServiceAccount', 'annotation', 'eks.amazonaws.com.cn/role-arn', 'eks.amazonaws.com/role-arn'],
    ['ServiceAccount', 'annotation', 'esk.amazonaws.com/role-arn', 'eks.amazonaws.com/role-arn'],
    ['ServiceAccount', 'annotation', 'EKS.amazonaws.com/audience', 'eks.amazonaws.com/audience'],
    ['ServiceAccount', 'annotation', 'carm-webhook.de/role', 'carm-webhook.dev/role'],
    ['ServiceAccount', 'annotation', 'carm-webhook.dev/audience', 'eks.amazonaws.com/audience'],
    ['ServiceAccount', 'annotation', 'services.k8s.aws/role-arn', 'eks.amazonaws.com/role-arn'],
    ['pod', 'annotation', 'eks.amazonaws.con/skip-containers', 'eks.amazonaws.com/skip-containers'],
    ['pod', 'annotation', 'eks.amazon.com/role-arn', 'eks.amazonaws.com/role-arn on the ServiceAccount'],
    ['pod', 'label', 'eks.amazonaws.com/skip-pod-identity-webhok', 'eks.amazonaws.com/skip-pod-identity-webhook'],
    ['pod', 'label', 'carm-webhook.dev/Inject', 'carm-webhook.dev/inject'],
    ['pod', 'annotation', 'carm-webhook.dev/injct', 'the label carm-webhook.dev/inject'],
    ['namespace', 'annotation', 'service.k8s.aws/owner-account-id', 'services.k8s.aws/owner-account-id'],
    ['namespace', 'annotation', 'services.k8s.aws/account-id', 'services.k8s.aws/owner-account-id'],
    ['namespace', 'annotation', 'services.k8s.aws/owner-account', 'services.k8s.aws/owner-account-id'],
    ['namespace', 'annotation', 'services.k8s.aws/teamid', 'services.k8s.aws/team-id'],
    ['namespace', 'annotation', 'services.k8s.aws/default-aws-region', 'services.k8s.aws/default-region'],
    ['namespace', 'annotation', 'services.k8.aws/default-region', 'services.k8s.aws/default-region'],
    ['namespace', 'annotation', 's3.service.k8s.aws/deletion-policy', 's3.services.k8s.aws/deletion-policy'],
    ['namespace', 'annotation', 'S3.services.k8s.aws/deletion-policy', 's3.services.k8s.aws/deletion-policy'],
    ['namespace', 'annotation', 'eks.amazon.com/token-expiration', 'eks.amazonaws.com/token-expiration on the pod'],
    ['namespace', 'annotation', 'carm-webhook.dev/owner-account-id', 'services.k8s.aws/owner-account-id'],
    ['ACK resource', 'annotation', 'services.k8s.aws/deletion_policy', 'services.k8s.aws/deletion-policy'],
    ['ACK resource', 'annotation', 'services.k8s.aws/regoin', 'services.k8s.aws/region'],
    ['ACK resource', 'annotation', 'services.k8s.aws/aws-region', 'services.k8s.aws/region'],
    ['namespace', 'annotation', 'services.k8s.aws/aws-region', 'services.k8s.aws/default-region'],
    ['ServiceAccount', 'annotation', 'eks.amazonaws.com/iam-role-arn', 'eks.amazonaws.com/role-arn'],
    ['ACK resource', 'annotation', 'services.k8s.aws/adoption-polcy', 'services.k8s.aws/adoption-policy'],
    ['ACK resource', 'annotation', 'services.k8s.aws/skip-final-snapshot', 'rds.services.k8s.aws/skip-final-snapshot'],
  ] as const) {
    test(`${as} ${key} on a ${on} was probably meant to be ${meant}`, () =>
      assert.deepEqual(keyHint(key, as, on), {
        ...{ reason: 'MisspelledKey', key, as, on, meant },
        replacement: replacementOf(meant, as),
      }));
  }

  for (const key of ['allow-everything', 'x']) {
    test(`carm-webhook.dev/${key} is none that we know, and nothing near`, () => {
      for (const on of kinds) {
        const hint = keyHint(`carm-webhook.dev/${key}`, 'annotation', on);
        assert.deepEqual([hint?.reason, hint?.meant], ['MisspelledKey', undefined], on);
      }
    });
  }
});

describe('a misplaced key', () => {
  for (const [on, as, key, meant] of [
    ['ServiceAccount', 'annotation', 'carm-webhook.dev/role-arn', 'carm-webhook.dev/role'],
    [
      'ServiceAccount',
      'annotation',
      'eks.amazonaws.com/skip-containers',
      'eks.amazonaws.com/skip-containers on the pod',
    ],
    ['ServiceAccount', 'label', 'eks.amazonaws.com/role-arn', 'the annotation eks.amazonaws.com/role-arn'],
    ['pod', 'annotation', 'eks.amazonaws.com/role-arn', 'eks.amazonaws.com/role-arn on the ServiceAccount'],
    ['pod', 'annotation', 'carm-webhook.dev/role', 'carm-webhook.dev/role on the ServiceAccount'],
    ['pod', 'annotation', 'carm-webhook.dev/credentials', 'carm-webhook.dev/credentials on the namespace'],
    ['ServiceAccount', 'annotation', 'carm-webhook.dev/aws-config', 'carm-webhook.dev/aws-config on the pod'],
    ['pod', 'annotation', 'services.k8s.aws/region', 'services.k8s.aws/default-region on the namespace'],
    ['namespace', 'annotation', 'carm-webhook.dev/inject', 'the label carm-webhook.dev/inject'],
    ['namespace', 'annotation', 'carm-webhook.dev/mode', 'the label carm-webhook.dev/mode'],
    ['namespace', 'annotation', 'carm-webhook.dev/role-arn', 'carm-webhook.dev/role on the ServiceAccount'],
    ['namespace', 'label', 'services.k8s.aws/owner-account-id', 'the annotation services.k8s.aws/owner-account-id'],
    ['namespace', 'annotation', 'services.k8s.aws/region', 'services.k8s.aws/default-region'],
    ['namespace', 'annotation', 'services.k8s.aws/deletion-policy', 'SERVICE.services.k8s.aws/deletion-policy'],
    ['ACK resource', 'annotation', 'services.k8s.aws/default-region', 'services.k8s.aws/region'],
    ['ACK resource', 'annotation', 's3.services.k8s.aws/deletion-policy', 'services.k8s.aws/deletion-policy'],
  ] as const) {
    test(`${as} ${key} on a ${on} was probably meant to be ${meant}`, () =>
      assert.deepEqual(keyHint(key, as, on), {
        ...{ reason: 'MisplacedKey', key, as, on, meant },
        replacement: replacementOf(meant, as),
      }));
  }

  test('is each key of the table wherever it is not read, but for the label of EKS and what nobody of ours names', () => {
    const left = ['eks.amazonaws.com/skip-pod-identity-webhook', 'kubernetes.io/config.mirror'];
    for (const row of keyRows.filter(({ key }) => !left.includes(key) && !key.startsWith('SERVICE.'))) {
      for (const on of kinds) {
        for (const as of labels) {
          const isRead = row.as === as && kindsOf(row).includes(on);
          assert.equal(
            keyHint(row.key, as, on)?.reason,
            isRead ? undefined : 'MisplacedKey',
            `${as} ${row.key} on ${on}`,
          );
        }
      }
    }
  });
});

describe('no key', () => {
  test('of those that live beside ours is reported, on no kind, as label or as annotation', () => {
    for (const key of neighbourKeys) {
      for (const on of kinds) for (const as of labels) assert.equal(keyHint(key, as, on), undefined, `${key} on ${on}`);
    }
  });

  test('that ACK reads is reported where it reads it', () => {
    for (const key of ackResourceKeys) assert.equal(keyHint(key, 'annotation', 'ACK resource'), undefined, key);
    for (const key of ackNamespaceKeys) assert.equal(keyHint(key, 'annotation', 'namespace'), undefined, key);
  });

  const others = [
    'role-arn',
    '/role-arn',
    'eks.amazonaws.com/unknown',
    'eks.amazonaws.com/reason',
    'eks.amazon.com/unknown',
    'services.k8s.aws/reason',
    'ecs.example.com/audience',
    'carm-webhook.de/role-arn',
    'kubernetes.i/config.mirror',
    '__proto__/role',
    'constructor/role',
    'eks.amazonaws.com/__proto__',
    'eks.amazonaws.com/constructor',
    `${'e'.repeat(100_000)}/role-arn`,
    `eks.amazonaws.com/${'role-arn'.repeat(10_000)}`,
    'eks.amazon.com/role-arn/x',
  ];
  for (const key of others) {
    test(`${key.slice(0, 40)} is none`, () => assert.equal(keyHint(key, 'annotation', 'pod'), undefined));
  }
});

describe('what is said of one object', () => {
  const none = new Map<never, string>();
  const keyed = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, index) => [`${prefix}${index}/role-arn`, ''] as const);

  test('is eight keys at most, labels and annotations together', () => {
    const object = { labels: new Map(keyed(3, 'eks.amazonaws.c')), annotations: new Map(keyed(9, 'eks.amazonaws.co')) };
    const found = keyHints(object, 'ServiceAccount').map(({ as }) => as);
    assert.deepEqual(found, [...Array(3).fill('label'), ...Array(5).fill('annotation')]);
  });

  test('comes of sixty-four that may be one', () => {
    const [others, one] = [keyed(64, 'example.com-'), keyed(1, 'eks.amazonaws.co')];
    const found = (keys: readonly (readonly [string, string])[]) =>
      keyHints({ labels: none, annotations: new Map(keys) }, 'pod').length;
    assert.equal(found([...others.slice(1), ...one]), 1);
    assert.equal(found([...others, ...one]), 0);
  });

  test('is nothing that was there before with the same value', () => {
    const at = (value: string) => ({ labels: none, annotations: new Map([['eks.amazonaws.com/rolearn', value]]) });
    assert.equal(keyHints(at('a'), 'ServiceAccount', at('a')).length, 0);
    assert.equal(keyHints(at('b'), 'ServiceAccount', at('a')).length, 1);
    assert.equal(keyHints(at('a'), 'ServiceAccount', { labels: none, annotations: none }).length, 1);
  });
});

test('the entry for keys of namespaces lets none past that is reported on them', () => {
  const { webhooks } = shipped<{
    webhooks: { name: string; matchConditions: { name: string; expression: string }[] }[];
  }>('ValidatingWebhookConfiguration');
  const entry = webhooks.find(({ name }) => name === 'keys.carm-webhook.dev');
  const text = entry?.matchConditions.find(({ name }) => name === 'like-a-key-that-is-read')?.expression ?? '';
  const [like = '', annotations = '', likeLabel = '', read = ''] = Array.from(
    text.matchAll(/matches\('(?:\(\?i\))?([^']+)'\)/g),
    ([, pattern = '']) => pattern,
  );
  assert.equal(like, likeLabel);
  const sees = (key: string, as: 'label' | 'annotation') =>
    new RegExp(like, 'i').test(key) && !new RegExp(as === 'label' ? read : annotations).test(key);
  const letters = 'abkswo-._';
  let reported = 0;
  for (const { key } of keyRows.filter(row => row.key !== 'kubernetes.io/config.mirror')) {
    const written = key.replace('SERVICE', 's3');
    const slips = [written, written.toUpperCase(), written.replaceAll('-', '_')];
    for (let at = 0; at <= written.length; at++) {
      const [front, rest] = [written.slice(0, at), written.slice(at)];
      slips.push(front + rest.slice(1), front + rest.charAt(1) + rest.charAt(0) + rest.slice(2));
      for (const letter of letters) slips.push(front + letter + rest, front + letter + rest.slice(1));
    }
    for (const slip of slips) {
      for (const as of labels) {
        if (keyHint(slip, as, 'namespace') === undefined) continue;
        reported += 1;
        assert.ok(sees(slip, as), `${as} ${slip}`);
      }
    }
  }
  assert.ok(reported > 2000, `${reported}`);
  for (const key of ackNamespaceKeys) assert.ok(!sees(key, 'annotation'), key);
  for (const name of ['credentials', 'hub-role-arn', 'external-id', 'allow-rebind']) {
    assert.ok(!sees(`carm-webhook.dev/${name}`, 'annotation'), name);
  }
  for (const key of ['carm-webhook.dev/inject', 'carm-webhook.dev/mode']) assert.ok(!sees(key, 'label'), key);
});
