import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unlessForbidden } from '../../../src/cli/sources/unless-forbidden.ts';
import { UnreadError } from '../../../src/cli/sources/unread-error.ts';
import { ApiError } from '../../../src/cluster/api/api-errors.ts';

test('only a missing right is told and passed over', async () => {
  const told: string[] = [];
  const tell = (why: string) => void told.push(why);
  assert.equal(await unlessForbidden(tell, async () => 'read'), 'read');
  await assert.rejects(
    unlessForbidden(tell, async () => Promise.reject(new Error('broken'))),
    /broken/,
  );
  assert.deepEqual(told, []);
  const what = { named: 'the pods', right: 'list pods' };
  const forbidden = new UnreadError(what, new ApiError(403, 'Forbidden', '403 Forbidden'));
  assert.equal(await unlessForbidden(tell, async () => Promise.reject(forbidden)), undefined);
  assert.deepEqual(told, [forbidden.message]);
  const missing = new UnreadError(what, new ApiError(404, 'NotFound', '404 Not Found'));
  await assert.rejects(
    unlessForbidden(tell, async () => Promise.reject(missing)),
    missing,
  );
});
