import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ExternalIdTemplate } from '../../../src/accounts/external-id.ts';
import { parseRoleArn } from '../../../src/accounts/role-arn.ts';
import { createAdmit } from '../../../src/admission/admit.ts';
import { type Config, defaultConfig } from '../../../src/admission/config.ts';
import { readAwsConfig } from '../../../src/injection/aws-config.ts';
import { chainMode, deliveredConfig } from '../../../src/injection/chain.ts';
import { readSkipList } from '../../../src/injection/skip-list.ts';
import { tokenMountPath } from '../../../src/injection/token-volume.ts';
import { webIdentityMode } from '../../../src/injection/web-identity.ts';
import { readPod } from '../../../src/objects/pod.ts';
import { patched, patchOf } from '../../decisions/check-row.ts';
import { readRequest } from '../../decisions/review.ts';
import { propertyRuns } from '../../property-runs.ts';
import { FakeCluster, type FakeState, good, role } from '../fake-cluster.ts';
import { shapedPod } from './arbitrary-pod.ts';

const hub = 'arn:aws:iam::999988887777:role/hub';
const state: FakeState = {
  ...good,
  serviceAccounts: { 'shop/default': {}, 'shop/audience': { 'eks.amazonaws.com/audience': 'vault' }, 'shop/wish': {} },
};
const config: Config = {
  ...defaultConfig,
  credentials: 'chain',
  hubRoleArn: parseRoleArn(hub),
  externalId: ExternalIdTemplate.parse('{account}:{namespace}/{serviceAccount}'),
  sourceAccounts: new Set(['999988887777']),
};

function ask(object: unknown, endpoint: 'mutate' | 'validate' = 'mutate') {
  const admit = createAdmit(new FakeCluster(state, state), config);
  return admit(endpoint, readRequest({ object, namespace: 'shop', kind: 'Pod' }), 5_000);
}

const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null');

/** Runs a check on pods that are admitted in chain mode, before and after. */
async function forAdmitted(
  check: (before: unknown, after: unknown, result: Awaited<ReturnType<typeof ask>>) => void | Promise<void>,
): Promise<void> {
  let checked = 0;
  await fc.assert(
    fc.asyncProperty(shapedPod, async value => {
      const object = overTheWire(value);
      const result = await ask(object);
      assert.notEqual(result.record.reason, 'InternalError');
      if (!result.response.allowed) return;
      if (result.record.reason === 'Injected') checked += 1;
      await check(object, patched(object, result.response), result);
    }),
    { numRuns: propertyRuns(300) },
  );
  assert.ok(checked >= 20, `only ${checked} of the pods were injected: the property says little`);
}

describe('for any pod that is admitted in chain mode', () => {
  test('the patch only adds, and on its own output it is empty', () =>
    forAdmitted(async (_, after, { response }) => {
      for (const { op } of patchOf(response)) assert.equal(op, 'add');
      const again = await ask(after);
      assert.equal(again.response.allowed, true, again.response.status?.message);
      assert.deepEqual(patchOf(again.response), []);
    }));

  test('the final object passes /validate, and not with another config', () =>
    forAdmitted(async (_, after) => {
      const final = await ask(after, 'validate');
      assert.equal(final.response.allowed, true, final.response.status?.message);
      const pod = readPod(after);
      if (deliveredConfig(pod) === undefined) return;
      const { metadata } = after as { metadata: { annotations: Record<string, string> } };
      metadata.annotations['carm-webhook.dev/aws-config'] += ' ';
      const forged = await ask(after, 'validate');
      if (forged.response.allowed) assert.ok(!pod.containers.some(container => chainMode.reads(container, pod)));
      else assert.equal(forged.record.reason, 'ForgedAnnotation');
    }));

  test('each container that is not skipped reads a config that ends in the role, and none has the pair', () =>
    forAdmitted((_, after) => {
      const pod = readPod(after);
      const skipped = readSkipList(pod.annotations);
      for (const container of pod.containers) {
        if (container.kind === 'ephemeral container' || skipped.has(container.name)) continue;
        assert.ok(chainMode.reads(container, pod), container.name);
        assert.ok(!webIdentityMode.reads(container, pod), container.name);
        for (const name of ['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_PROFILE']) {
          assert.ok(!container.awsVariables.has(name, pod.windows), `${container.name} ${name}`);
        }
        const isOurs = ({ name, mountPath }: { name: string; mountPath: string }) =>
          name === 'aws-iam-token' && mountPath.replaceAll(/^C:|\/+$/g, '') === tokenMountPath;
        assert.ok(container.mounts?.some(isOurs), container.name);
        const delivered = deliveredConfig(pod);
        assert.equal(delivered?.role.text, role);
        assert.ok(delivered?.hub === undefined || delivered.hub.text === hub);
        const text = pod.annotations.get('carm-webhook.dev/aws-config') ?? '';
        assert.ok(readAwsConfig(text, pod.windows) !== undefined, text);
      }
    }));
});
