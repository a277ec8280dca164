import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { propertyRuns } from '../property-runs.ts';
import { bucketKind, installAckKinds, pastTheWebhook, roleSelector, roleSelectorKind, topicKind } from './ack-crds.ts';
import type { AckSettings } from './ack-decisions.ts';
import { boundNamespace, namespace, ownerAnnotation, roleMap } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { mapPatch, patchArguments } from './patch-arguments.ts';
import { SeededRandom } from './seeded-random.ts';
import { ServedPlane } from './served-plane.ts';
import { annotate, annotateAssets, assets, news, StrandingScene } from './stranding-scene.ts';
import { FreshNames, runSequence, sequenceMaps, sequenceOperations } from './stranding-sequences.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const own = '999988887777';
const a = '111122223333';
const b = '222233334444';
/** Of a team, without a key in the account map. */
const ofTeam = '333344445555';
/** Each used by one scenario alone. */
const [moved, left, kept] = ['444455556666', '555566667777', '666677778888'] as const;
const unmapped = '777788889999';
const roleOf = (accountId: string, name = 'ack') => `arn:aws:iam::${accountId}:role/${name}`;
const byBindings: AckSettings = {
  accountId: own,
  region: 'us-east-1',
  deletionPolicy: 'delete',
  enableCarm: true,
  gates: { TeamLevelCARM: true },
};
const bySelectors: AckSettings = { ...byBindings, enableCarm: false, gates: { IAMRoleSelector: true } };
const frankfurt = 'eu-central-1';
const defaultRegion = 'services.k8s.aws/default-region';
const region = 'services.k8s.aws/region';
const teamId = 'services.k8s.aws/team-id';
const accountMap = 'ack-role-account-map';
const testLimit = { timeout: 30_000 };
const sequenceLength = process.env['PROPERTY_TIMES'] === undefined ? 12 : 40;
const sequenceLimit = { timeout: propertyRuns(60_000) };

