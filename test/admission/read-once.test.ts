import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readOnce } from '../../src/admission/read-once.ts';
import type { AdmissionRequest } from '../../src/admission/review.ts';
import { pod } from '../decisions/manifests.ts';
import { readRequest } from '../decisions/review.ts';

function counted(): {
  readonly read: (request: AdmissionRequest) => { readonly uid: string };
  readonly count: () => number;
} {
  let count = 0;
  const read = readOnce(({ uid }) => {
    count += 1;
    return { uid };
  });
  return { read, count: () => count };
}

describe('a request is read once', () => {
  test('by each reader', () => {
    const request = readRequest({ object: pod() });
    const [first, second] = [counted(), counted()];
    assert.equal(first.read(request), first.read(request));
    assert.equal(first.count(), 1);
    assert.notEqual(second.read(request), first.read(request));
  });

  test('and a copy of it again: it may hold another object', () => {
    const { read, count } = counted();
    const request = readRequest({ object: pod() });
    read(request);
    assert.equal(read({ ...request, uid: 'other' }).uid, 'other');
    assert.equal(count(), 2);
  });

  test('one that cannot be read fails each time', () => {
    const request = readRequest({ object: pod() });
    const read = readOnce(() => assert.fail('broken'));
    assert.throws(() => read(request), /broken/);
    assert.throws(() => read(request), /broken/);
  });

  test('what was read is no part of the request for whoever writes it out', () => {
    const request = readRequest({ object: pod() });
    const before = JSON.stringify(request);
    counted().read(request);
    assert.equal(JSON.stringify(request), before);
  });
});
