import assert from 'node:assert/strict';
import { test } from 'node:test';
import { issuerDoubt, parseIssuer } from '../../../src/aws/iam/oidc-issuer.ts';

test('an issuer is an https URL, and named by what follows https://', () => {
  for (const name of [
    'oidc.eks.eu-central-1.amazonaws.com/id/A1B2',
    'keys.example.com',
    'a.example.com:6443/k8s/c-1',
  ]) {
    assert.deepEqual(parseIssuer(`https://${name}`), { url: `https://${name}`, name });
  }
});

for (const url of [
  'http://keys.example.com',
  'https://keys.example.com/',
  'https://keys.example.com?x=1',
  'https://keys.example.com/#x',
  'https://user@keys.example.com',
  'https://KEYS.example.com',
  'https://keys.example.com/*',
  'https://keys.example.com/a b',
  "https://keys.example.com/a'b",
  'https://keys.example.com/"',
  'https://keys.example.com/$' + '{x}',
  'https://',
  `https://keys.example.com/${'a'.repeat(255)}`,
]) {
  test(`not an issuer: ${url.slice(0, 60)}`, () => assert.equal(parseIssuer(url), undefined));
}

test('issuers that AWS does not take, or cannot ask for keys, are doubted', () => {
  const doubt = (url: string) => {
    const issuer = parseIssuer(url);
    assert.ok(issuer, url);
    return issuerDoubt(issuer);
  };
  assert.equal(doubt('https://oidc.eks.eu-central-1.amazonaws.com/id/A1B2'), undefined);
  assert.equal(doubt('https://keys.example.com:6443'), 'AWS says that the URL of an issuer should have no port');
  for (const host of [
    'kubernetes.default.svc.cluster.local',
    'kubernetes.default.svc',
    'localhost',
    '10.0.0.1',
    'k8s.internal',
  ])
    assert.match(doubt(`https://${host}`) ?? '', /^AWS cannot reach/, host);
});
