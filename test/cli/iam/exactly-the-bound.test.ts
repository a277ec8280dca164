import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExternalIdTemplate } from '../../../src/accounts/external-id.ts';
import { defaultConfig } from '../../../src/admission/config.ts';
import { planIam } from '../../../src/aws/iam/iam-plan.ts';
import type { IamStep } from '../../../src/aws/iam/iam-step.ts';
import { parseIssuer } from '../../../src/aws/iam/oidc-issuer.ts';
import { collectGrants } from '../../../src/cli/iam/collect-grants.ts';
import { Snapshot } from '../../../src/cluster/state/snapshot.ts';
import { grammarErrors } from '../../aws/iam/policy-grammar.ts';
import { allows } from '../../aws/iam/policy-judge.ts';
import { propertyRuns } from '../../property-runs.ts';

const hubAccount = '999999999999';
const accounts = ['111111111111', '222222222222', '222222222223'] as const;
/** Each is a neighbour of another: a prefix, or one that a careless wildcard would take in. */
const namespaceNames = ['team-a', 'team-a-evil', 'team', 'xteam-a'] as const;
const serviceAccountNames = ['default', 'web', 'web-evil', 'web.two'] as const;
const [ours, others] = [
  'https://oidc.eks.eu-central-1.amazonaws.com/id/AAAA',
  'https://oidc.eks.eu-central-1.amazonaws.com/id/AAAB',
];

const serviceAccount = fc.record({
  there: fc.boolean(),
  requested: fc.constantFrom(undefined, 'reader', 'team/writer'),
  mode: fc.constantFrom(undefined, 'chain', 'web-identity'),
});

const namespace = fc.record({
  there: fc.boolean(),
  account: fc.constantFrom(...accounts),
  mode: fc.constantFrom(undefined, 'chain', 'web-identity'),
  hub: fc.constantFrom('own', 'shared'),
  serviceAccounts: fc.tuple(serviceAccount, serviceAccount, serviceAccount, serviceAccount),
});

const world = fc.record({
  mapped: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  namespaces: fc.tuple(namespace, namespace, namespace, namespace),
  externalId: fc.constantFrom(undefined, 'fixed-id', '{account}', '{account}/{namespace}'),
  any: fc.boolean(),
});

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

interface Way {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly role: string;
  readonly hub: string | undefined;
  readonly externalId: string | undefined;
}

const arn = (account: string, name: string) => `arn:aws:iam::${account}:role/${name}`;

/** What the bindings say, worked out here by the words of the documentation. */
function waysOf({ mapped, namespaces, externalId }: World): readonly Way[] {
  return namespaceNames.flatMap((name, n) => {
    const of = namespaces[n];
    if (of === undefined || !of.there || !mapped[accounts.indexOf(of.account)]) return [];
    return serviceAccountNames.flatMap((sa, s) => {
      const says = of.serviceAccounts[s];
      if (says === undefined || (!says.there && sa !== 'default')) return [];
      const said = says.there ? says : { requested: undefined, mode: undefined };
      const role = arn(of.account, said.requested ?? 'workloads');
      const isChain = (said.mode ?? of.mode ?? 'web-identity') === 'chain';
      const id = externalId?.replace('{account}', of.account).replace('{namespace}', name);
      const hub = arn(hubAccount, of.hub === 'own' ? `hub-${name}` : 'hub');
      return [
        {
          namespace: name,
          serviceAccount: sa,
          role,
          hub: isChain ? hub : undefined,
          externalId: isChain ? id : undefined,
        },
      ];
    });
  });
}

function stateOf({ mapped, namespaces }: World): Snapshot {
  const snapshot = new Snapshot({ roleSelectors: false });
  const add = (kind: string, object: Record<string, unknown>) =>
    snapshot.add({ object, apiVersion: 'v1', kind, place: 'here', document: 0, path: [] });
  const entries = accounts.flatMap((account, n) => (mapped[n] ? [[`pods.${account}`, arn(account, 'workloads')]] : []));
  add('ConfigMap', {
    metadata: { name: 'ack-role-account-map', namespace: 'ack-system' },
    data: Object.fromEntries(entries),
  });
  for (const [n, name] of namespaceNames.entries()) {
    const of = namespaces[n];
    if (of === undefined || !of.there) continue;
    const annotations = {
      'services.k8s.aws/owner-account-id': of.account,
      'carm-webhook.dev/hub-role-arn': arn(hubAccount, of.hub === 'own' ? `hub-${name}` : 'hub'),
      ...(of.mode && { 'carm-webhook.dev/credentials': of.mode }),
    };
    add('Namespace', { metadata: { name, annotations } });
    for (const [s, sa] of serviceAccountNames.entries()) {
      const says = of.serviceAccounts[s];
      if (says === undefined || !says.there) continue;
      const ofServiceAccount = {
        ...(says.requested && { 'carm-webhook.dev/role': says.requested }),
        ...(says.mode && { 'carm-webhook.dev/credentials': says.mode }),
      };
      add('ServiceAccount', { metadata: { name: sa, namespace: name, annotations: ofServiceAccount } });
    }
  }
  return snapshot;
}

