import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  ackPath,
  ackResource,
  ackStatus,
  bucket,
  bucketKind,
  databaseKind,
  fieldExport,
  fieldExportKind,
  installAckKinds,
  pastTheWebhook,
  roleSelector,
  roleSelectorKind,
} from './ack-crds.ts';
import { namespace } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { sumOf } from './metric-sum.ts';
import { patchArguments } from './patch-arguments.ts';
import { ServedPlane } from './served-plane.ts';

const arn = 'arn:aws:iam::111122223333:role/shop';
const otherArn = 'arn:aws:iam::222233334444:role/billing';
const testLimit = { timeout: 30_000 };
const names = (...list: readonly string[]): object => ({ namespaceSelector: { names: list } });
const labelled = (labels: Readonly<Record<string, string>>): object => ({
  resourceLabelSelector: { matchLabels: labels },
});

describe('with the feature gate IAMRoleSelector', () => {
  let served: ServedPlane;

  before(
    async () => {
      served = await ServedPlane.start({
        users: [{ name: 'tenant' }],
        flags: ['--feature-gates=IAMRoleSelector=true'],
      });
      await installAckKinds(served.plane, [bucketKind, databaseKind, fieldExportKind]);
      await served.apply(['shop', 'billing', 'empty'].map(name => namespace(name)));
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  async function refused(objects: readonly object[], reason: string, ...words: readonly string[]): Promise<void> {
    const { stderr } = await served.apply(objects, { expectCode: 1 });
    assert.match(stderr, /admission webhook "(?:resources|selectors)\.carm-webhook\.dev" denied the request: /);
    assert.ok(stderr.includes(`(${reason})`), stderr);
    for (const word of words) assert.ok(stderr.includes(word), `${word} in: ${stderr}`);
  }

  /** Writes a selector and waits until a decision from the cache knows it. */
  const write = (name: string, spec: object) => served.apply([roleSelector(name, spec)]);

  test('without its definition the webhook runs, and no resource has a role', testLimit, async () => {
    assert.equal((await served.plane.request('GET', ackPath(roleSelectorKind, ''))).status, 404);
    assert.ok(served.webhook.pid !== undefined);
    await refused([bucket('shop', 'assets')], 'SelectorNotMatched', '"shop"');
    // A kind that needs no role.
    await served.apply([fieldExport('shop', 'exports', { kind: 'configmap', name: 'exports' })]);
  });

  test('the definition is installed: a selector counts at once', testLimit, async () => {
    await installAckKinds(served.plane, [roleSelectorKind]);
    await write('shop', { arn, ...names('shop') });
    // The memory may still be without it: a denial is asked again live.
    await served.apply([bucket('shop', 'assets')]);
    await refused([bucket('billing', 'assets')], 'SelectorNotMatched', '"billing"');
    await eventually('the watch has it too', async () => {
      const watched = sumOf(await served.webhook.metrics(), 'carm_webhook_watch_synced', {
        resource: 'iamroleselectors',
      });
      return watched === 1 ? true : undefined;
    });
  });

  test('resources in kube-public are judged, as ACK ignores it no more', testLimit, async () => {
    await refused([bucket('kube-public', 'assets')], 'SelectorNotMatched', '"kube-public"');
  });

  describe('a selector that ACK would leave out without a word', () => {
    for (const [what, spec, words] of [
      ['an empty ARN', { arn: '' }, 'spec.arn is empty'],
      ['no ARN', { arn: 'shop' }, 'spec.arn is not an ARN'],
      ['the ARN of something else', { arn: 'arn:aws:s3:::assets' }, 'spec.arn is not the ARN of a role'],
      ['an empty name', { arn, ...names('') }, 'spec.namespaceSelector.names has an empty name'],
      ['a name twice', { arn, ...names('a', 'a') }, 'spec.namespaceSelector.names has a name twice'],
      [
        'an empty type',
        { arn, resourceTypeSelector: [{ group: '', version: '', kind: '' }] },
        'spec.resourceTypeSelector has an entry without group, version and kind',
      ],
      [
        'a type twice',
        {
          arn,
          resourceTypeSelector: [
            { group: '', version: '', kind: 'Bucket' },
            { group: '', version: '', kind: 'Bucket' },
          ],
        },
        'spec.resourceTypeSelector has an entry twice',
      ],
      ['an empty label key', { arn, ...labelled({ '': 'x' }) }, 'spec.resourceLabelSelector has an empty label key'],
    ] as const) {
      test(what, testLimit, () => refused([roleSelector('invalid', spec)], 'InvalidSelector', words));
    }

    test('one that was written past the webhook does not count', testLimit, async () => {
      const invalid = { arn, namespaceSelector: { names: ['empty', 'empty'] } };
      await served.apply([roleSelector('invalid', invalid)], { as: pastTheWebhook });
      await refused([bucket('empty', 'assets')], 'SelectorNotMatched');
      await served.plane.kubectl(['delete', 'iamroleselector', 'invalid']);
    });
  });

  describe('two selectors', () => {
    test('an overlap is denied when it is written, with the name of the other', testLimit, async () => {
      await refused([roleSelector('everything', { arn: otherArn })], 'SelectorConflict', '"shop"');
      await refused([roleSelector('shop-too', { arn, ...names('shop', 'billing') })], 'SelectorConflict', '"shop"');
      await write('billing', { arn: otherArn, ...names('billing'), ...labelled({ tier: 'gold' }) });
      const wider = { arn: otherArn, ...names('billing', 'shop'), ...labelled({ tier: 'gold' }) };
      await refused([roleSelector('billing', wider)], 'SelectorConflict', '"shop"');
      // Apart by type.
      const type = { group: databaseKind.group, version: '', kind: '' };
      await write('billing-databases', {
        arn,
        ...names('billing'),
        ...labelled({ tier: 'silver' }),
        resourceTypeSelector: [type],
      });
    });

    test('that both match a resource stop it, with both names', testLimit, async () => {
      await served.apply([roleSelector('shop-twice', { arn, ...names('shop') })], { as: pastTheWebhook });
      await eventually('the second counts', async () => {
        const path = `${ackPath(bucketKind, 'shop')}?dryRun=All`;
        const { status } = await served.plane.request('POST', path, bucket('shop', 'probe'));
        return status === 403 ? true : undefined;
      });
      await refused([bucket('shop', 'logs')], 'SelectorConflict', '"shop"', '"shop-twice"');
      await served.plane.kubectl(['delete', 'iamroleselector', 'shop-twice']);
      await served.apply([bucket('shop', 'logs')]);
    });
  });

  describe('labels of a resource', () => {
    const gold = { labels: { tier: 'gold' } };

    test('choose the selector', testLimit, async () => {
      await refused([bucket('billing', 'invoices')], 'SelectorNotMatched');
      await served.apply([bucket('billing', 'invoices', gold)]);
      await refused([ackResource(databaseKind, 'billing', 'ledger')], 'SelectorNotMatched');
      await served.apply([ackResource(databaseKind, 'billing', 'ledger', { labels: { tier: 'silver' } })]);
    });

    test('that no selector matches any more are denied', testLimit, async () => {
      const args = ['label', 'bucket', 'invoices', '-n', 'billing', 'tier-'];
      assert.match((await served.plane.kubectl(args, { expectCode: 1 })).stderr, /\(SelectorNotMatched\)/);
      await served.plane.kubectl(['label', 'bucket', 'invoices', '-n', 'billing', 'color=blue']);
    });

    test('by which a tenant would move a resource to another account are denied', testLimit, async () => {
      const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'tenant' }];
      const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' };
      const apiVersion = 'rbac.authorization.k8s.io/v1';
      const metadata = { name: 'tenant', namespace: 'billing' };
      await served.apply([{ apiVersion, kind: 'RoleBinding', metadata, roleRef, subjects }]);
      const status = JSON.stringify({ status: ackStatus('111122223333', 'eu-central-1', 'ledger') });
      const patch = ['patch', 'dbinstance', 'ledger', '-n', 'billing', '--subresource=status', '--type=merge', '-p'];
      await served.plane.kubectl([...patch, status], { as: pastTheWebhook });
      const kubeconfig = served.plane.kubeconfigFor({ user: 'tenant' });
      const relabel = ['label', 'dbinstance', 'ledger', '-n', 'billing', '--overwrite', 'tier=gold'];
      const { stderr } = await eventually('the tenant may write', async () => {
        const result = await served.plane.kubectl(relabel, { kubeconfig, expectCode: 1 });
        return result.stderr.includes('cannot') ? undefined : result;
      });
      assert.match(stderr, /IAMRoleSelector "billing" of account 222233334444.*\(RebindWithResources\)/);
      await served.plane.kubectl(['label', 'dbinstance', 'ledger', '-n', 'billing', 'color=blue'], { kubeconfig });
    });
  });

  test('labels of a namespace choose a selector as well', testLimit, async () => {
    await write('by-label', {
      arn,
      namespaceSelector: { names: [], labelSelector: { matchLabels: { team: 'empty' } } },
      ...labelled({ tier: 'bronze' }),
    });
    const bronze = { labels: { tier: 'bronze' } };
    await refused([bucket('empty', 'assets', bronze)], 'SelectorNotMatched');
    await served.plane.kubectl(['label', 'namespace', 'empty', 'team=empty']);
    await served.apply([bucket('empty', 'assets', bronze)]);
    await served.plane.kubectl(['delete', 'bucket', 'assets', '-n', 'empty']);
    await served.plane.kubectl(['delete', 'iamroleselector', 'by-label']);
  });

  describe('a selector that resources use', () => {
    const deniedToo = async (args: readonly string[], ...words: readonly string[]): Promise<void> => {
      const { stderr } = await served.plane.kubectl(args, { expectCode: 1 });
      assert.match(stderr, /admission webhook "selectors\.carm-webhook\.dev" denied the request: /);
      assert.match(stderr, /\(SelectorInUse\)/);
      for (const word of words) assert.ok(stderr.includes(word), `${word} in: ${stderr}`);
    };
    const patch = (name: string, spec: object) => patchArguments('iamroleselector', name, { spec });
    const assets = '"Bucket shop/assets"';

    test('is not removed, by whichever way', testLimit, async () => {
      await deniedToo(['delete', 'iamroleselector', 'shop'], 'IAMRoleSelector "shop"', assets, '"Bucket shop/logs"');
      await deniedToo(['delete', 'iamroleselector', 'shop', '--dry-run=server'], assets);
      await deniedToo(['delete', 'iamroleselectors', '--all'], assets);
      const { status } = await served.plane.request('DELETE', ackPath(roleSelectorKind, ''));
      assert.equal(status, 403, 'deletecollection');
      const { stdout } = await served.plane.kubectl(['get', 'iamroleselectors', '-o', 'name']);
      assert.ok(stdout.includes('/shop\n') && stdout.includes('/billing\n'), stdout);
    });

    test('is not narrowed, by any of its conditions', testLimit, async () => {
      await deniedToo(patch('shop', names('another')), assets);
      await deniedToo(patch('shop', labelled({ tier: 'gold' })), assets);
      const labelSelector = { matchLabels: { team: 'nobody' } };
      await deniedToo(patch('shop', { namespaceSelector: { names: ['shop'], labelSelector } }), assets);
      const type = (kind: string) => ({ resourceTypeSelector: [{ group: '', version: '', kind }] });
      await deniedToo(patch('shop', type('DBInstance')), assets);
      await served.plane.kubectl(patch('shop', type('Bucket')));
      await served.plane.kubectl(patch('shop', { resourceTypeSelector: null }));
    });

    test('is in use by a resource that is being deleted: ACK needs its role', testLimit, async () => {
      await write('leaving', { arn, ...names('leaving') });
      await served.apply([namespace('leaving')]);
      const held = { finalizers: [`finalizers.${bucketKind.group}/Bucket`] };
      await served.apply([bucket('leaving', 'held', held)], { as: pastTheWebhook });
      await served.plane.kubectl(['delete', 'bucket', 'held', '-n', 'leaving', '--wait=false']);
      await deniedToo(['delete', 'iamroleselector', 'leaving'], '"Bucket leaving/held"');
      const release = JSON.stringify({ metadata: { finalizers: null } });
      const remove = ['patch', 'bucket', 'held', '-n', 'leaving', '--type=merge', '-p', release];
      await served.plane.kubectl(remove, { as: pastTheWebhook });
      await served.plane.kubectl(['delete', 'iamroleselector', 'leaving']);
    });

    test('one of two that match the same may go: it fixes what ACK stopped at', testLimit, async () => {
      await served.apply([roleSelector('shop-again', { arn: otherArn, ...names('shop') })], { as: pastTheWebhook });
      await served.plane.kubectl(['delete', 'iamroleselector', 'shop-again']);
    });

    test('is not removed by guess: without the right to list its resources that is said', testLimit, async () => {
      const future = { ...bucketKind, group: 'quantum.services.k8s.aws', kind: 'Device', plural: 'devices' };
      await installAckKinds(served.plane, [future]);
      await write('quantum', {
        arn,
        ...names('empty'),
        resourceTypeSelector: [{ group: future.group, version: '', kind: '' }],
      });
      const { stderr } = await eventually('discovery has the new group', async () => {
        const said = await served.plane.kubectl(['delete', 'iamroleselector', 'quantum', '--dry-run=server'], {
          expectCode: 'any',
        });
        return said.code === 0 ? undefined : said;
      });
      assert.match(stderr, /IAMRoleSelector "quantum": the list of devices\.quantum\.services\.k8s\.aws .*Forbidden/);
      assert.match(stderr, /\(Unverified\)/);
      await served.plane.kubectl(['delete', 'crd', `${future.plural}.${future.group}`]);
      await eventually('the group is gone', async () => {
        const args = ['delete', 'iamroleselector', 'quantum', '--ignore-not-found'];
        return (await served.plane.kubectl(args, { expectCode: 'any' })).code === 0 ? true : undefined;
      });
    });

    test('can be removed once they are gone', testLimit, async () => {
      await served.plane.kubectl(['annotate', 'bucket', 'assets', '-n', 'shop', 'note=kept']);
      await served.plane.kubectl(['delete', 'buckets', '--all', '-n', 'shop']);
      await served.plane.kubectl(['delete', 'iamroleselector', 'shop']);
      await eventually('it does not count any more', async () => {
        const path = `${ackPath(bucketKind, 'shop')}?dryRun=All`;
        const { status } = await served.plane.request('POST', path, bucket('shop', 'probe'));
        return status === 403 ? true : undefined;
      });
    });
  });
});
