/** Changes of namespaces that would take ACK resources from ACK, in every way in which a namespace can be changed. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KubectlResult } from '../testbed/kubectl.ts';
import {
  type AckKind,
  ackPath,
  ackResource,
  ackStatus,
  bucketKind,
  installAckKinds,
  pastTheWebhook,
  queueKind,
  roleSelector,
  roleSelectorKind,
} from './ack-crds.ts';
import { pastTheWebhookHeaders } from './bound-namespace.ts';
import { boundNamespace, namespace, ownerAnnotation, roleMap } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { runPasted } from './pasted-command.ts';
import { ServedPlane, warningsOf } from './served-plane.ts';

const [one, two, three, four] = ['111111111111', '222222222222', '333333333333', '444444444444'] as const;
const role = (account: string) => `arn:aws:iam::${account}:role/ack`;
const override = 'carm-webhook.dev/allow-rebind';
const regionAnnotation = 'services.k8s.aws/region';
const defaultRegion = 'services.k8s.aws/default-region';
const teamAnnotation = 'services.k8s.aws/team-id';
const testLimit = { timeout: 30_000 };

/** A resource that ACK took up, as its controller leaves it. */
async function takenUp(
  served: ServedPlane,
  kind: AckKind,
  place: { readonly namespace: string; readonly name: string; readonly account: string; readonly region?: string },
): Promise<void> {
  const { namespace: inNamespace, name, account, region = 'eu-west-1' } = place;
  await served.apply([ackResource(kind, inNamespace, name)], { as: pastTheWebhook });
  const path = `${ackPath(kind, inNamespace, name)}/status`;
  const patched = await served.plane.request(
    'PATCH',
    path,
    { status: ackStatus(account, region) },
    { headers: pastTheWebhookHeaders },
  );
  assert.equal(patched.status, 200, JSON.stringify(patched.body));
}

/** `kubectl annotate --overwrite`; an annotation that ends in `-` is taken away. */
function annotate(
  served: ServedPlane,
  name: string,
  annotations: readonly string[],
  code: number | 'any' = 0,
): Promise<KubectlResult> {
  return served.plane.kubectl(['annotate', '--overwrite', 'namespace', name, ...annotations], { expectCode: code });
}

function label(served: ServedPlane, name: string, labels: readonly string[], code = 0): Promise<KubectlResult> {
  return served.plane.kubectl(['label', '--overwrite', 'namespace', name, ...labels], { expectCode: code });
}

function assertDenied({ stderr }: Pick<KubectlResult, 'stderr'>, ...words: readonly (string | RegExp)[]): void {
  assert.match(
    stderr,
    /admission webhook "namespaces\.carm-webhook\.dev" denied the request: .*\(RebindWithResources\)/,
  );
  for (const word of words) {
    assert.ok(typeof word === 'string' ? stderr.includes(word) : word.test(stderr), `${word} in: ${stderr}`);
  }
}

/** The command that the message of a denial gives. */
function commandIn({ stderr }: KubectlResult): string {
  return /: (kubectl annotate .*?) \(RebindWithResources\)/.exec(stderr)?.[1] ?? assert.fail(stderr);
}

