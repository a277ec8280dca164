import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { lookAtMounts } from '../../src/injection/token-volume.ts';
import { readContainer } from './read-container.ts';

const ours = '/var/run/secrets/eks.amazonaws.com/serviceaccount';

describe('a mount', () => {
  const mount = (mountPath: string, name = 'data', more = {}) => ({ name, mountPath, ...more });
  const table: readonly [string, object, 'absent' | 'present' | 'conflict', boolean?, boolean?][] = [
    ['elsewhere', mount('/data'), 'absent'],
    ['at our path, ours', mount(ours, 'aws-iam-token'), 'present'],
    ['at our path, ours, writable', mount(ours, 'aws-iam-token', { readOnly: false }), 'present'],
    ['at our path with a slash, ours', mount(`${ours}/`, 'aws-iam-token'), 'present'],
    ['at our path, foreign', mount(ours), 'conflict'],
    ['at our path, unnormalised', mount('/var//run/./secrets/x/../eks.amazonaws.com/serviceaccount/'), 'conflict'],
    ['at our path, relative', mount(ours.slice(1)), 'conflict'],
    ['at our path, ours by subPath', mount(ours, 'aws-iam-token', { subPath: 'token' }), 'conflict'],
    ['at our path, ours by subPathExpr', mount(ours, 'aws-iam-token', { subPathExpr: '$(X)' }), 'conflict'],
    ['at our path, ours, empty subPath', mount(ours, 'aws-iam-token', { subPath: '' }), 'present'],
    ['below our path, foreign', mount(`${ours}/token`), 'conflict'],
    ['below our path, ours', mount(`${ours}/token`, 'aws-iam-token', { subPath: 'token' }), 'absent'],
    ['a sibling with our path as prefix', mount(`${ours}-2`), 'absent'],
    ['above our path', mount('/var/run/secrets'), 'absent', true],
    ['far above our path', mount('/var'), 'absent', true],
    ['the root', mount('/'), 'absent', true],
    ['a sibling with a prefix of our path', mount('/var/run/sec'), 'absent'],
    ['another case on Linux', mount(ours.toUpperCase()), 'absent'],
    ['another case on Windows', mount(ours.toUpperCase()), 'conflict', false, true],
    ['with a drive on Windows', mount(`C:${ours}`), 'conflict', false, true],
    ['on another drive on Windows', mount(`D:${ours}`), 'absent', false, true],
    ['with backslashes on Windows', mount(`c:${ours.replaceAll('/', '\\')}\\x`), 'conflict', false, true],
    ['with backslashes on Linux', mount(ours.replaceAll('/', '\\')), 'absent'],
  ];
  for (const [what, entry, expected, above = false, windows = false] of table) {
    test(`${what}: ${expected}${above ? ', and above ours' : ''}`, () => {
      const container = readContainer({ volumeMounts: [mount('/other'), entry] });
      const looked = lookAtMounts(container, windows);
      assert.equal(looked.state, expected);
      assert.equal(looked.above !== undefined, above);
    });
  }
});
