import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createAdmit, type Endpoint, type ReviewResult } from '../../../src/admission/admit.ts';
import { type Config, defaultConfig } from '../../../src/admission/config.ts';
import { patched, patchOf } from '../../decisions/check-row.ts';
import { roleSelector } from '../../decisions/resources.ts';
import { type ReviewOptions, readRequest } from '../../decisions/review.ts';
import { propertyRuns } from '../../property-runs.ts';
import { account, FakeCluster, type FakeState, good } from '../fake-cluster.ts';
import { anyResource, shapedResource } from './arbitrary-resource.ts';

const state: FakeState = {
  ...good,
  namespaces: {
    shop: {
      labels: good.namespaces.shop.labels,
      annotations: { ...good.namespaces.shop.annotations, 'services.k8s.aws/default-region': 'eu-central-1' },
    },
  },
  maps: { account: { [account]: `arn:aws:iam::${account}:role/ack` } },
  roleSelectors: [
    roleSelector('blue', `arn:aws:iam::${account}:role/blue`, { labels: { color: 'blue' } }),
    roleSelector('green', 'arn:aws:iam::222222222222:role/green', { labels: { color: 'green' } }),
  ],
};
const byMaps: Config = { ...defaultConfig, supportMessage: 'Ask in #platform.' };
const bySelectors: Config = { ...byMaps, featureGates: { ...byMaps.featureGates, IAMRoleSelector: true } };
const eitherRules = fc.constantFrom(byMaps, bySelectors);

const bucket: Partial<ReviewOptions> = { resource: 's3.services.k8s.aws/v1alpha1/buckets', kind: 'Bucket' };

async function ask(
  endpoint: Endpoint,
  config: Config,
  object: unknown,
  old?: unknown,
  more: Partial<ReviewOptions> = {},
) {
  const admit = createAdmit(new FakeCluster(state, state), config);
  const update = old === undefined ? {} : { operation: 'UPDATE', oldObject: old };
  return admit(endpoint, readRequest({ object, namespace: 'shop', ...bucket, ...update, ...more }), 5_000);
}

const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null');

