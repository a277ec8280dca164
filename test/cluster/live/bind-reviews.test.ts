/** Who may bind, asked of the API server: whole or not at all, in time, within a budget. */

import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BindAnswer, BindGrant } from '../../../src/admission/cluster.ts';
import { readReview, type UserInfo } from '../../../src/admission/review.ts';
import { BindReviews } from '../../../src/cluster/live/bind-reviews.ts';
import type { BudgetOptions } from '../../../src/cluster/live/budget.ts';
import { BudgetSpentError, LiveReadError } from '../../../src/cluster/live/live-read-result.ts';
import { LoopbackServer } from '../../loopback-server.ts';
import { connectionTo } from '../watch/watch-loop-harness.ts';

interface Review {
  readonly spec: { readonly user: string; readonly groups: readonly string[]; readonly resourceAttributes: object };
}

interface Asking {
  readonly asked: Review[];
  readonly results: string[];
  readonly mostAtOnce: () => number;
  readonly ask: (grant?: BindGrant, user?: UserInfo, limitMs?: number) => Promise<BindAnswer>;
}

type Answer = (response: ServerResponse, review: Review, turn: number) => void | Promise<void>;

function status(response: ServerResponse, fields: object): void {
  response.writeHead(201, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify({ kind: 'SubjectAccessReview', status: fields }));
}

const account = { resource: 'accounts', id: '111122223333' } as BindGrant;
/** As a review brings it. */
const userOf = (userInfo: object): UserInfo =>
  readReview({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request: { uid: 'u', userInfo } }).userInfo;
const jane = userOf({
  username: 'jane@example.com',
  uid: '014fbff9a07c',
  groups: ['developers', 'system:authenticated'],
  extra: { 'authentication.kubernetes.io/credential-id': ['X509SHA256=0f1e'], __proto__x: [] },
});

async function withReviews(
  answer: Answer,
  run: (asking: Asking) => Promise<void>,
  budget: BudgetOptions = {},
): Promise<void> {
  const asked: Review[] = [];
  let now = 0;
  let most = 0;
  const server = new LoopbackServer(async (request, response) => {
    now += 1;
    most = Math.max(most, now);
    response.once('close', () => {
      now -= 1;
    });
    assert.equal(`${request.method} ${request.url}`, 'POST /apis/authorization.k8s.io/v1/subjectaccessreviews');
    const review: Review = JSON.parse(await text(request));
    asked.push(review);
    await answer(response, review, asked.length);
  });
  const results: string[] = [];
  const reviews = new BindReviews({
    connection: connectionTo(await server.start()),
    budget,
    onResult: (resource, result) => results.push(`${resource} ${result}`),
  });
  const ask: Asking['ask'] = (grant = account, user = jane, limitMs = 2_000) =>
    reviews.ask(user, grant, { what: 'the answer', deadlineAt: performance.now() + limitMs });
  try {
    await run({ asked, results, mostAtOnce: () => most, ask });
  } finally {
    await reviews.close();
    await server.stop();
  }
}

