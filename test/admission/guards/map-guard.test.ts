import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { defaultFeatureGates } from '../../../src/accounts/feature-gates.ts';
import { type Config, defaultConfig } from '../../../src/admission/config.ts';
import { ruleFor } from '../../../src/admission/rules.ts';
import type { RoleMapKind } from '../../../src/objects/role-map.ts';
import { cpuTimeMs } from '../../cpu-time.ts';
import { configMap, mapReview, type Strings } from '../../decisions/resources.ts';
import { readRequest } from '../../decisions/review.ts';
import { viewOf } from '../fake-cluster.ts';

/** The guard of the maps against an oracle that is written out the long way. */

interface Setting {
  readonly kind: RoleMapKind;
  readonly byService: boolean;
  readonly requirePodsKey: boolean;
  readonly bySelectors: boolean;
  /** Whether the map is that of the ACK system namespace whose map pods use. */
  readonly isFirst: boolean;
  /** Ids that namespaces are bound to. */
  readonly bound: readonly string[];
}

const accountIds = ['111111111111', '000000000002', '333333333333'];
const teamIds = ['a', 'B-1', '_'];
const arn = (account: string, role: string) => `arn:aws:iam::${account}:role/${role}`;
const isArn = (value: string) => /^arn:aws:iam::\d{12}:role\/[a-z]+$/.test(value);
const accountOf = (value: string) => value.split(':')[4];

function isValidEntry(kind: RoleMapKind, key: string, value: string): boolean {
  const id = key.replace(/^[a-z0-9]+\./, '');
  if (!(kind === 'account' ? /^\d{12}$/ : /^[\w-]+$/).test(id)) return false;
  if (value === '') return true;
  return isArn(value) && (kind === 'team' || accountOf(value) === id);
}

/** The account that keys come to, tried in order; undefined where they come to none. */
function accountBy(kind: RoleMapKind, id: string, map: Strings, keys: readonly string[]): string | undefined {
  const value = keys.map(key => map[key] ?? '').find(text => text !== '');
  if (value === undefined || !isArn(value)) return undefined;
  const account = accountOf(value);
  return kind === 'account' && account !== id ? undefined : account;
}

/** All that looks an id up in the map. */
function lookupsOf(id: string, { byService, requirePodsKey, bySelectors, isFirst }: Setting): readonly string[][] {
  const pods = requirePodsKey ? [`pods.${id}`] : [`pods.${id}`, id];
  const services = ['s3', 'ec2', 'sqs'].map(alias => (byService ? [`${alias}.${id}`, id] : [id]));
  return [...(isFirst ? [pods] : []), ...(bySelectors ? [] : services)];
}

function expected(setting: Setting, before: Strings, after: Strings): 'invalid' | 'in use' | 'allowed' {
  const changed = Object.entries(after).filter(([key, value]) => before[key] !== value);
  if (changed.some(([key, value]) => !isValidEntry(setting.kind, key, value))) return 'invalid';
  const lost = setting.bound.some(id =>
    lookupsOf(id, setting).some(keys => {
      const was = accountBy(setting.kind, id, before, keys);
      if (was === undefined) return false;
      const filled = (map: Strings) => keys.find(key => (map[key] ?? '') !== '') ?? '';
      const used = filled(before);
      const isGone = (after[used] ?? '') === '' && after[filled(after)] !== before[used];
      return isGone || accountBy(setting.kind, id, after, keys) !== was;
    }),
  );
  return lost ? 'in use' : 'allowed';
}

const reasonsOf: Readonly<Record<string, 'invalid' | 'in use' | 'allowed'>> = {
  InvalidAccountId: 'invalid',
  InvalidTeamId: 'invalid',
  InvalidRoleArn: 'invalid',
  AccountMismatch: 'invalid',
  MappingInUse: 'in use',
  Checked: 'allowed',
};

function decided(setting: Setting, before: Strings, after: Strings | undefined) {
  const { kind, bound, isFirst } = setting;
  const annotation = `services.k8s.aws/${kind === 'account' ? 'owner-account-id' : 'team-id'}`;
  const first = (kind === 'account' ? accountIds : teamIds)[0] ?? '';
  const namespaces = bound.map((id, index): [string, string] => [`ns-${index}`, id]);
  // ACK and we ignore the bindings of this one.
  namespaces.push(['kube-system', first]);
  const view = viewOf({
    namespaces: Object.fromEntries(namespaces.map(([name, id]) => [name, { annotations: { [annotation]: id } }])),
  });
  const config: Config = {
    ...defaultConfig,
    // The rest of the services are this one's, whether or not it is the first.
    ackSystems: isFirst
      ? [{ namespace: 'ack-system', services: undefined }]
      : [
          { namespace: 'other', services: new Set(['iam']) },
          { namespace: 'ack-system', services: undefined },
        ],
    requirePodsKey: setting.requirePodsKey,
    featureGates: {
      ...defaultFeatureGates,
      ServiceLevelCARM: setting.byService,
      TeamLevelCARM: kind === 'team',
      IAMRoleSelector: setting.bySelectors,
    },
  };
  const name = `ack-role-${kind}-map`;
  const request = mapReview(configMap(name, before), after && configMap(name, after));
  const review = readRequest(request);
  return ruleFor('validate', review).decide(review, view, config);
}