function checkAnswer({ response, record }: ReviewResult): void {
  assert.notEqual(record.reason, 'InternalError', String(record.error));
  for (const line of [...(response.warnings ?? []), response.status?.message ?? '']) {
    assert.match(line, /^[\x20-\x7e]*$/);
    assert.ok(line.length <= 1024, `${line.length} bytes`);
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
}

const subjects: Readonly<Record<string, Partial<ReviewOptions>>> = {
  'a Bucket': bucket,
  'a FieldExport': { resource: 'services.k8s.aws/v1alpha1/fieldexports', kind: 'FieldExport' },
  'an AdoptedResource': { resource: 'services.k8s.aws/v1alpha1/adoptedresources', kind: 'AdoptedResource' },
  'a PodIdentityAssociation': {
    resource: 'eks.services.k8s.aws/v1alpha1/podidentityassociations',
    kind: 'PodIdentityAssociation',
  },
  'a status': { ...bucket, subResource: 'status' },
  'an IAMRoleSelector': {
    resource: 'services.k8s.aws/v1alpha1/iamroleselectors',
    kind: 'IAMRoleSelector',
    namespace: '',
  },
  'a map': { resource: '/v1/configmaps', kind: 'ConfigMap', namespace: 'ack-system', name: 'ack-role-account-map' },
  'a namespace': { resource: '/v1/namespaces', kind: 'Namespace', name: 'shop' },
};

describe('for any JSON in the place of', () => {
  for (const [what, more] of Object.entries(subjects)) {
    test(`${what}: an answer, never an exception`, async () => {
      const endpoint = fc.constantFrom<Endpoint>('mutate', 'validate');
      const before = fc.option(anyResource, { nil: undefined });
      await fc.assert(
        fc.asyncProperty(endpoint, eitherRules, anyResource, before, async (to, config, value, old) => {
          checkAnswer(await ask(to, config, overTheWire(value), old === undefined ? old : overTheWire(old), more));
        }),
        { numRuns: propertyRuns(150) },
      );
    });
  }
});

const allowedPath =
  /^\/metadata\/annotations$|^\/metadata\/annotations\/services\.k8s\.aws~1(?:region|deletion-policy)$/;
const previous = fc.option(shapedResource, { nil: undefined });

describe('for any resource', () => {
  test('the patch only adds, and only our annotations', async () => {
    let completed = 0;
    await fc.assert(
      fc.asyncProperty(shapedResource, previous, eitherRules, async (value, old, config) => {
        const object = overTheWire(value);
        const { response } = await ask('mutate', config, object, overTheWire(old ?? null) ?? undefined);
        const operations = patchOf(response);
        if (operations.length > 0) completed += 1;
        for (const operation of operations) {
          assert.equal(operation.op, 'add');
          assert.match(operation.path, allowedPath);
        }
        const strip = (item: unknown): unknown => {
          const copy = JSON.parse(JSON.stringify(item));
          for (const key of ['region', 'deletion-policy']) {
            delete copy.metadata.annotations?.[`services.k8s.aws/${key}`];
          }
          if (Object.keys(copy.metadata.annotations ?? {}).length === 0) delete copy.metadata.annotations;
          return copy;
        };
        assert.deepEqual(strip(patched(object, response)), strip(object), 'all the rest is as it was');
      }),
      { numRuns: propertyRuns(250) },
    );
    assert.ok(completed >= 10, `only ${completed} were completed: the property says little`);
  });

  test('on its own output the patch is empty', async () => {
    await fc.assert(
      fc.asyncProperty(shapedResource, previous, eitherRules, async (value, old, config) => {
        const object = overTheWire(value);
        const before = overTheWire(old ?? null) ?? undefined;
        const { response } = await ask('mutate', config, object, before);
        if (!response.allowed) return;
        const again = await ask('mutate', config, patched(object, response), before);
        assert.deepEqual(patchOf(again.response), []);
      }),
      { numRuns: propertyRuns(250) },
    );
  });

  test('what /validate allows it allows completed too', async () => {
    let completed = 0;
    await fc.assert(
      fc.asyncProperty(shapedResource, previous, eitherRules, async (value, old, config) => {
        const object = overTheWire(value);
        const before = overTheWire(old ?? null) ?? undefined;
        if (!(await ask('validate', config, object, before)).response.allowed) return;
        const { response } = await ask('mutate', config, object, before);
        if (response.patch === undefined) return;
        completed += 1;
        const after = await ask('validate', config, patched(object, response), before);
        assert.equal(after.response.allowed, true, after.response.status?.message);
      }),
      { numRuns: propertyRuns(600) },
    );
    assert.ok(completed >= 15, `only ${completed} were completed: the property says little`);
  });

  test('an UPDATE that changes nothing is allowed and not denied by what was there before', async () => {
    await fc.assert(
      fc.asyncProperty(shapedResource, eitherRules, async (value, config) => {
        const object = overTheWire(value);
        const { response } = await ask('validate', config, object, object);
        assert.equal(response.allowed, true, response.status?.message);
      }),
      { numRuns: propertyRuns(250) },
    );
  });

  test('a change of finalizers and metadata of a terminating one is never denied or touched', async () => {
    await fc.assert(
      fc.asyncProperty(shapedResource, shapedResource, eitherRules, async (old, now, config) => {
        const dying = { deletionTimestamp: '2026-01-02T00:00:00Z' };
        const before = overTheWire({ ...old, metadata: { ...(old['metadata'] as object), ...dying } });
        const after = overTheWire({
          ...now,
          metadata: { ...(now['metadata'] as object), ...dying },
          spec: old['spec'],
        });
        for (const endpoint of ['mutate', 'validate'] as const) {
          const { response } = await ask(endpoint, config, after, before);
          assert.equal(response.allowed, true, response.status?.message);
          assert.equal(response.patch, undefined);
        }
      }),
      { numRuns: propertyRuns(150) },
    );
  });
});
