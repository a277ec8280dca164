import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '../../src/accounts/account-id.ts';
import type { ReviewRecord } from '../../src/admission/record.ts';
import { createLogger, type LogLevel, logReview } from '../../src/server/logs.ts';

const record: ReviewRecord = {
  webhook: 'pods.carm-webhook.dev',
  endpoint: 'mutate',
  operation: 'CREATE',
  outcome: 'denied',
  reason: 'AccountNotMapped',
  warnings: [],
  uid: 'uid-1',
  namespace: 'shop',
  name: 'web-0',
  kind: 'Pod',
  dryRun: false,
  user: 'system:serviceaccount:ci:deployer',
  accountId: '011122223333',
  foreignAccountId: '999988887777' as AccountId,
  roleArn: 'arn:aws:iam::011122223333:role/web',
  message: 'no role "secret"',
  loggedMessage: 'no role',
  advisory: false,
  error: undefined,
};

function logged(level: LogLevel, each: ReviewRecord): Readonly<Record<string, unknown>>[] {
  const lines: Record<string, unknown>[] = [];
  logReview(createLogger(level, { write: line => lines.push(JSON.parse(line)) }), each);
  return lines;
}

test('a denial is one line at info that holds what is needed to find it', () => {
  const [line, ...others] = logged('info', record);
  assert.equal(others.length, 0);
  const { time, ...fields } = line ?? {};
  assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(fields, {
    level: 'info',
    uid: 'uid-1',
    webhook: 'pods.carm-webhook.dev',
    endpoint: 'mutate',
    operation: 'CREATE',
    outcome: 'denied',
    reason: 'AccountNotMapped',
    namespace: 'shop',
    name: 'web-0',
    kind: 'Pod',
    user: 'system:serviceaccount:ci:deployer',
    foreignAccount: '999988887777',
    account: '011122223333',
    role: 'arn:aws:iam::011122223333:role/web',
    message: 'no role',
    msg: 'review denied',
  });
});

test('each outcome has its level', () => {
  const levels = { allowed: 'debug', mutated: 'debug', denied: 'info', warned: 'info', audited: 'info', error: 'warn' };
  for (const [outcome, level] of Object.entries(levels)) {
    const [line] = logged('debug', { ...record, outcome: outcome as ReviewRecord['outcome'], reason: 'Unverified' });
    assert.equal(line?.['level'], level, outcome);
  }
  assert.equal(logged('info', { ...record, outcome: 'mutated' }).length, 0);
  assert.equal(logged('silent', record).length, 0);
});

test('an internal error is logged with its trace, and with nothing else that hangs on the exception', () => {
  const error = Object.assign(new TypeError('boom'), { code: 'E_BOOM', env: 'hunter2', cause: new Error('hunter2') });
  const [line] = logged('info', { ...record, outcome: 'error', reason: 'InternalError', error });
  assert.equal(line?.['level'], 'error');
  assert.deepEqual([line?.['error'], line?.['code']], ['TypeError', 'E_BOOM']);
  assert.match(String(line?.['stack']), /^TypeError: boom\n +at /);
  assert.doesNotMatch(JSON.stringify(line), /hunter2/);
  assert.equal(logged('info', { ...record, reason: 'InternalError', error: 'hunter2' })[0]?.['error'], 'string');
});

test('a name of a megabyte makes no line of a megabyte', () => {
  const long = 'x'.repeat(1_000_000);
  const [line] = logged('info', { ...record, uid: long, name: long, namespace: long, kind: long, user: long });
  assert.ok(JSON.stringify(line).length < 2000);
});

test('no line is longer than 64 KiB, whatever is in it', () => {
  const long = '\u0001'.repeat(1_000_000);
  const error = new Error(long);
  error.stack = long;
  const names = { uid: long, name: long, namespace: long, kind: long, user: long };
  // A map that many change at once warns of each entry.
  const warnings = Array.from({ length: 100_000 }, () => 'RoleReplaced' as const);
  const lines: string[] = [];
  const logger = createLogger('info', { write: line => lines.push(line) });
  logReview(logger, { ...record, ...names, warnings, reason: 'InternalError', error, loggedMessage: long });
  logger.error({ reason: long }, 'the new state cannot be read; keeping the last one');
  assert.deepEqual(
    lines.map(line => line.length <= 65_536 && typeof JSON.parse(line)),
    ['object', 'object'],
  );
});