function mapOf(kind: RoleMapKind): fc.Arbitrary<Strings> {
  const ids = kind === 'account' ? accountIds : teamIds;
  const key = fc
    .tuple(fc.constantFrom('', '', 'pods.', 's3.', 'ec2.'), fc.constantFrom(...ids))
    .map(parts => parts.join(''));
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constant('own') },
    { weight: 2, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.constantFrom(arn(accountIds[0] ?? '', 'x'), arn(accountIds[1] ?? '', 'x'), 'garbage') },
  );
  const bad = fc.record({ key: fc.constantFrom('12', 'a.b.c', '.', 's3.pods.x'), value: fc.constant('garbage') });
  const entry = fc.oneof({ weight: 12, arbitrary: fc.record({ key, value }) }, { weight: 1, arbitrary: bad });
  return fc.array(entry, { maxLength: 6 }).map(items =>
    Object.fromEntries(
      items.map(({ key: of, value: to }) => {
        const id = of.replace(/^[a-z0-9]+\./, '');
        return [of, to === 'own' ? arn(kind === 'account' ? id : (accountIds[2] ?? ''), 'own') : to];
      }),
    ),
  );
}

function change(kind: RoleMapKind): fc.Arbitrary<readonly [Setting, Strings, Strings]> {
  const setting = fc.record({
    kind: fc.constant(kind),
    byService: fc.boolean(),
    requirePodsKey: fc.boolean(),
    bySelectors: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    isFirst: fc.boolean(),
    bound: fc.uniqueArray(fc.constantFrom(...(kind === 'account' ? accountIds : teamIds)), { maxLength: 3 }),
  });
  // A change of a few entries of a map, as people make them; now and then another map altogether.
  const edited = fc
    .tuple(mapOf(kind), mapOf(kind), fc.array(fc.nat(5), { maxLength: 2 }))
    .map(([before, more, gone]) => {
      const kept = Object.entries(before).filter((_, index) => !gone.includes(index));
      return [before, Object.fromEntries([...kept, ...Object.entries(more).slice(0, 1)])] as const;
    });
  const maps = fc.oneof({ weight: 3, arbitrary: edited }, { weight: 1, arbitrary: fc.tuple(mapOf(kind), mapOf(kind)) });
  return fc.tuple(setting, maps).map(([of, [before, after]]) => [of, before, after] as const);
}

describe('for any two maps', () => {
  for (const kind of ['account', 'team'] as const) {
    test(`the ${kind} map may become the other exactly if it gains nothing invalid and loses nothing used`, () => {
      const seen = { invalid: 0, 'in use': 0, allowed: 0 };
      fc.assert(
        fc.property(change(kind), ([setting, before, after]) => {
          const verdict = expected(setting, before, after);
          seen[verdict] += 1;
          const decision = decided(setting, before, after);
          assert.equal(
            reasonsOf[decision.reason],
            verdict,
            decision.verdict === 'deny' ? decision.message() : decision.reason,
          );
          assert.equal(decision.verdict === 'deny', verdict !== 'allowed');
        }),
        { numRuns: 4000 },
      );
      assert.ok(Math.min(seen.invalid, seen['in use'], seen.allowed) >= 150, JSON.stringify(seen));
    });

    test(`the ${kind} map may be deleted exactly if nothing of it is used`, () => {
      fc.assert(
        fc.property(change(kind), ([setting, before]) => {
          assert.equal(reasonsOf[decided(setting, before, undefined).reason], expected(setting, before, {}));
        }),
        { numRuns: 1500 },
      );
    });

    test(`a broken ${kind} map can be mended, one entry at a time, in any order`, () => {
      let mended = 0;
      fc.assert(
        fc.property(change(kind), fc.boolean(), ([setting, before], reversed) => {
          let map = before;
          const broken = Object.entries(before).filter(([key, value]) => !isValidEntry(kind, key, value));
          for (const [key] of reversed ? broken.reverse() : broken) {
            const { [key]: _, ...rest } = map;
            const id = key.replace(/^[a-z0-9]+\./, '');
            const hasId = isValidEntry(kind, key, '');
            const next = hasId && kind === 'account' ? { ...map, [key]: arn(id, 'mended') } : rest;
            const { reason } = decided(setting, map, next);
            assert.equal(reason, 'Checked', `${key} of ${JSON.stringify(map)}`);
            map = next;
            mended += 1;
          }
        }),
        { numRuns: 1500 },
      );
      assert.ok(mended >= 200, `only ${mended} entries were broken`);
    });
  }
});

test('very many keys of services that one account has cost the other namespaces nothing', () => {
  const bound = Array.from({ length: 500 }, (_, index) => String(111111111111 + index));
  const setting: Setting = {
    kind: 'account',
    byService: true,
    requirePodsKey: false,
    bySelectors: false,
    isFirst: true,
    bound,
  };
  const before = Object.fromEntries(bound.map(id => [id, arn(id, 'ack')]));
  const more = Array.from({ length: 5_000 }, (_, index) => [`a${index}.111111111111`, '']);
  const startedAt = cpuTimeMs();
  assert.equal(decided(setting, before, { ...before, ...Object.fromEntries(more) }).reason, 'Checked');
  assert.ok(cpuTimeMs() - startedAt < 1_000);
});