describe('rebinding a namespace that has ACK resources', () => {
  let served: ServedPlane;

  before(
    async () => {
      served = await ServedPlane.start({
        flags: ['--feature-gates=TeamLevelCARM=true'],
        map: { [one]: role(one), [two]: role(two) },
      });
      await installAckKinds(served.plane, [bucketKind, queueKind]);
      await served.apply([roleMap({ web: role(two), own: role(one) }, 'ack-role-team-map')]);
      for (const name of ['shop', 'regional', 'empty', 'kept']) await served.apply([namespace(name)]);
      await served.apply([boundNamespace('lost', three)], { as: pastTheWebhook });
      await served.apply([boundNamespace('bound', one)]);
      await takenUp(served, bucketKind, { namespace: 'shop', name: 'assets', account: one });
      await takenUp(served, queueKind, { namespace: 'shop', name: 'orders', account: one });
      await takenUp(served, bucketKind, { namespace: 'bound', name: 'assets', account: one });
      await takenUp(served, bucketKind, { namespace: 'lost', name: 'archive', account: three });
      await takenUp(served, bucketKind, { namespace: 'regional', name: 'near', account: one });
      await takenUp(served, bucketKind, { namespace: 'regional', name: 'far', account: one, region: 'us-east-1' });
      await takenUp(served, bucketKind, { namespace: 'kept', name: 'assets', account: one });
      await served.apply([ackResource(bucketKind, 'empty', 'new')], { as: pastTheWebhook });
    },
    { timeout: 120_000 },
  );
  after(() => served?.stop());

  const boundTo = async (name: string) => {
    const { metadata } = await served.get<{ readonly metadata: { readonly annotations?: Record<string, string> } }>(
      `/api/v1/namespaces/${name}`,
    );
    return metadata.annotations?.[ownerAnnotation];
  };

  test(
    'a first binding to another account is denied, one to the account of its resources is not',
    testLimit,
    async () => {
      const denied = await annotate(served, 'shop', [`${ownerAnnotation}=${two}`], 1);
      assertDenied(denied, '"Bucket/assets"', '"Queue/orders"', `account "${one}"`, `leads to account ${two}`);
      assert.equal(await boundTo('shop'), undefined);
      await annotate(served, 'shop', [`${ownerAnnotation}=${one}`]);
    },
  );

  const other = { [ownerAnnotation]: two };
  const body = { metadata: { annotations: other } };
  for (const [way, rebind] of [
    ['kubectl annotate', () => annotate(served, 'bound', [`${ownerAnnotation}=${two}`], 1)],
    ['a dry run', () => annotate(served, 'bound', [`${ownerAnnotation}=${two}`, '--dry-run=server'], 1)],
    ['kubectl apply', () => served.apply([boundNamespace('bound', two)], { expectCode: 1 })],
    [
      'server-side apply',
      () =>
        served.apply([boundNamespace('bound', two)], {
          expectCode: 1,
          flags: ['--server-side', '--force-conflicts', '--field-manager=gitops'],
        }),
    ],
    [
      'kubectl replace',
      () =>
        served.plane.kubectl(['replace', '-f', '-'], {
          input: JSON.stringify(boundNamespace('bound', two)),
          expectCode: 1,
        }),
    ],
    [
      'namespaces/status',
      async () => {
        const answer = await served.plane.request<{ message?: string }>(
          'PATCH',
          '/api/v1/namespaces/bound/status',
          body,
        );
        return { stderr: answer.body.message ?? '' };
      },
    ],
    [
      'namespaces/finalize',
      async () => {
        const answer = await served.plane.request<{ message?: string }>('PUT', '/api/v1/namespaces/bound/finalize', {
          ...boundNamespace('bound', two),
          spec: { finalizers: ['kubernetes'] },
        });
        return { stderr: answer.body.message ?? '' };
      },
    ],
  ] as const) {
    test(`from one account to another: denied by ${way}`, testLimit, async () => {
      assertDenied(await rebind(), '"Bucket/assets"');
      assert.equal(await boundTo('bound'), one);
    });
  }

  test('opted out or in mode warn it is denied all the same', testLimit, async () => {
    await label(served, 'bound', ['carm-webhook.dev/inject=disabled', 'carm-webhook.dev/mode=warn']);
    assertDenied(await annotate(served, 'bound', [`${ownerAnnotation}=${two}`], 1));
    await label(served, 'bound', ['carm-webhook.dev/inject=enabled', 'carm-webhook.dev/mode-']);
  });

  test('the binding is removed while the map has the account, and comes back', testLimit, async () => {
    const removed = await annotate(served, 'bound', [`${ownerAnnotation}-`]);
    assert.match(removed.stderr, /\(BindingRemoved\)/);
    await annotate(served, 'bound', [`${ownerAnnotation}=${one}`]);
  });

  test('resources that were deleted first stand in no way', testLimit, async () => {
    assertDenied(await annotate(served, 'kept', [`${ownerAnnotation}=${two}`], 1), 'or delete the resources first');
    await served.plane.kubectl(['delete', 'bucket', 'assets', '--namespace', 'kept'], { as: pastTheWebhook });
    await annotate(served, 'kept', [`${ownerAnnotation}=${two}`]);
  });

  test('resources that ACK has not taken up stand in no way', testLimit, async () => {
    await annotate(served, 'empty', [`${ownerAnnotation}=${two}`]);
    await annotate(served, 'empty', [`${ownerAnnotation}-`]);
  });

  test('an account that the map does not have: denied until it has it, in both directions', testLimit, async () => {
    const removed = await annotate(served, 'lost', [`${ownerAnnotation}-`], 1);
    const unmapped = `ConfigMap ack-system/ack-role-account-map has no valid role for account "${three}". Ask your platform team to add one first`;
    assertDenied(removed, 'without a binding ACK goes by their status', unmapped);
    await served.apply([namespace('later')]);
    await takenUp(served, bucketKind, { namespace: 'later', name: 'archive', account: three });
    assertDenied(await annotate(served, 'later', [`${ownerAnnotation}=${three}`], 1), unmapped);
    await served.apply([roleMap({ [one]: role(one), [two]: role(two), [three]: role(three) })]);
    await annotate(served, 'later', [`${ownerAnnotation}=${three}`]);
    await annotate(served, 'lost', [`${ownerAnnotation}-`]);
  });

  test(
    'the command of the message lets the change pass, and says what is left behind; back it goes without',
    testLimit,
    async () => {
      const change = [`${ownerAnnotation}=${two}`];
      const denied = await annotate(served, 'shop', change, 1);
      assertDenied(denied);
      assertDenied(await annotate(served, 'shop', [...change, `${override}=${three}`], 1), `${override}=${two}`);
      const pasted = await runPasted(served.plane, commandIn(denied));
      assert.equal(pasted.code, 0, pasted.stderr);
      const changed = await annotate(served, 'shop', change);
      const warnings = warningsOf(changed);
      assert.ok(
        warnings.some(text => /Bucket\/assets.*Queue\/orders.*"111111111111" \(ResourcesLeftBehind\)$/.test(text)),
        changed.stderr,
      );
      assert.equal(await boundTo('shop'), two);
      const back = await annotate(served, 'shop', [`${ownerAnnotation}=${one}`, `${override}-`]);
      assert.deepEqual(warningsOf(back), []);
      assertDenied(await annotate(served, 'shop', change, 1));
    },
  );

  test('a team leads to the account of its role', testLimit, async () => {
    assertDenied(await annotate(served, 'shop', [`${teamAnnotation}=web`], 1), `leads to account ${two}`);
    await annotate(served, 'shop', [`${teamAnnotation}=own`]);
    await annotate(served, 'shop', [`${teamAnnotation}-`]);
    const nobody = await annotate(served, 'shop', [`${teamAnnotation}=later`], 1);
    assertDenied(
      nobody,
      'ConfigMap ack-system/ack-role-team-map has no valid role for team "later". Ask your platform team',
    );
    await served.apply([roleMap({ web: role(two), own: role(one), later: role(one) }, 'ack-role-team-map')]);
    await annotate(served, 'shop', [`${teamAnnotation}=later`]);
    await annotate(served, 'shop', [`${teamAnnotation}-`]);
  });

  test('a new default region is warned of until its resources name their own', testLimit, async () => {
    const first = await annotate(served, 'regional', [`${defaultRegion}=eu-west-1`]);
    const [warning = '', ...more] = warningsOf(first);
    assert.deepEqual(more, []);
    assert.match(
      warning,
      /"Bucket\/far" in "us-east-1".*annotate them with services\.k8s\.aws\/region \(ResourcesInOtherRegion\)$/,
    );
    assert.doesNotMatch(warning, /near/);
    const region = `${regionAnnotation}=us-east-1`;
    await served.plane.kubectl(['annotate', 'bucket', 'far', '--namespace', 'regional', region]);
    await annotate(served, 'regional', [`${defaultRegion}-`, '--dry-run=server']);
    // Any change of a resource has the webhook pin its region.
    await served.plane.kubectl(['label', 'bucket', 'near', '--namespace', 'regional', 'tier=gold']);
    for (const change of [`${defaultRegion}=us-east-2`, `${defaultRegion}-`]) {
      assert.deepEqual(warningsOf(await annotate(served, 'regional', [change])), []);
    }
  });

  test(
    'what nobody can tell is denied, in every mode, with what could not be read; a change of something else is not',
    testLimit,
    async () => {
      // The webhook's role has no right to list kinds of a group that is younger than its release.
      const younger: AckKind = { ...bucketKind, group: 'younger.services.k8s.aws', kind: 'Thing', plural: 'things' };
      await installAckKinds(served.plane, [younger]);
      await label(served, 'bound', ['carm-webhook.dev/mode=audit']);
      const denied = await annotate(served, 'empty', [`${ownerAnnotation}=${four}`], 1);
      assert.match(denied.stderr, /things\.younger\.services\.k8s\.aws could not be read: .*403.*\(Unverified\)/);
      // What was found is enough.
      assertDenied(await annotate(served, 'bound', [`${ownerAnnotation}=${two}`], 1));
      const regional = await annotate(served, 'regional', [`${defaultRegion}=eu-west-3`]);
      assert.match(warningsOf(regional).join('\n'), /could not determine in time.*\(ResourcesInOtherRegion\)$/);
      await annotate(served, 'bound', ['note=x']);
      await served.plane.kubectl(['delete', 'crd', 'things.younger.services.k8s.aws']);
      await eventually('it is read again', async () =>
        (await annotate(served, 'empty', [`${ownerAnnotation}=${four}`, '--dry-run=server'], 'any')).code === 0
          ? true
          : undefined,
      );
    },
  );

  test('the namespace can be deleted whatever its resources are', testLimit, async () => {
    await served.plane.kubectl(['delete', 'namespace', 'bound', '--wait=false']);
    await annotate(served, 'bound', [`${ownerAnnotation}=${two}`]);
  });
});

