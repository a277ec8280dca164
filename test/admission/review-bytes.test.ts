import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readReview } from '../../src/admission/review.ts';
import { EnvelopeTooLargeError, parseReview, smallReviewBytes } from '../../src/admission/review-bytes.ts';
import { pod } from '../decisions/manifests.ts';
import { reviewBody } from '../decisions/review.ts';

/** Makes a review one of those whose bytes are looked at before they are parsed. */
const padding = 'x'.repeat(smallReviewBytes);

const read = async (text: string) => {
  const parsed = await parseReview(Buffer.from(text));
  return readReview(parsed.body, parsed);
};

describe('a large review', () => {
  test('is read as JSON.parse reads it, but for managedFields', async () => {
    const object = fc.jsonValue().map(value => ({ metadata: { managedFields: [value], name: padding }, spec: value }));
    const any = fc.oneof(object, fc.jsonValue());
    await fc.assert(
      fc.asyncProperty(any, any, fc.constantFrom(0, 1), async (left, right, spaces) => {
        const body = reviewBody({ object: { ...pod(), padding }, oldObject: right });
        const text = JSON.stringify(
          { ...body, request: { ...Object(body['request']), object: left } },
          undefined,
          spaces,
        );
        const expected = JSON.parse(text);
        for (const key of ['object', 'oldObject']) {
          const metadata = expected.request[key]?.metadata;
          if (metadata?.managedFields !== undefined) metadata.managedFields = null;
        }
        const padded = `${text}${' '.repeat(smallReviewBytes)}`;
        assert.deepEqual((await parseReview(Buffer.from(padded))).body, expected);
      }),
    );
  });

  test('goes by the last of two members of a name, and by keys as JSON spells them', async () => {
    const object = (name: string) => JSON.stringify({ metadata: { name }, padding });
    const request = (members: string) => `"request":{"uid":"u","resource":{},${members}}`;
    const head = '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1",';
    const twice = `${head}${request(`"object":${object('a')},"ob\\u006aect":${object('b')}`)}}`;
    assert.deepEqual((await read(twice)).object, JSON.parse(object('b')));
    const requests = `${head}${request(`"object":${object('a')}`)},${request(`"oldObject":${object('b')}`)}}`;
    assert.equal((await read(requests)).object, undefined);
    assert.deepEqual((await read(requests)).oldObject, JSON.parse(object('b')));
  });

  test('whose object is nested deeper than the API server reads is too large', async () => {
    const deep = (levels: number) => `{"padding":"${padding}","deep":${'['.repeat(levels)}${']'.repeat(levels)}}`;
    const body = (levels: number) =>
      `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","object":${deep(levels)}}}`;
    assert.equal((await read(body(9_999))).excess, undefined);
    assert.deepEqual((await read(body(10_000))).excess, { what: 'levels of nesting', atLeast: 10_001 });
  });

  test('that holds too much keeps its uid, name and user', async () => {
    const body = reviewBody({ object: pod({ metadata: { name: 'big' } }), uid: 'u-1' });
    const text = JSON.stringify(body).replace('"status":{}', `"status":[${'{},'.repeat(100_001)}{}]`);
    const { uid, name, userInfo, object, excess } = await read(text);
    assert.deepEqual([uid, name, userInfo.username], ['u-1', 'big', 'jane@example.com']);
    assert.equal(object, undefined);
    assert.equal(excess?.what, 'objects and arrays');
  });

  test('cannot hide what it holds behind a second managedFields', async () => {
    const many = `"managedFields":[${'{},'.repeat(300_000)}{}]`;
    for (const members of [`"metadata":{"managedFields":[],${many}}`, `"metadata":{${many}},"metadata":{${many}}`]) {
      const text = JSON.stringify(reviewBody({ object: 'here' })).replace('"object":"here"', `"object":{${members}}`);
      assert.equal((await read(text)).excess?.what, 'objects and arrays', members.slice(-40));
    }
  });

  test('with tens of thousands of fields beside its objects is none that an API server sends', async () => {
    const withMore = (more: unknown) => Buffer.from(JSON.stringify({ ...reviewBody({ object: {} }), more }));
    const many = Array.from({ length: 50_001 }, () => ({}));
    await assert.rejects(async () => parseReview(withMore(many)), EnvelopeTooLargeError);
    assert.ok(await parseReview(withMore('x'.repeat(6_000_000))));
  });

  for (const [what, spoil] of [
    ['cut off', (text: string) => text.slice(0, -3)],
    ['with garbage behind it', (text: string) => `${text}}`],
    ['with garbage in its object', (text: string) => text.replace('"Always"', 'Always')],
    ['with garbage beside its object', (text: string) => text.replace('"CREATE"', 'CREATE')],
  ] as const) {
    test(`${what} is not JSON`, async () => {
      const text = JSON.stringify(reviewBody({ object: { ...pod(), padding } }));
      await assert.rejects(async () => parseReview(Buffer.from(spoil(text))), /JSON|text ends|does not end|no value/);
    });
  }
});
