import fc from 'fast-check';
import { anyCharacter } from '../../any-character.ts';
import { account } from '../fake-cluster.ts';

/** ACK resources for properties: of the right shape with whatever users write in them. */

type Json = Readonly<Record<string, unknown>>;

const own = (key: string) => `services.k8s.aws/${key}`;
const text = fc.string({ unit: anyCharacter, maxLength: 12 });

function entries(...pairs: readonly (readonly [string, fc.Arbitrary<string>])[]): fc.Arbitrary<Json> {
  const known = fc.record(Object.fromEntries(pairs), { requiredKeys: [] });
  const others = fc.dictionary(fc.constantFrom('note', '__proto__', 'constructor', 'a/b', 'a~b'), text, { maxKeys: 2 });
  return fc.tuple(known, others).map(parts => {
    const all = {};
    for (const part of parts) Object.defineProperties(all, Object.getOwnPropertyDescriptors(part));
    return all;
  });
}

const annotations = entries(
  [own('region'), fc.constantFrom('eu-central-1', 'us-east-1', 'cn-north-1', '', 'Frankfurt', 'x'.repeat(300))],
  [own('adoption-policy'), fc.constantFrom('adopt', 'adopt', 'adopt-or-create', '', 'take', 'Adopt')],
  [own('adoption-fields'), fc.constantFrom('{}', '{"arn":"x"}', '[]', '{')],
  [own('deletion-policy'), fc.constantFrom('retain', 'retain', 'delete', '', 'keep', 'Retain')],
  [own('owner-account-id'), fc.constantFrom(account, account, '222222222222', '')],
);
/** What is denied outright, so that the others are seen too. */
const forged = entries([own('adopted'), fc.constantFrom('true', 'false')]);

const namespace = fc.constantFrom('shop', 'shop', 'kube-system', '', 5);
const reference = fc.oneof(
  fc.record({ name: text, key: text, namespace }, { requiredKeys: ['name', 'key'] }),
  fc.record({ from: fc.record({ name: text, namespace }, { requiredKeys: [] }) }),
);
const spec = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ name: 'things' }) },
  { weight: 2, arbitrary: fc.dictionary(fc.constantFrom('a', 'b', 'to', '__proto__'), reference, { maxKeys: 3 }) },
  { weight: 1, arbitrary: fc.array(reference, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);
const ack = fc.record(
  {
    ownerAccountID: fc.constantFrom(account, '222222222222', ''),
    region: fc.constantFrom('eu-central-1', 'us-east-1', ''),
    arn: fc.constantFrom('arn:aws:s3:::things', ''),
  },
  { requiredKeys: [] },
);
const labels = fc.dictionary(
  fc.constantFrom('color', 'color', 'color', 'app', '__proto__'),
  fc.constantFrom('blue', 'blue', 'green', ''),
  { minKeys: 1, maxKeys: 2 },
);
const others = ['example.com/x', 'example.com/y'];
const finalizersOf = (names: readonly string[]) => fc.uniqueArray(fc.constantFrom(...names));
const finalizers = fc.oneof(
  { weight: 9, arbitrary: finalizersOf(others) },
  { weight: 1, arbitrary: finalizersOf([...others, 'finalizers.s3.services.k8s.aws/Bucket']) },
);

/** Most of them are valid. */
export const shapedResource: fc.Arbitrary<Json> = fc
  .record({
    annotations: fc.option(fc.oneof({ weight: 9, arbitrary: annotations }, { weight: 1, arbitrary: forged }), {
      nil: undefined,
    }),
    labels: fc.option(labels, { nil: undefined }),
    finalizers: fc.option(finalizers, { nil: undefined }),
    terminating: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    spec,
    ack: fc.option(ack, { nil: undefined }),
  })
  .map(({ annotations: written, labels: own_, finalizers: kept, terminating, spec: body, ack: status }) => ({
    apiVersion: 's3.services.k8s.aws/v1alpha1',
    kind: 'Bucket',
    metadata: {
      name: 'things',
      namespace: 'shop',
      ...(written === undefined ? {} : { annotations: written }),
      ...(own_ === undefined ? {} : { labels: own_ }),
      ...(kept === undefined ? {} : { finalizers: kept }),
      ...(terminating ? { deletionTimestamp: '2026-01-02T00:00:00Z' } : {}),
    },
    spec: body,
    ...(status === undefined ? {} : { status: { ackResourceMetadata: status } }),
  }));

/** Any JSON in the places that are read. */
const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(null, [], {}, '', 0));
export const anyResource: fc.Arbitrary<unknown> = fc.oneof(
  shapedResource,
  junk,
  fc.record(
    {
      metadata: fc.oneof(
        junk,
        fc.record(
          {
            name: junk,
            generateName: junk,
            labels: junk,
            annotations: junk,
            finalizers: junk,
            deletionTimestamp: junk,
          },
          { requiredKeys: [] },
        ),
      ),
      spec: junk,
      data: junk,
      status: fc.oneof(junk, fc.record({ ackResourceMetadata: junk })),
    },
    { requiredKeys: [] },
  ),
);