describe('relabelling a namespace whose resources IAMRoleSelectors match by its labels', () => {
  let served: ServedPlane;

  before(
    async () => {
      served = await ServedPlane.start({
        flags: ['--feature-gates=IAMRoleSelector=true'],
        map: { [one]: role(one), [two]: role(two) },
      });
      await installAckKinds(served.plane, [bucketKind, roleSelectorKind]);
      const byEnv = (env: string) => ({
        namespaceSelector: { names: [], labelSelector: { matchLabels: { env } } },
      });
      await served.apply([
        roleSelector('prod', { arn: role(one), ...byEnv('prod') }),
        roleSelector('test', { arn: role(two), ...byEnv('test') }),
        roleSelector('same', { arn: role(one), ...byEnv('same') }),
      ]);
      await served.apply([namespace('shop', { labels: { env: 'prod' } })]);
      await takenUp(served, bucketKind, { namespace: 'shop', name: 'assets', account: one });
      await eventually('the cache has the selectors', async () => {
        const { code } = await served.plane.kubectl(['label', 'namespace', 'shop', 'env-', '--dry-run=server'], {
          expectCode: 'any',
        });
        return code === 1 ? true : undefined;
      });
    },
    { timeout: 120_000 },
  );
  after(() => served?.stop());

  test('a label by which they are matched is neither removed nor given to another account', testLimit, async () => {
    assertDenied(await label(served, 'shop', ['env-'], 1), '"Bucket/assets"', 'no IAMRoleSelector matches them');
    assertDenied(await label(served, 'shop', ['env=test'], 1), `the new labels lead to account ${two}`);
    const patched = await served.plane.request<{ message?: string }>('PATCH', '/api/v1/namespaces/shop/status', {
      metadata: { labels: null },
    });
    assertDenied({ stderr: patched.body.message ?? '' });
  });

  test('labels of others, and a selector of the same account, are free', testLimit, async () => {
    await label(served, 'shop', ['team=a']);
    await label(served, 'shop', ['env=same']);
    await label(served, 'shop', ['env=prod', 'team-']);
  });

  test('bindings do not count for its resources', testLimit, async () => {
    await annotate(served, 'shop', [`${ownerAnnotation}=${two}`]);
    await annotate(served, 'shop', [`${ownerAnnotation}-`]);
  });

  test('the command of the message lets the labels change; back they go without', testLimit, async () => {
    const denied = await label(served, 'shop', ['env=test'], 1);
    const pasted = await runPasted(served.plane, commandIn(denied));
    assert.equal(pasted.code, 0, pasted.stderr);
    const changed = await label(served, 'shop', ['env=test']);
    assert.match(changed.stderr, /"Bucket\/assets" in account "111111111111" \(ResourcesLeftBehind\)/);
    await annotate(served, 'shop', [`${override}-`]);
    const back = await label(served, 'shop', ['env=prod']);
    assert.deepEqual(warningsOf(back), []);
  });
});
