import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReviewRecord } from '../../src/admission/record.ts';
import { createLogger, type LogLevel, logReview } from '../../src/server/logs.ts';

const record: ReviewRecord = {
  webhook: 'pods.carm-webhook.dev',
  operation: 'CREATE',
  outcome: 'denied',
  reason: 'AccountNotMapped',
  warnings: [],
  uid: 'uid-1',
  namespace: 'shop',
  name: 'web-0',
  kind: 'Pod',
  dryRun: false,
  accountId: '011122223333',
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
    operation: 'CREATE',
    outcome: 'denied',
    reason: 'AccountNotMapped',
    namespace: 'shop',
    name: 'web-0',
    kind: 'Pod',
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
  const [line] = logged('info', { ...record, uid: long, name: long, namespace: long, kind: long });
  assert.ok(JSON.stringify(line).length < 2000);
});