describe('who may bind', { timeout: 30_000 }, () => {
  test('is asked with all that is known of the user, about a resource without a namespace', async () => {
    await withReviews(
      response => status(response, { allowed: true }),
      async ({ asked, ask }) => {
        assert.equal(await ask(), 'granted');
        assert.equal(await ask({ resource: 'teams', id: undefined }), 'granted');
        const user = {
          user: 'jane@example.com',
          uid: '014fbff9a07c',
          groups: ['developers', 'system:authenticated'],
          extra: { 'authentication.kubernetes.io/credential-id': ['X509SHA256=0f1e'], __proto__x: [] },
        };
        const kind = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' };
        const about = { group: 'carm-webhook.dev', verb: 'bind' };
        assert.deepEqual(asked, [
          { ...kind, spec: { resourceAttributes: { ...about, resource: 'accounts', name: '111122223333' }, ...user } },
          { ...kind, spec: { resourceAttributes: { ...about, resource: 'teams' }, ...user } },
        ]);
      },
    );
  });

  test('is granted by an explicit yes alone', async () => {
    const answers: readonly [object, BindAnswer][] = [
      [{ allowed: true, evaluationError: 'a role is missing' }, 'granted'],
      [{ allowed: false }, 'denied'],
      [{ allowed: false, denied: true, reason: 'no' }, 'denied'],
      [{ allowed: false, evaluationError: 'a webhook did not answer' }, 'unsure'],
    ];
    for (const [fields, expected] of answers) {
      await withReviews(
        response => status(response, fields),
        async ({ ask, results }) => {
          assert.equal(await ask(), expected);
          assert.deepEqual(results, [`subjectaccessreviews ${expected === 'granted' ? 'found' : 'absent'}`]);
        },
      );
    }
  });

  for (const [what, answer] of Object.entries<Answer>({
    'no status': response => status(response, {}),
    'another type': response => status(response, { allowed: 'true' }),
    HTML: response => void response.writeHead(200).end('<html>'),
    'a 403, without the component': response => void response.writeHead(403).end('{}'),
    'more than an answer has': response => void response.writeHead(200).end(`"${'x'.repeat(3 * 1024 * 1024)}"`),
  })) {
    test(`is not told by ${what}, and not asked again`, async () => {
      await withReviews(answer, async ({ ask, asked, results }) => {
        await assert.rejects(ask(), LiveReadError);
        assert.equal(asked.length, 1);
        assert.deepEqual(results, ['subjectaccessreviews error']);
      });
    });
  }

  test('is asked again where the API server was busy or the connection broke', async () => {
    const answer: Answer = (response, _, turn) => {
      if (turn === 1) response.writeHead(500).end('{}');
      else if (turn === 2) response.destroy();
      else status(response, { allowed: true });
    };
    await withReviews(answer, async ({ ask, asked }) => {
      assert.equal(await ask(), 'granted');
      assert.equal(asked.length, 3);
    });
  });

  test('is given up at the deadline', async () => {
    await withReviews(
      () => {},
      async ({ ask, results }) => {
        const from = performance.now();
        await assert.rejects(ask(account, jane, 300), { name: 'LiveReadError' });
        assert.ok(performance.now() - from < 1_000);
        assert.deepEqual(results, ['subjectaccessreviews error']);
      },
    );
  });

  test('is asked for a user of 1,500 groups, and for none of whom more is known than is sent', async () => {
    const group = (index: number): string => `cn=team-${index},ou=groups,dc=example,dc=com`;
    const groups = (count: number) =>
      userOf({ username: 'jane', groups: Array.from({ length: count }, (_, i) => group(i)) });
    const tooMuch = /could not be read: the user has more groups and extra fields than are sent/;
    await withReviews(
      response => status(response, { allowed: true }),
      async ({ ask, asked }) => {
        assert.equal(await ask(account, groups(1_500)), 'granted');
        assert.equal(asked[0]?.spec.groups.length, 1_500);
        for (const user of [
          groups(5_000),
          userOf({ username: 'x'.repeat(200_000) }),
          userOf({ username: 'jane', groups: Array.from({ length: 100_000 }, () => '') }),
          userOf({ username: 'jane', extra: { scopes: ['x'.repeat(200_000)] } }),
          userOf({ username: 'jane', extra: { ['x'.repeat(200_000)]: [] } }),
          userOf({ username: 'jane', extra: { scopes: 'all' } }),
          userOf({ username: 'jane', extra: ['all'] }),
        ]) {
          await assert.rejects(ask(account, user), tooMuch);
        }
        assert.equal(asked.length, 1, 'a part of a user would be another one');
      },
    );
  });

  test('is asked four at a time', async () => {
    await withReviews(
      async response => {
        await sleep(50);
        status(response, { allowed: true });
      },
      async ({ ask, mostAtOnce }) => {
        await Promise.all(Array.from({ length: 12 }, () => ask()));
        assert.equal(mostAtOnce(), 4);
      },
    );
  });

  test('is throttled by user, whatever namespaces they write, and in all', async () => {
    const small = { perSecond: 0.001, burst: 2 };
    const named = (username: string): UserInfo => userOf({ username });
    await withReviews(
      response => status(response, { allowed: true }),
      async ({ ask, results }) => {
        await ask(account, named('jane@example.com'));
        await ask(account, named('jane@example.com'));
        await assert.rejects(ask(account, named('jane@example.com')), BudgetSpentError);
        await ask(account, named('system:serviceaccount:flux:flux'));
        await assert.rejects(ask(account, named('system:serviceaccount:flux:other')), BudgetSpentError);
        assert.equal(results.at(-1), 'subjectaccessreviews throttled');
      },
      { namespace: small, total: { perSecond: 0.001, burst: 3 } },
    );
  });

  test('one user, with a whole list of accounts in each namespace, leaves others their half', async () => {
    await withReviews(
      response => status(response, { allowed: false }),
      async ({ ask }) => {
        const answers = await Promise.allSettled(Array.from({ length: 1_000 }, () => ask()));
        assert.ok(answers.some(({ status: of }) => of === 'rejected'));
        assert.equal(await ask(account, userOf({ username: 'platform' })), 'denied');
      },
      { nowMs: () => 0 },
    );
  });
});
