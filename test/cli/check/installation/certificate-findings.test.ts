import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  certificatesIn,
  findInCertificates,
  keyOf,
  servedAtOf,
} from '../../../../src/cli/check/installation/certificate-findings.ts';
import { readConfiguration } from '../../../../src/cli/check/installation/webhook-entry.ts';
import { makeCa, makeLeaf } from './made-certificates.ts';

const now = Date.parse('2026-06-01T00:00:00Z');
const host = 'carm-webhook.carm-webhook.svc';
const service = { namespace: 'carm-webhook', name: 'carm-webhook', path: '/mutate', port: 443 };

/** A configuration of two entries that are called at one address. */
function configuration(caPem: string | undefined, client: object = { service }) {
  const caBundle = caPem === undefined ? {} : { caBundle: Buffer.from(caPem).toString('base64') };
  const entry = (name: string) => ({ name, clientConfig: { ...client, ...caBundle } });
  return readConfiguration('MutatingWebhookConfiguration', {
    metadata: { name: 'zz-carm-webhook' },
    webhooks: [entry('pods.carm-webhook.dev'), entry('namespaces.carm-webhook.dev'), entry('not.example.com')],
  });
}

function find(configured: ReturnType<typeof configuration>, chainPem: string): readonly string[] {
  const [entry] = configured.entries;
  const at = entry && servedAtOf(entry);
  assert.ok(entry && at);
  const object = { kind: 'Service', namespace: 'carm-webhook', name: 'carm-webhook' };
  const known = new Map([[keyOf(entry), { at, chain: certificatesIn(chainPem), object }]]);
  return findInCertificates([configured], known, now).map(
    ({ reason, object: { kind, name }, message }) => `${reason} ${kind} ${name}: ${message}`,
  );
}

const both = 'so the API server cannot call it: "pods.carm-webhook.dev", "namespaces.carm-webhook.dev"';
const untrusted = (why: string) => [
  `CertificateNotTrusted MutatingWebhookConfiguration zz-carm-webhook: ${why}, ${both}`,
];

describe('the certificate that is served, against the caBundle of the configurations', async () => {
  const ca = await makeCa(now, 3650);
  const other = await makeCa(now, 3650);
  const between = await makeCa(now, 3650, 'between', ca);
  const leaf = await makeLeaf(now, 90, ca, host);
  const below = await makeLeaf(now, 90, between, host);

  const trusted: Readonly<Record<string, readonly [caPem: string, chain: string]>> = {
    'of the CA': [ca.cert, leaf.cert],
    'of the CA, which is served too': [ca.cert, leaf.cert + ca.cert],
    'of one of several CAs, as while a CA is replaced': [other.cert + ca.cert, leaf.cert],
    'of a CA between, which is served': [ca.cert, below.cert + between.cert],
    'of a CA between, which is in the bundle': [between.cert, below.cert],
    'that is in the bundle itself': [leaf.cert, leaf.cert],
  };
  for (const [what, [caPem, chain]] of Object.entries(trusted)) {
    test(`one ${what} is trusted`, () => assert.deepEqual(find(configuration(caPem), chain), []));
  }

  test('one of another CA, of the same name, is not', () => {
    const why = 'their caBundle does not lead to the certificate that the webhook serves';
    assert.deepEqual(find(configuration(other.cert), leaf.cert), untrusted(why));
  });

  test('one whose CA between is not served is not', () => {
    const why = 'their caBundle does not lead to the certificate that the webhook serves';
    assert.deepEqual(find(configuration(ca.cert), below.cert), untrusted(why));
  });

  for (const [what, caPem] of Object.entries({ none: undefined, 'an empty one': '', 'no certificate in it': 'x' })) {
    test(`without a bundle (${what}) it is not`, () => {
      assert.deepEqual(find(configuration(caPem), leaf.cert), untrusted('there is no certificate in their caBundle'));
    });
  }

  test('one of another name is not', async () => {
    const elsewhere = await makeLeaf(now, 90, ca, 'other.carm-webhook.svc');
    const why = `the certificate that the webhook serves is not for ${host}`;
    assert.deepEqual(find(configuration(ca.cert), elsewhere.cert), untrusted(why));
  });

  test('at a URL, the name is that of the URL, and without a bundle the roots of the API server count', () => {
    const at = (url: string) => ({ url });
    assert.deepEqual(find(configuration(ca.cert, at('https://127.0.0.1:8443/mutate')), leaf.cert), []);
    assert.deepEqual(find(configuration(ca.cert, at(`https://${host}/mutate`)), leaf.cert), []);
    assert.deepEqual(find(configuration(undefined, at('https://a.example.com/mutate')), leaf.cert), []);
    const why = 'the certificate that the webhook serves is not for a.example.com';
    assert.deepEqual(find(configuration(ca.cert, at('https://a.example.com/mutate')), leaf.cert), untrusted(why));
  });

  test('the end of the certificate and of its CA: ended, or past the time of a renewal', async () => {
    const ends = async (leafDays: number, caDays: number): Promise<readonly string[]> => {
      const issuer = await makeCa(now, caDays);
      const { cert } = await makeLeaf(now, leafDays, issuer, host);
      return find(configuration(issuer.cert), cert);
    };
    const served = 'Service carm-webhook: the certificate that is served';
    const root = 'MutatingWebhookConfiguration zz-carm-webhook: the CA in its caBundle';
    assert.deepEqual(await ends(90, 3650), []);
    // A fifth of a lifetime of 24 h, which cert-manager renews 8 h before its end.
    assert.deepEqual(await ends(1, 3650), []);
    assert.deepEqual(await ends(0.4, 3650), []);
    assert.deepEqual(await ends(0.2, 3650), [`CertificateExpiring ${served} ends on 2026-06-01, in less than a day`]);
    assert.deepEqual(await ends(-0.5, 3650), [`CertificateExpired ${served} ended on 2026-05-31`]);
    assert.deepEqual(await ends(90, 0.1), [`CertificateExpiring ${root} ends on 2026-06-01, in less than a day`]);
    assert.deepEqual(await ends(90, -0.5), [`CertificateExpired ${root} ended on 2026-05-31`]);
  });

  test('of a long lifetime the last 30 days count', async () => {
    const issuer = await makeCa(now, 3650);
    const { cert } = await makeLeaf(now, 3650, issuer, host);
    const [entry] = configuration(issuer.cert).entries;
    const at = entry && servedAtOf(entry);
    assert.ok(entry && at);
    const object = { kind: 'Secret', namespace: 'a', name: 'b' };
    const known = new Map([[keyOf(entry), { at, chain: certificatesIn(cert), object }]]);
    const found = (days: number) =>
      findInCertificates([configuration(issuer.cert)], known, now + days * 86_400_000).map(({ message }) => message);
    assert.deepEqual(found(3650 - 31), []);
    assert.deepEqual(found(3650 - 29), [
      'the certificate that is served ends on 2036-05-29, in 29 days',
      'the CA in its caBundle ends on 2036-05-29, in 29 days',
    ]);
  });
});
