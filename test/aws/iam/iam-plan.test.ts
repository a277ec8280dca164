import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ExternalId } from '../../../src/accounts/external-id.ts';
import {
  findUnwritable,
  type Grant,
  type PlanOptions,
  planIam,
  sharedHubWarnings,
} from '../../../src/aws/iam/iam-plan.ts';
import type { IamStep } from '../../../src/aws/iam/iam-step.ts';
import { parseIssuer } from '../../../src/aws/iam/oidc-issuer.ts';
import { UnsafeNameError } from '../../../src/aws/iam/plain-value.ts';
import { quotaWarnings } from '../../../src/aws/iam/quotas.ts';
import { grammarErrors } from './policy-grammar.ts';
import { roleOf } from './role-of.ts';

const [hubAccount, account] = ['111111111111', '222222222222'];
const issuers = ['https://oidc.eks.eu-central-1.amazonaws.com/id/ONE', 'https://keys.example.com'].map(url => {
  const issuer = parseIssuer(url);
  assert.ok(issuer);
  return issuer;
});
const [one] = issuers;
assert.ok(one);
const options: PlanOptions = { issuers: [one], podIdentity: undefined, ack: undefined };

function web(serviceAccount: string | undefined, role: string, more: Partial<Grant> = {}): Grant {
  const access = { mode: 'web-identity', role: roleOf(role) } as const;
  return { namespace: 'team-a', serviceAccount, audience: 'sts.amazonaws.com', access, ...more };
}

function chain(
  serviceAccount: string,
  hub: string,
  role: string,
  externalId?: string,
  more: Partial<Grant> = {},
): Grant {
  const access = {
    mode: 'chain',
    hub: roleOf(hub),
    role: roleOf(role),
    externalId: externalId as ExternalId | undefined,
  } as const;
  return { namespace: 'team-a', serviceAccount, audience: 'sts.amazonaws.com', access, ...more };
}

const inShort = (step: IamStep): string => {
  if (step.kind === 'oidc-provider') return `provider ${step.accountId} ${step.url} ${step.clientIds}`;
  if (step.kind === 'resource-policy') return `resource ${step.resource.text}`;
  return `${step.kind} ${step.role.accountId}/${step.role.name}`;
};

function trustOf(steps: readonly IamStep[], role: string): readonly unknown[] {
  const found = steps.find(step => step.kind === 'role' && step.role.text === roleOf(role).text);
  assert.ok(found?.kind === 'role', `a step for ${role}`);
  assert.deepEqual(grammarErrors(found.trust, 'trust'), []);
  return found.trust.Statement;
}

const federated = (of: string) => `arn:aws:iam::${of}:oidc-provider/${one.name}`;