/** An AWS that has taken the steps. */
class TakenSteps {
  readonly #trust = new Map<string, Extract<IamStep, { kind: 'role' }>>();
  readonly #policies = new Map<string, Extract<IamStep, { kind: 'role-policy' }>>();

  /** One after the other: each role that a trust policy names must be there. */
  constructor(steps: readonly IamStep[]) {
    for (const step of steps) {
      if (step.kind === 'role') {
        assert.deepEqual(grammarErrors(step.trust, 'trust'), []);
        for (const { Principal } of step.trust.Statement)
          for (const principal of [Principal?.AWS ?? []].flat())
            assert.ok(this.#trust.has(principal), 'in an order that AWS takes');
        this.#trust.set(step.role.text, step);
      } else if (step.kind === 'role-policy') {
        assert.deepEqual(grammarErrors(step.policy, 'permission'), []);
        assert.ok(this.#trust.has(step.role.text));
        this.#policies.set(step.role.text, step);
      }
    }
  }

  get roles(): readonly string[] {
    return [...this.#trust.keys()];
  }

  byToken(role: string, issuer: string, sub: string, aud: string): boolean {
    const step = this.#trust.get(role);
    const name = issuer.slice('https://'.length);
    const id = `arn:aws:iam::${step?.role.accountId}:oidc-provider/${name}`;
    return allows(step?.trust, {
      action: 'sts:AssumeRoleWithWebIdentity',
      principal: { type: 'Federated', id },
      context: { [`${name}:sub`]: sub, [`${name}:aud`]: aud },
    });
  }

  byRole(role: string, caller: string, externalId: string | undefined): boolean {
    const context = externalId === undefined ? {} : { 'sts:ExternalId': externalId };
    const action = 'sts:AssumeRole';
    const trusts = allows(this.#trust.get(role)?.trust, { action, principal: { type: 'AWS', id: caller }, context });
    return trusts && allows(this.#policies.get(caller)?.policy, { action, resource: role });
  }
}

test('whatever the map and the bindings: exactly the bound ServiceAccounts get their roles', () => {
  fc.assert(
    fc.property(world, made => {
      const externalId = made.externalId === undefined ? undefined : ExternalIdTemplate.parse(made.externalId);
      const config = { ...defaultConfig, sourceAccounts: new Set([hubAccount]), externalId };
      const issuer = parseIssuer(ours);
      assert.ok(issuer);
      const options = { anyServiceAccount: made.any, issuers: 1, needsHub: true };
      const { grants } = collectGrants(stateOf(made), { kind: 'all' }, config, options);
      const aws = new TakenSteps(planIam(grants, { issuers: [issuer], podIdentity: undefined, ack: undefined }));
      const ways = waysOf(made);
      const firstOf = ({ role, hub }: Way) => hub ?? role;
      // With wildcards, whoever says nothing of its own is trusted by what the namespace has.
      const bareOf = (name: string) =>
        made.any
          ? waysOf({ ...made, namespaces: withBareDefault(made) }).filter(
              way => way.namespace === name && way.serviceAccount === 'default',
            )
          : [];
      for (const namespace of namespaceNames) {
        const bare = bareOf(namespace).map(firstOf);
        for (const serviceAccount of [...serviceAccountNames, 'stranger']) {
          const own = ways
            .filter(way => way.namespace === namespace && way.serviceAccount === serviceAccount)
            .map(firstOf);
          const expected = new Set([...own, ...bare]);
          const sub = `system:serviceaccount:${namespace}:${serviceAccount}`;
          for (const role of aws.roles) {
            assert.equal(aws.byToken(role, ours, sub, 'sts.amazonaws.com'), expected.has(role), `${sub} ${role}`);
            assert.equal(aws.byToken(role, others, sub, 'sts.amazonaws.com'), false);
            assert.equal(aws.byToken(role, ours, sub, 'another'), false);
          }
        }
      }
      const chained = [...ways, ...namespaceNames.flatMap(bareOf)].filter(({ hub }) => hub !== undefined);
      const ids = new Set([undefined, 'another-id', ...chained.map(way => way.externalId)]);
      for (const hub of [...aws.roles, arn('888888888888', 'hub')]) {
        for (const role of aws.roles) {
          for (const id of ids) {
            const expected = chained.some(way => way.hub === hub && way.role === role && (way.externalId ?? id) === id);
            assert.equal(aws.byRole(role, hub, id), expected, `${hub} ${role} ${id}`);
          }
        }
      }
    }),
    { numRuns: propertyRuns(150) },
  );
});

/** The world in which the ServiceAccount `default` says nothing. */
function withBareDefault({ namespaces }: World): World['namespaces'] {
  const [a, b, c, d] = namespaces.map(of => {
    const [first, ...rest] = of.serviceAccounts;
    return { ...of, serviceAccounts: [{ ...first, there: false }, ...rest] } as typeof of;
  });
  assert.ok(a && b && c && d);
  return [a, b, c, d];
}
