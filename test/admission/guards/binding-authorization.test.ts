import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { defaultFeatureGates } from '../../../src/accounts/feature-gates.ts';
import { type AuthorizationConfig, neededGrants } from '../../../src/admission/guards/binding-authorization.ts';
import type { Mode } from '../../../src/admission/mode.ts';
import type { Namespace } from '../../../src/objects/namespace.ts';
import { propertyRuns } from '../../property-runs.ts';

/** What a change of a namespace needs, and that no detour needs less. */

const a = '111111111111';
const b = '222222222222';

interface State {
  readonly owner?: string | undefined;
  readonly team?: string | undefined;
  readonly allow?: string | undefined;
  readonly inject?: string | undefined;
  readonly mode?: string | undefined;
}

function strings(entries: Readonly<Record<string, string | undefined>>): Map<string, string> {
  return new Map(Object.entries(entries).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

function namespace({ owner, team, allow, inject, mode }: State, name = 'shop'): Namespace {
  return {
    name,
    annotations: strings({
      'services.k8s.aws/owner-account-id': owner,
      'services.k8s.aws/team-id': team,
      'carm-webhook.dev/allow-rebind': allow,
    }),
    labels: strings({ 'carm-webhook.dev/inject': inject, 'carm-webhook.dev/mode': mode }),
  };
}

function config(more: { readonly teams?: boolean; readonly defaultMode?: Mode } = {}): AuthorizationConfig {
  return {
    featureGates: { ...defaultFeatureGates, TeamLevelCARM: more.teams ?? false },
    defaultMode: more.defaultMode ?? 'enforce',
    ownNamespace: 'carm-webhook',
  };
}

/** `accounts/ID`, or `accounts/*` for every one. */
function needed(before: State | undefined, after: State, by = config(), name = 'shop'): readonly string[] {
  const old = before && namespace(before, name);
  return neededGrants(old, namespace(after, name), by).map(({ resource, id, to }) => `${to}: ${resource}/${id ?? '*'}`);
}

const bound = { owner: a, inject: 'enabled' };
const byTeam = { team: 'x', inject: 'enabled' };
const teams = config({ teams: true });

describe('what a change of a namespace needs', () => {
  const rows: readonly [string, State | undefined, State, readonly string[], AuthorizationConfig?][] = [
    ['created without anything', undefined, {}, []],
    ['created with labels only', undefined, { inject: 'enabled', mode: 'audit' }, []],
    ['created with a binding', undefined, bound, [`bind: accounts/${a}`]],
    [
      'created with a binding, opted out and audited',
      undefined,
      { owner: a, inject: 'disabled', mode: 'audit' },
      [`bind: accounts/${a}`],
    ],
    ['created with an empty binding', undefined, { owner: '' }, []],
    ['created with what is no account id', undefined, { owner: '12345' }, ['bind: accounts/*']],
    ['created with a team id that binds', undefined, byTeam, ['bind: teams/x'], teams],
    ['created with a team id that does not bind yet', undefined, byTeam, ['bind: teams/x']],
    ['created with a dotted team id', undefined, { team: 's3.x' }, ['bind: teams/*'], teams],
    ['created with both', undefined, { ...byTeam, owner: a }, ['bind: teams/x', `bind: accounts/${a}`], teams],
    ['bound', {}, bound, [`bind: accounts/${a}`]],
    ['bound and opted out at once', { inject: 'enabled' }, { owner: a, inject: 'disabled' }, [`bind: accounts/${a}`]],
    ['left as it is', bound, bound, []],
    ['moved', bound, { ...bound, owner: b }, [`bind: accounts/${b}`, `release: accounts/${a}`]],
    ['the override given', bound, { ...bound, allow: b }, [`leave resources behind: accounts/${b}`]],
    ['an override that names no account', bound, { ...bound, allow: 'all' }, ['leave resources behind: accounts/*']],
    ['the override taken back', { ...bound, allow: b }, bound, []],
    [
      'moved by an override that was there',
      { ...bound, allow: `${b},333333333333` },
      { owner: b, inject: 'enabled', allow: `${b},333333333333` },
      [`bind: accounts/${b}`, `release: accounts/${a}`, 'leave resources behind: accounts/333333333333'],
    ],
    ['created with an override', undefined, { allow: b }, [`leave resources behind: accounts/${b}`]],
    ['unbound', bound, { inject: 'enabled' }, [`release: accounts/${a}`]],
    ['unbound by an empty annotation', bound, { ...bound, owner: '' }, [`release: accounts/${a}`]],
    ['unbound and let out', bound, {}, [`release: accounts/${a}`]],
    ['put right after a typing error', { owner: '12345' }, bound, [`bind: accounts/${a}`, 'release: accounts/*']],
    ['from one error to another', { owner: '12345' }, { owner: '1234' }, ['bind: accounts/*']],
    ['an error taken away', { owner: '12345' }, {}, ['release: accounts/*']],
    ['an account that a team id hides', byTeam, { ...byTeam, owner: a }, [`bind: accounts/${a}`], teams],
    ['a hidden account that shows', { ...byTeam, owner: a }, bound, [`bind: accounts/${a}`, 'release: teams/x'], teams],
    ['a hidden account taken away', { ...byTeam, owner: a }, byTeam, [], teams],
    ['a team id that binds nothing taken away', byTeam, { inject: 'enabled' }, []],
    ['opted out', bound, { ...bound, inject: 'disabled' }, [`opt out: accounts/${a}`]],
    ['opted out, which had no label yet', { owner: a }, { owner: a, inject: 'disabled' }, [`opt out: accounts/${a}`]],
    ['the label off, and not put back', bound, { owner: a }, [`opt out: accounts/${a}`]],
    ['opted out, of a team', byTeam, { ...byTeam, inject: 'disabled' }, ['opt out: teams/x'], teams],
    ['opted in', { owner: a, inject: 'disabled' }, bound, []],
    ['the label of an opted out one off', { owner: a, inject: 'disabled' }, { owner: a }, []],
    ['opted out without a binding or label', {}, { inject: 'disabled' }, []],
    ['the label off what must be bound', { inject: 'enabled' }, {}, ['opt out: accounts/*']],
    ['what must be bound opted out', { inject: 'enabled' }, { inject: 'disabled' }, ['opt out: accounts/*']],
    ['audited', bound, { ...bound, mode: 'audit' }, [`weaken the mode: accounts/${a}`]],
    ['from warn to audit', { ...bound, mode: 'warn' }, { ...bound, mode: 'audit' }, [`weaken the mode: accounts/${a}`]],
    ['from audit to warn', { ...bound, mode: 'audit' }, { ...bound, mode: 'warn' }, []],
    ['the mode off', { ...bound, mode: 'warn' }, bound, []],
    [
      'the mode off, by default warn',
      { ...bound, mode: 'enforce' },
      bound,
      [`weaken the mode: accounts/${a}`],
      config({ defaultMode: 'warn' }),
    ],
    ['a mode that is none', { ...bound, mode: 'Warn' }, { ...bound, mode: 'enforce' }, []],
    [
      'audited where it is opted out',
      { owner: a, inject: 'disabled' },
      { owner: a, inject: 'disabled', mode: 'audit' },
      [`weaken the mode: accounts/${a}`],
    ],
    [
      'what must be bound audited',
      { inject: 'enabled' },
      { inject: 'enabled', mode: 'audit' },
      ['weaken the mode: accounts/*'],
    ],
    ['audited without binding or label', {}, { mode: 'audit' }, []],
    [
      'moved, opted out and audited',
      bound,
      { owner: b, inject: 'disabled', mode: 'audit' },
      [`bind: accounts/${b}`, `release: accounts/${a}`],
    ],
  ];
  for (const [what, before, after, expected, by] of rows) {
    test(what, () => assert.deepEqual(needed(before, after, by), expected));
  }

  test('nothing where ACK ignores bindings; in the namespace of the webhook it does not', () => {
    for (const name of ['kube-system', 'kube-public', 'kube-node-lease']) {
      assert.deepEqual(needed(bound, { owner: b, mode: 'audit' }, config(), name), []);
    }
    assert.deepEqual(needed({}, { owner: a }, config(), 'carm-webhook'), [`bind: accounts/${a}`]);
  });
});

const anyState: fc.Arbitrary<State> = fc.record({
  owner: fc.constantFrom(undefined, '', a, b, '12345', `s3.${a}`),
  team: fc.constantFrom(undefined, '', 'x', 'y', 's3.x'),
  allow: fc.constantFrom(undefined, '', a, `${a},${b}`),
  inject: fc.constantFrom(undefined, 'enabled', 'disabled', 'odd'),
  mode: fc.constantFrom(undefined, 'enforce', 'warn', 'audit', 'odd'),
});
const anyConfig = fc
  .record({ teams: fc.boolean(), defaultMode: fc.constantFrom<Mode>('enforce', 'warn', 'audit') })
  .map(config);

/** Which grants, whatever they are for. Who has every account has each. */
function grantsOf(before: State | undefined, after: State, by: AuthorizationConfig): ReadonlySet<string> {
  return new Set(needed(before, after, by).map(grant => grant.split(': ')[1] ?? ''));
}

const has = (grants: ReadonlySet<string>, grant: string): boolean =>
  grants.has(grant) || grants.has(`${grant.split('/')[0]}/*`);

describe('no detour', { timeout: 60_000 }, () => {
  test('needs less than the way itself, from a namespace that is bound', () => {
    let ways = 0;
    fc.assert(
      fc.property(anyState, anyState, anyState, anyConfig, (from, by, to, how) => {
        const isBound = Boolean(from.owner || (how.featureGates.TeamLevelCARM && from.team));
        fc.pre(isBound);
        ways += 1;
        const paid = new Set([...grantsOf(from, by, how), ...grantsOf(by, to, how)]);
        for (const grant of grantsOf(from, to, how)) {
          assert.ok(has(paid, grant), `${grant} is not among ${[...paid].join(', ')}`);
        }
      }),
      { numRuns: propertyRuns(3_000) },
    );
    assert.ok(ways > 1_000);
  });

  test('by a namespace that is created bound needs less than to bind it', () => {
    fc.assert(
      fc.property(anyState, anyConfig, (to, how) => {
        for (const grant of grantsOf({}, to, how)) assert.ok(has(grantsOf(undefined, to, how), grant));
      }),
      { numRuns: propertyRuns(1_000) },
    );
  });

  test('from what must be bound lets it out without the right to bind some account', () => {
    fc.assert(
      fc.property(anyState, fc.constantFrom(undefined, 'disabled'), anyConfig, (by, inject, how) => {
        const from = { inject: 'enabled' };
        const paid = new Set([...grantsOf(from, by, how), ...grantsOf(by, { inject }, how)]);
        assert.notEqual(paid.size, 0);
      }),
      { numRuns: propertyRuns(1_000) },
    );
  });
});