describe('what AWS needs for who gets to which role', () => {
  test('web identity: exact subjects by audience, in the account of the role', () => {
    const grants = [
      web('web', `${account}/app`),
      web('cron', `${account}/app`),
      web('other', `${account}/app`, { audience: 'mine' }),
    ];
    const steps = planIam(grants, options);
    assert.deepEqual(steps.map(inShort), [
      `provider ${account} ${one.url} mine,sts.amazonaws.com`,
      `role ${account}/app`,
    ]);
    const statement = (audience: string, subjects: string | readonly string[]) => ({
      Effect: 'Allow',
      Principal: { Federated: federated(account) },
      Action: 'sts:AssumeRoleWithWebIdentity',
      Condition: { StringEquals: { [`${one.name}:aud`]: audience, [`${one.name}:sub`]: subjects } },
    });
    assert.deepEqual(trustOf(steps, `${account}/app`), [
      statement('mine', 'system:serviceaccount:team-a:other'),
      statement('sts.amazonaws.com', ['system:serviceaccount:team-a:cron', 'system:serviceaccount:team-a:web']),
    ]);
  });

  test('every cluster of several has a provider, and a statement in each trust policy', () => {
    const steps = planIam([web('web', `${account}/app`)], { ...options, issuers });
    assert.equal(steps.filter(({ kind }) => kind === 'oidc-provider').length, 2);
    assert.equal(trustOf(steps, `${account}/app`).length, 2);
  });

  test('a wildcard stands for the name alone, and makes exact names of its namespace needless', () => {
    const grants = [
      web(undefined, `${account}/app`),
      web('web', `${account}/app`),
      web('web', `${account}/app`, { namespace: 'team-b' }),
    ];
    const conditions = trustOf(planIam(grants, options), `${account}/app`).map(
      statement => (statement as { Condition: unknown }).Condition,
    );
    const aud = { [`${one.name}:aud`]: 'sts.amazonaws.com' };
    assert.deepEqual(conditions, [
      { StringEquals: { ...aud, [`${one.name}:sub`]: 'system:serviceaccount:team-b:web' } },
      { StringEquals: aud, StringLike: { [`${one.name}:sub`]: 'system:serviceaccount:team-a:*' } },
    ]);
  });

  test('chain: first the hub, then the role that trusts it, then what the hub may assume', () => {
    const grants = [
      chain('web', `${hubAccount}/hub`, `${account}/b`, 'id-1'),
      chain('cron', `${hubAccount}/hub`, `${account}/a`),
    ];
    const steps = planIam(grants, options);
    assert.deepEqual(steps.map(inShort), [
      `provider ${hubAccount} ${one.url} sts.amazonaws.com`,
      `role ${hubAccount}/hub`,
      `role ${account}/a`,
      `role ${account}/b`,
      `role-policy ${hubAccount}/hub`,
    ]);
    const trust = { Effect: 'Allow', Principal: { AWS: roleOf(`${hubAccount}/hub`).text }, Action: 'sts:AssumeRole' };
    assert.deepEqual(trustOf(steps, `${account}/a`), [trust]);
    const withId = { ...trust, Condition: { StringEquals: { 'sts:ExternalId': 'id-1' } } };
    assert.deepEqual(trustOf(steps, `${account}/b`), [withId]);
    const [policy] = steps.flatMap(step => (step.kind === 'role-policy' ? [step.policy] : []));
    assert.deepEqual(policy?.Statement, [
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Resource: [`${account}/a`, `${account}/b`].map(role => roleOf(role).text),
      },
    ]);
    assert.deepEqual(grammarErrors(policy, 'permission'), []);
  });

  test('a role is created after every role that it trusts, however long the way', () => {
    // c trusts b, b trusts a: a comes first, whatever their names.
    const grants = [chain('x', `${hubAccount}/b`, `${hubAccount}/c`), chain('y', `${hubAccount}/z`, `${hubAccount}/b`)];
    const roles = planIam(grants, options).flatMap(step => (step.kind === 'role' ? [step.role.name] : []));
    assert.deepEqual(roles, ['z', 'b', 'c']);
  });

  test('roles that trust one another in a circle are an error that names them', () => {
    const grants = [chain('x', `${hubAccount}/a`, `${hubAccount}/b`), chain('y', `${hubAccount}/b`, `${hubAccount}/a`)];
    assert.throws(() => planIam(grants, options), {
      name: 'IamPlanError',
      message: `these roles trust one another in a circle, so none can be created first: "arn:aws:iam::${hubAccount}:role/a", "arn:aws:iam::${hubAccount}:role/b"`,
    });
  });

  test('EKS Pod Identity: its service by namespace and name, and sts:TagSession on both sides', () => {
    const clusterArn = `arn:aws:eks:eu-central-1:${hubAccount}:cluster/one`;
    const grants = [
      chain('web', `${hubAccount}/hub`, `${account}/app`, 'id-1'),
      chain('web', `${hubAccount}/hub`, `${account}/app`, 'id-1', { namespace: 'team-b' }),
    ];
    const steps = planIam(grants, { issuers: [], podIdentity: { clusterArns: [clusterArn] }, ack: undefined });
    const both = ['sts:AssumeRole', 'sts:TagSession'];
    const trust = (namespace: string) => ({
      Effect: 'Allow',
      Principal: { Service: 'pods.eks.amazonaws.com' },
      Action: both,
      Condition: {
        StringEquals: {
          'aws:RequestTag/kubernetes-namespace': namespace,
          'aws:RequestTag/kubernetes-service-account': 'web',
          'aws:RequestTag/eks-cluster-arn': clusterArn,
        },
      },
    });
    assert.deepEqual(trustOf(steps, `${hubAccount}/hub`), [trust('team-a'), trust('team-b')]);
    const [target] = trustOf(steps, `${account}/app`) as { Action: unknown; Condition: unknown }[];
    assert.deepEqual(target?.Action, both);
    assert.deepEqual(target?.Condition, { StringEquals: { 'sts:ExternalId': 'id-1' } });
    const policies = steps.flatMap(step => (step.kind === 'role-policy' ? step.policy.Statement : []));
    assert.deepEqual(policies, [{ Effect: 'Allow', Action: both, Resource: roleOf(`${account}/app`).text }]);
  });

  test("ACK's controllers may assume the mapped roles, which trust them and pods", () => {
    const mapped = [roleOf(`${account}/ack`), roleOf(`${account}/app`)];
    const steps = planIam([web('web', `${account}/app`)], {
      ...options,
      ack: { role: roleOf(`${hubAccount}/ack`), mapped },
    });
    assert.deepEqual(steps.map(inShort), [
      `provider ${account} ${one.url} sts.amazonaws.com`,
      `role ${account}/ack`,
      `role ${account}/app`,
      `role-policy ${hubAccount}/ack`,
    ]);
    assert.equal(trustOf(steps, `${account}/ack`).length, 1);
    assert.equal(trustOf(steps, `${account}/app`).length, 2);
  });

  test("ACK's own role is never a role that pods take", () => {
    const ack = { role: roleOf(`${hubAccount}/ack`), mapped: [roleOf(`${account}/app`)] };
    for (const role of ['ack', 'ACK', 'made/up/ack'])
      for (const grant of [
        web('web', `${hubAccount}/${role}`),
        chain('web', `${hubAccount}/${role}`, `${account}/app`),
      ])
        assert.throws(() => planIam([grant], { ...options, ack }), /the role of ACK's controllers/);
  });

  test('two spellings of one role are an error: the policy of one would replace that of the other', () => {
    for (const other of ['App', 'made/up/app'])
      assert.throws(() => planIam([web('a', `${account}/app`), web('b', `${account}/${other}`)], options), {
        name: 'IamPlanError',
        message: `IAM tells roles apart by neither path nor case, so these are one: "arn:aws:iam::${account}:role/app", "arn:aws:iam::${account}:role/${other}". Write it alike in the maps, on ServiceAccounts and namespaces, and in flags`,
      });
  });

  test('without a hub role there is no first step to write', () => {
    const access = { mode: 'chain', hub: undefined, role: roleOf(`${account}/app`), externalId: undefined } as const;
    assert.throws(() => planIam([{ ...web('web', `${account}/app`), access }], options), /set --hub-role-arn/);
  });

  test('a hub that leads to several roles is warned of', () => {
    const apart = [chain('a', `${hubAccount}/h1`, `${account}/a`), chain('b', `${hubAccount}/h2`, `${account}/b`)];
    assert.deepEqual(sharedHubWarnings(apart), []);
    const shared = [chain('a', `${hubAccount}/h1`, `${account}/a`), chain('b', `${hubAccount}/h1`, `${account}/b`)];
    assert.match(sharedHubWarnings(shared).join(), /role\/h1 leads to 2 roles: whoever may take it/);
  });
});