describe('nothing is stranded without a word, in scenarios and in random sequences', () => {
  let served: ServedPlane;

  before(
    async () => {
      served = await ServedPlane.start({
        controllerManager: true,
        flags: ['--feature-gates=TeamLevelCARM=true'],
        map: Object.fromEntries([a, b, moved, left, kept].map(accountId => [accountId, roleOf(accountId)])),
      });
      await installAckKinds(served.plane, [bucketKind, topicKind, roleSelectorKind]);
      const teams = {
        payments: roleOf(ofTeam),
        orders: roleOf(b, 'orders'),
        returns: roleOf(ofTeam, 'returns'),
        refunds: roleOf(ofTeam),
      };
      await served.apply([roleMap(teams, 'ack-role-team-map')]);
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  /** `SEED` has one sequence again; `PROPERTY_TIMES=100` is the long form, by hand. */
  async function runSequences(
    t: TestContext,
    of: keyof typeof sequenceOperations,
    settings: AckSettings,
  ): Promise<void> {
    const past = (args: readonly string[], input?: object) =>
      served.plane.kubectl(args, { as: pastTheWebhook, ...(input !== undefined && { input: JSON.stringify(input) }) });
    await past(mapPatch(sequenceMaps.accounts));
    await past(mapPatch(sequenceMaps.teams, 'ack-role-team-map'));
    const runs = process.env['SEED'] === undefined ? propertyRuns(1) : 1;
    for (let run = 0; run < runs; run++) {
      const random = new SeededRandom(process.env['SEED']);
      const scene = await StrandingScene.start(served.plane, settings);
      const namespaces = [`${of.toLowerCase()}-${random.seed}-1`, `${of.toLowerCase()}-${random.seed}-2`] as const;
      try {
        const world = { plane: served.plane, scene, random, namespaces, names: new FreshNames() };
        await runSequence(sequenceOperations[of], sequenceLength, world, past);
      } catch (error) {
        throw new Error(`SEED=${random.seed} ${of}:\n${scene.history.join('\n')}\n${String(error)}`, { cause: error });
      }
    }
    t.diagnostic(`${runs} sequences of ${sequenceLength}`);
  }

  describe('by bindings', () => {
    let scene: StrandingScene;

    before(async () => {
      scene = await StrandingScene.start(served.plane, byBindings);
      // Kubernetes takes some seconds to begin with what is in a namespace: the last test looks at it.
      await settled('leaving', a);
      await scene.allowed(annotate('leaving', `${ownerAnnotation}-`), { warned: ['BindingRemoved'] });
      await scene.allowed(['delete', 'namespace', 'leaving', '--wait=false']);
    });

    const synced = (name: string) =>
      assert.deepEqual(
        [scene.outcome(`Bucket ${name}/assets`), scene.outcome(`Topic ${name}/news`)],
        ['Synced', 'Synced'],
      );
    /** A namespace with a bucket and a topic that are there. */
    async function settled(name: string, accountId: string, annotations: Readonly<Record<string, string>> = {}) {
      await scene.apply([boundNamespace(name, accountId, { annotations }), assets(name), news(name)]);
      synced(name);
    }
    /** The same in a namespace that is not bound: in the controllers' own account. */
    async function settledUnbound(name: string) {
      await scene.apply([namespace(name), assets(name), news(name)], ['NamespaceNotBound', 'NamespaceNotBound']);
      synced(name);
    }
    async function settledByTeam(name: string, team: string) {
      await scene.apply([namespace(name, { annotations: { [teamId]: team } }), assets(name), news(name)]);
      synced(name);
    }

    const deleteAll = (name: string) =>
      scene.allowed(['delete', 'buckets,topics', '--all', '-n', name, '--wait=false']);

    describe('replace', () => {
      const adopting = (name: string) => ({
        'services.k8s.aws/adoption-policy': 'adopt',
        'services.k8s.aws/adoption-fields': JSON.stringify({ name: `${name}-assets` }),
      });
      async function adopted(name: string): Promise<void> {
        const spec = { name: `${name}-assets`, tagging: { tagSet: [{ key: 'old', value: 'yes' }] } };
        scene.aws.create({ accountId: a, region: 'us-east-1' }, 'Bucket', `${name}-assets`, spec);
        await scene.apply([boundNamespace(name, a), assets(name, adopting(name))], ['RetainAdded']);
        assert.equal(scene.outcome(`Bucket ${name}/assets`), 'Synced');
      }
      const replace = ['replace', '-f', '-'];

      test('of an adopted resource: it is adopted again, and retained as before', testLimit, async () => {
        await adopted('adopted');
        const input = assets('adopted', adopting('adopted'));
        await scene.allowed(replace, { input, warned: ['RetainAdded'] });
        const { metadata } = await scene.assets('adopted');
        assert.deepEqual(metadata.finalizers, ['finalizers.s3.services.k8s.aws/Bucket']);
        assert.equal(metadata.annotations?.['services.k8s.aws/adopted'], 'true');
        await deleteAll('adopted');
        assert.deepEqual(scene.places('adopted'), [`Bucket ${a} us-east-1`]);
      });

      test('of another resource: the warning says what brings it back', testLimit, async () => {
        await settled('replaced', a);
        const said = await scene.allowed(replace, { input: assets('replaced'), warned: ['FinalizerRemoved'] });
        assert.equal(scene.outcome('Bucket replaced/assets'), 'Terminal');
        const annotation = 'services.k8s.aws/adoption-policy=adopt-or-create';
        assert.ok(said.includes(`Annotate it ${annotation}, `), said);
        await scene.allowed(annotateAssets('replaced', annotation), { warned: ['AdoptedNotRetained'] });
        await scene.follows('replaced');
        await scene.goes('replaced');
      });

      test("that keeps ACK's note and drops its finalizer, too", testLimit, async () => {
        await adopted('half');
        const { metadata } = await scene.assets('half');
        const input = assets('half', metadata.annotations);
        const said = await scene.allowed(replace, { input, warned: ['FinalizerRemoved'] });
        assert.equal(scene.outcome('Bucket half/assets'), 'Terminal');
        const annotation = 'services.k8s.aws/adopted-';
        assert.ok(said.includes(`Annotate it ${annotation}, `), said);
        await scene.allowed(annotateAssets('half', annotation));
        await scene.follows('half');
      });
    });

    describe('a namespace that is unbound', () => {
      test('goes on by the status, where the map has its account', testLimit, async () => {
        await settled('unbound', a);
        await scene.allowed(annotate('unbound', `${ownerAnnotation}-`), { warned: ['BindingRemoved'] });
        await scene.follows('unbound');
        await scene.goes('unbound');
      });
    });

    describe('a namespace that is bound, or bound to another account', () => {
      const bind = (name: string, accountId: string) => annotate(name, `${ownerAnnotation}=${accountId}`);
      const bound = {
        reason: 'RebindWithResources',
        advice: 'keep the binding as it is, or delete the resources first',
      };

      test('takes its resources from the account of ACK: once they are deleted', testLimit, async () => {
        await settledUnbound('binding');
        await scene.lifted(bind('binding', a), { ...bound, by: () => scene.goes('binding') });
        await scene.apply([assets('binding')]);
        assert.deepEqual(scene.places('binding'), [`Bucket ${a} us-east-1`]);
        await scene.goes('binding');
      });

      test('takes its resources from account to account: once they are deleted', testLimit, async () => {
        await settled('rebinding', a);
        await scene.lifted(bind('rebinding', b), { ...bound, by: () => scene.goes('rebinding') });
      });

      test('leaves them behind, where it says so; undone, ACK goes on', testLimit, async () => {
        await settled('override', a);
        await scene.lifted(bind('override', b), {
          ...bound,
          advice: `To leave them behind, first set the annotation carm-webhook.dev/allow-rebind to "${b}"`,
          by: said => scene.paste(said),
          warned: ['ResourcesLeftBehind'],
        });
        assert.deepEqual([...scene.stranded.keys()].filter(title => title.includes(' override/')).length, 2);
        await scene.allowed(bind('override', a));
        await scene.allowed(annotate('override', 'carm-webhook.dev/allow-rebind-'));
        await scene.follows('override');
        await scene.goes('override');
      });

      test('by mistake to one that does not trust ACK: a resource that failed has its account', testLimit, async () => {
        scene.aws.distrustful.add(roleOf(b));
        await scene.apply([boundNamespace('mistaken', b), assets('mistaken')]);
        assert.equal(scene.outcome('Bucket mistaken/assets'), 'Refused');
        await scene.lifted(bind('mistaken', a), { ...bound, by: () => deleteAll('mistaken') });
        scene.aws.distrustful.delete(roleOf(b));
        await scene.apply([assets('mistaken')]);
        assert.deepEqual(scene.places('mistaken'), [`Bucket ${a} us-east-1`]);
        await scene.goes('mistaken');
      });

      test('to one that no map has: once they are deleted', testLimit, async () => {
        await settled('nowhere', a);
        await scene.lifted(bind('nowhere', unmapped), {
          ...bound,
          by: () => scene.goes('nowhere'),
          warned: ['BindingUnresolved'],
        });
      });

      test('to one that no map has: the advice is none that ends in the next denial', testLimit, async () => {
        await settled('advised', a);
        const said = await scene.denied(bind('advised', unmapped), 'RebindWithResources');
        assert.ok(!said.includes('add one first'), said);
        await scene.goes('advised');
      });

      test('is given to another team: once they are deleted', testLimit, async () => {
        await settledByTeam('team', 'payments');
        await scene.allowed(annotate('team', `${ownerAnnotation}=${a}`));
        await scene.lifted(annotate('team', `${teamId}=orders`), { ...bound, by: () => scene.goes('team') });
      });

      test('changes the team within its account', testLimit, async () => {
        await settledByTeam('teams', 'payments');
        await scene.allowed(annotate('teams', `${teamId}=returns`));
        await scene.follows('teams');
        await scene.goes('teams');
      });

      test('is given to a team that the map does not have yet: once it has', testLimit, async () => {
        await settledByTeam('early', 'payments');
        await scene.lifted(annotate('early', `${teamId}=wallet`), {
          ...bound,
          advice: 'add one first',
          by: () => scene.allowed(mapPatch({ wallet: roleOf(ofTeam, 'wallet') }, 'ack-role-team-map')),
        });
        await scene.follows('early');
        await scene.goes('early');
      });

      test('loses its team, whose account no key is for: once there is one', testLimit, async () => {
        await settledByTeam('teamless', 'payments');
        await scene.lifted(annotate('teamless', `${teamId}-`), {
          ...bound,
          advice: 'add one first',
          by: () => scene.allowed(mapPatch({ [ofTeam]: roleOf(ofTeam) })),
          warned: ['BindingRemoved'],
        });
        await scene.follows('teamless');
        await scene.goes('teamless');
        await scene.allowed(mapPatch({ [ofTeam]: null }));
      });
    });

    describe('the region', () => {
      test('of a resource does not change; another one is for another resource', testLimit, async () => {
        await settled('regional', a, { [defaultRegion]: frankfurt });
        const advice = 'keep "eu-central-1", or create a new resource in the other region';
        await scene.denied(annotateAssets('regional', `${region}=eu-west-1`), 'RegionChange', advice);
        await scene.apply([boundNamespace('elsewhere', a), assets('elsewhere', { [region]: 'eu-west-1' })]);
        assert.deepEqual(scene.places('elsewhere'), [`Bucket ${a} eu-west-1`]);
        // Removed, it comes back.
        await scene.allowed(annotateAssets('regional', `${region}-`));
        await scene.follows('regional');
        await scene.goes('regional');
      });

      test('that is a new default is for new resources, where the others are pinned', testLimit, async () => {
        await settled('moving', a, { [defaultRegion]: frankfurt });
        await scene.allowed(annotate('moving', `${defaultRegion}=eu-west-1`));
        await scene.allowed(annotate('moving', `${defaultRegion}-`));
        await scene.follows('moving');
        await scene.goes('moving');
      });

      test(
        'that is a new default is told of, where others are not pinned; each warning brings them back',
        testLimit,
        async () => {
          await settled('unpinned', a);
          await scene.allowed(annotate('unpinned', `${defaultRegion}=us-east-1`));
          const said = await scene.allowed(annotate('unpinned', `${defaultRegion}=${frankfurt}`), {
            warned: ['ResourcesInOtherRegion'],
          });
          assert.equal(scene.outcome('Bucket unpinned/assets'), 'RegionDrift');
          assert.ok(said.includes(`annotate them with ${region}`), said);
          await scene.allowed(annotateAssets('unpinned', `${region}=us-east-1`));
          // "Any other change of a resource has the webhook do so."
          await scene.allowed(['label', 'topic', 'news', '-n', 'unpinned', 'tier=gold'], { warned: ['RegionPinned'] });
          synced('unpinned');
          await scene.follows('unpinned');
          await scene.goes('unpinned');
        },
      );

      test('that is a new default is told of, where a resource could not be created', testLimit, async () => {
        scene.aws.takenNames.add('unmade-assets');
        await scene.apply([boundNamespace('unmade', a), assets('unmade')]);
        await scene.allowed(annotate('unmade', `${defaultRegion}=${frankfurt}`), {
          warned: ['ResourcesInOtherRegion'],
        });
        scene.aws.takenNames.delete('unmade-assets');
        await deleteAll('unmade');
        await scene.apply([assets('unmade')]);
        assert.deepEqual(scene.places('unmade'), [`Bucket ${a} ${frankfurt}`]);
        await scene.goes('unmade');
      });

      test(
        'that is no default any more is told of, where a resource from before the webhook goes by it',
        testLimit,
        async () => {
          await scene.apply([boundNamespace('older', a, { annotations: { [defaultRegion]: frankfurt } })]);
          await served.apply([assets('older')], { as: pastTheWebhook });
          await scene.reconcile();
          await scene.allowed(annotate('older', `${defaultRegion}-`), { warned: ['ResourcesInOtherRegion'] });
          assert.equal(scene.outcome('Bucket older/assets'), 'RegionDrift');
          await scene.allowed(annotateAssets('older', `${region}=${frankfurt}`));
          await scene.goes('older');
        },
      );

      test('stays with a resource that could not be created; created again it is free', testLimit, async () => {
        scene.aws.takenNames.add('failed-assets');
        await scene.apply([
          boundNamespace('failed', a, { annotations: { [defaultRegion]: frankfurt } }),
          assets('failed'),
        ]);
        assert.equal(scene.outcome('Bucket failed/assets'), 'Refused');
        scene.aws.takenNames.delete('failed-assets');
        const change = annotateAssets('failed', `${region}=eu-west-1`);
        await scene.denied(change, 'RegionChange', 'or create a new resource in the other region');
        await deleteAll('failed');
        await scene.apply([assets('failed', { [region]: 'eu-west-1' })]);
        assert.deepEqual(scene.places('failed'), [`Bucket ${a} eu-west-1`]);
        await scene.goes('failed');
      });
    });

    describe('a map', () => {
      test('gives another role of the same account: nothing changes', testLimit, async () => {
        await settled('rerolled', kept);
        await scene.allowed(mapPatch({ [kept]: roleOf(kept, 'ack-2') }), { warned: ['RoleReplaced'] });
        await scene.follows('rerolled');
        await scene.goes('rerolled');
      });

      test('loses an entry that a namespace is bound by: once it is unbound without resources', testLimit, async () => {
        await settled('bound', moved);
        await scene.denied(mapPatch({ [moved]: roleOf(b) }), 'AccountMismatch');
        await scene.lifted(mapPatch({ [moved]: null }), {
          reason: 'MappingInUse',
          advice:
            'keep the entry with a role in the same account, or unbind the namespace first, unless it has ACK resources',
          by: async () => {
            await deleteAll('bound');
            await scene.allowed(annotate('bound', `${ownerAnnotation}-`), { warned: ['BindingRemoved'] });
          },
        });
      });

      test(
        'loses an entry that ACK goes by in an unbound namespace: once the resources are deleted',
        testLimit,
        async () => {
          await settled('by-status', left);
          await scene.allowed(annotate('by-status', `${ownerAnnotation}-`), { warned: ['BindingRemoved'] });
          await scene.denied(['delete', 'configmap', accountMap, '-n', 'ack-system'], 'MappingInUse');
          await scene.lifted(mapPatch({ [left]: null }), {
            reason: 'MappingInUse',
            advice:
              'or delete those resources first (in AWS, too, unless they are retained; without the entry ACK can neither change nor delete them)',
            by: () => scene.goes('by-status'),
          });
        },
      );

      test('of teams moves a team to another account: not while it is used', testLimit, async () => {
        await settledByTeam('refunds', 'refunds');
        await scene.lifted(mapPatch({ refunds: roleOf(b) }, 'ack-role-team-map'), {
          reason: 'MappingInUse',
          advice:
            'keep the entry with a role in the same account, or unbind the namespace first, unless it has ACK resources',
          by: async () => {
            await deleteAll('refunds');
            await scene.allowed(annotate('refunds', `${teamId}-`), { warned: ['BindingRemoved'] });
          },
        });
      });
    });

    test('a namespace that is unbound and deleted goes away with what is in it', testLimit, async () => {
      await eventually('what was in it is gone', async () => {
        await scene.reconcile();
        return scene.places('leaving').length === 0 ? true : undefined;
      });
    });

    test('sequences of any of it', sequenceLimit, t => runSequences(t, 'byBindings', byBindings));
  });

  describe('by IAMRoleSelectors', () => {
    let scene: StrandingScene;
    let webhook: WebhookUnderTest;

    before(
      async () => {
        await served.webhook.stop();
        webhook = await WebhookUnderTest.start(served.plane, { flags: ['--feature-gates=IAMRoleSelector=true'] });
        await webhook.install();
        scene = await StrandingScene.start(served.plane, bySelectors);
      },
      { timeout: 60_000 },
    );
    after(() => webhook?.stop());

    const names = (...list: readonly string[]) => ({ namespaceSelector: { names: list } });
    const byLabel = (labels: object) => ({ namespaceSelector: { names: [], labelSelector: { matchLabels: labels } } });
    const tier = (value: string) => ({ resourceLabelSelector: { matchLabels: { tier: value } } });
    const change = (name: string, spec: object) => patchArguments('iamroleselector', name, { spec });
    const select = (name: string, arn: string, spec: object) => scene.apply([roleSelector(name, { arn, ...spec })]);

    test('a selector goes once the resources are deleted', testLimit, async () => {
      await select('gone', roleOf(a), names('gone'));
      await scene.apply([namespace('gone'), assets('gone'), news('gone')]);
      assert.deepEqual(scene.places('gone'), [`Bucket ${a} us-east-1`, `Topic ${a} us-east-1`]);
      await scene.lifted(['delete', 'iamroleselector', 'gone'], {
        reason: 'SelectorInUse',
        advice: 'keep it matching them, or delete them first',
        by: () => scene.goes('gone'),
      });
    });

    test('a selector is narrowed as long as it matches what it matched', testLimit, async () => {
      await select('narrowed', roleOf(a), names('narrowed', 'another'));
      await scene.apply([namespace('narrowed'), assets('narrowed')]);
      await scene.denied(change('narrowed', tier('gold')), 'SelectorInUse', 'keep it matching them');
      await scene.allowed(change('narrowed', names('narrowed')));
      await scene.follows('narrowed');
      await scene.goes('narrowed');
    });

    test('two selectors for the same: one of them narrowed', testLimit, async () => {
      await select('first', roleOf(a), names('shared'));
      await scene.apply([namespace('shared'), assets('shared', {}, { tier: 'gold' })]);
      const second = roleSelector('second', { arn: roleOf(b), ...names('shared'), ...tier('silver') });
      await scene.lifted(['apply', '-f', '-'], {
        input: second,
        reason: 'SelectorConflict',
        advice: 'narrow one of them',
        by: () => scene.allowed(change('first', tier('gold'))),
      });
      await scene.follows('shared');
      await scene.denied(
        ['label', '--overwrite', 'bucket', 'assets', '-n', 'shared', 'tier=silver'],
        'RebindWithResources',
        'keep the labels, or create another resource',
      );
      await scene.denied(['label', 'bucket', 'assets', '-n', 'shared', 'tier-'], 'SelectorNotMatched');
      await scene.goes('shared');
    });

    test(
      'labels of a namespace that lead to another selector, or to none: once the resources are deleted',
      testLimit,
      async () => {
        await select('team-x', roleOf(a), byLabel({ team: 'x' }));
        await select('team-y', roleOf(b), byLabel({ team: 'y' }));
        await scene.apply([namespace('labelled', { labels: { team: 'x' } }), assets('labelled')]);
        const label = (value: string) => ['label', '--overwrite', 'namespace', 'labelled', value];
        const denial = {
          reason: 'RebindWithResources',
          advice: 'keep the labels as they are, or delete the resources first',
        };
        await scene.denied(label('team-'), denial.reason, denial.advice);
        await scene.allowed(label('color=blue'));
        await scene.lifted(label('team=y'), { ...denial, by: () => scene.goes('labelled') });
        await scene.apply([assets('labelled')]);
        assert.deepEqual(scene.places('labelled'), [`Bucket ${b} us-east-1`]);
        await scene.lifted(label('team=x'), {
          reason: 'RebindWithResources',
          advice: `To leave them behind, first set the annotation carm-webhook.dev/allow-rebind to "${a}"`,
          by: said => scene.paste(said),
          warned: ['ResourcesLeftBehind'],
        });
        await scene.allowed(label('team=y'));
        await scene.follows('labelled');
        await scene.goes('labelled');
      },
    );

    test(
      'a selector that matches what ACK has in its own account: once that is deleted, or another one',
      testLimit,
      async () => {
        await scene.apply([namespace('before')]);
        // From before the webhook.
        await served.apply([assets('before')], { as: pastTheWebhook });
        await scene.reconcile();
        assert.deepEqual(scene.places('before'), [`Bucket ${own} us-east-1`]);
        const denial = {
          reason: 'RebindWithResources',
          advice: 'narrow it so that it does not match them, or delete the resources first',
        };
        await scene.lifted(['apply', '-f', '-'], {
          ...denial,
          input: roleSelector('late', { arn: roleOf(a), ...names('before') }),
          by: () => scene.allowed(['delete', 'bucket', 'assets', '-n', 'before', '--wait=false']),
        });
        await scene.apply([assets('before')]);
        assert.deepEqual(scene.places('before'), [`Bucket ${a} us-east-1`]);
        await scene.goes('before');
      },
    );

    test('sequences of any of it', sequenceLimit, t => runSequences(t, 'bySelectors', bySelectors));
  });
});