describe('grants that cannot be written', () => {
  const whyOf = (grants: readonly Grant[], more: Partial<PlanOptions> = {}) =>
    findUnwritable(grants, { ...options, ...more }).map(({ grant, why }) => [grants.indexOf(grant), why.slice(0, 30)]);

  test('a name, an audience or an external id: that one alone', () => {
    const grants = [
      web('web', `${account}/app`),
      web('a"b', `${account}/app`),
      web('job', `${account}/app`, { audience: '*' }),
      chain('cron', `${hubAccount}/hub`, `${account}/app`, 'i d'),
      chain('late', `${hubAccount}/hub`, `${account}/app`, 'id'),
    ];
    assert.deepEqual(
      whyOf(grants).map(([index]) => index),
      [1, 2, 3],
    );
  });

  test('the one that closes a circle, however long, and not those before it', () => {
    const grants = [
      chain('x', `${hubAccount}/a`, `${hubAccount}/b`),
      chain('y', `${hubAccount}/b`, `${hubAccount}/c`),
      chain('again', `${hubAccount}/a`, `${hubAccount}/b`),
      chain('z', `${hubAccount}/c`, `${hubAccount}/a`),
      chain('self', `${hubAccount}/d`, `${hubAccount}/d`),
    ];
    const circle = 'these roles trust one another ';
    assert.deepEqual(whyOf(grants), [
      [3, circle],
      [4, circle],
    ]);
    assert.ok(planIam(grants.slice(0, 3), options).length > 0);
  });

  test('what is left out leaves nothing behind: its spelling of another role counts for nobody', () => {
    const grants = [
      chain('x', `${hubAccount}/HUB`, `${account}/app`, 'i d'),
      chain('y', `${hubAccount}/hub`, `${account}/app`),
      chain('z', `${hubAccount}/hub`, `${account}/App`),
    ];
    assert.deepEqual(whyOf(grants), [
      [0, 'external id "i d" cannot be wr'],
      [2, 'IAM tells roles apart by neith'],
    ]);
  });

  test("who would take the role of ACK's controllers, at the first step or the last", () => {
    const ack = { role: roleOf(`${hubAccount}/ack`), mapped: [roleOf(`${account}/app`)] };
    const grants = [
      web('web', `${account}/app`),
      web('a', `${hubAccount}/ack`),
      chain('b', `${hubAccount}/ack`, `${account}/app`),
      chain('c', `${hubAccount}/hub`, `${hubAccount}/ack`),
    ];
    assert.deepEqual(
      whyOf(grants, { ack }).map(([index]) => index),
      [1, 2, 3],
    );
  });

  test('an error of any other kind is not passed over', () => {
    const broken = { ...web('web', `${account}/app`), access: undefined } as unknown as Grant;
    assert.throws(() => findUnwritable([broken], options), TypeError);
  });
});

describe('names that must not come into a policy', () => {
  const hostile = [
    '*',
    'team-*',
    'team-?',
    'a:b',
    'A',
    'a"b',
    "a'b",
    'a\\b',
    'a\nb',
    'a$' + '{aws:username}',
    '%{if}',
    'a b',
    '',
    'a'.repeat(254),
    'é',
  ];
  for (const name of hostile) {
    test(JSON.stringify(name.slice(0, 20)), () => {
      const named = (error: unknown) =>
        error instanceof UnsafeNameError && error.message.includes('cannot be written into a policy');
      assert.throws(() => planIam([web(name, `${account}/app`)], options), named);
      assert.throws(() => planIam([web('web', `${account}/app`, { namespace: name })], options), named);
    });
  }
  for (const audience of ['*', 'a"b', "a'b", 'a$' + '{b}', 'a b', 'a?', 'a\\', 'a\n', '%{x}', '']) {
    test(`audience ${JSON.stringify(audience)}`, () => {
      assert.throws(() => planIam([web('web', `${account}/app`, { audience })], options), UnsafeNameError);
    });
  }
  for (const id of ['id*', "i'd", 'i d', 'i$' + '{d}']) {
    test(`external id ${JSON.stringify(id)}`, () => {
      assert.throws(() => planIam([chain('web', `${hubAccount}/hub`, `${account}/app`, id)], options), UnsafeNameError);
    });
  }
});

describe("AWS's size limits", () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => web(`sa-${n}`, `${account}/app`));
  const warningsOf = (grants: readonly Grant[], more: Partial<PlanOptions> = {}) =>
    quotaWarnings(planIam(grants, { ...options, ...more }));

  test('a trust policy above the default quota, and above what AWS may raise it to', () => {
    assert.deepEqual(warningsOf(many(20)), []);
    assert.match(
      warningsOf(many(50)).join(),
      /^the trust policy of arn:aws:iam::222222222222:role\/app has \d+ characters: more than 2048 need a higher quota/,
    );
    assert.match(
      warningsOf(many(150)).join(),
      /^the trust policy of .* characters: AWS may not raise the quota above 4096\. .*--any-serviceaccount/,
    );
  });

  test('the length is that without white space, to the character', () => {
    // The statement around subjects of one length grows by that length and three.
    const steps = planIam(many(3), options);
    const [trust] = steps.flatMap(step => (step.kind === 'role' ? [step.trust] : []));
    const spaced = JSON.stringify(trust, undefined, 4);
    assert.equal(spaced.replaceAll(/\s/g, '').length, JSON.stringify(trust).length);
  });

  test('inline policies, providers and audiences', () => {
    const targets = Array.from({ length: 250 }, (_, n) =>
      chain(`sa-${n}`, `${hubAccount}/hub`, `${account}/role-${n}`),
    );
    assert.match(
      warningsOf(targets).join('\n'),
      /policy carm-webhook-assume of .* characters: IAM allows 10240 for all inline policies of a role/,
    );
    const clusters = Array.from({ length: 101 }, (_, n) => parseIssuer(`https://c${n}.example.com`)).filter(
      issuer => issuer !== undefined,
    );
    assert.match(
      warningsOf(many(1), { issuers: clusters }).join('\n'),
      /^account 222222222222 would have 101 OIDC providers: AWS allows 100 by default$/m,
    );
    const audiences = Array.from({ length: 101 }, (_, n) => web('web', `${account}/app`, { audience: `aud-${n}` }));
    assert.match(warningsOf(audiences).join('\n'), /would have 101 audiences: IAM allows 100$/m);
  });
});
