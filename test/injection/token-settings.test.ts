import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readTokenSettings } from '../../src/injection/token-settings.ts';

const expirationKey = 'eks.amazonaws.com/token-expiration';
const settings = (pod = {}, serviceAccount = {}, defaultSeconds = 86_400) =>
  readTokenSettings(new Map(Object.entries(pod)), new Map(Object.entries(serviceAccount)), defaultSeconds);

describe('the expiration of the token', () => {
  const table: readonly [value: string, seconds: number, reason?: string][] = [
    ['600', 600],
    ['86400', 86_400],
    ['3600', 3600],
    ['+3600', 3600],
    ['0003600', 3600],
    ['599', 600, 'TokenExpirationClamped'],
    ['0', 600, 'TokenExpirationClamped'],
    ['-1', 600, 'TokenExpirationClamped'],
    ['86401', 86_400, 'TokenExpirationClamped'],
    ['999999999999999999', 86_400, 'TokenExpirationClamped'],
    ['99999999999999999999', 86_400, 'TokenExpirationClamped'],
    ['-9223372036854775808', 600, 'TokenExpirationClamped'],
    ['9'.repeat(400), 86_400, 'TokenExpirationClamped'],
    ['1h', 7200, 'InvalidTokenExpiration'],
    ['3600.5', 7200, 'InvalidTokenExpiration'],
    ['1e4', 7200, 'InvalidTokenExpiration'],
    ['0x1000', 7200, 'InvalidTokenExpiration'],
    [' 3600', 7200, 'InvalidTokenExpiration'],
    ['３６００', 7200, 'InvalidTokenExpiration'],
    ['NaN', 7200, 'InvalidTokenExpiration'],
    ['Infinity', 7200, 'InvalidTokenExpiration'],
  ];
  for (const [value, seconds, reason] of table) {
    test(`${JSON.stringify(value)}: ${seconds} seconds${reason === undefined ? '' : `, ${reason}`}`, () => {
      const read = settings({ [expirationKey]: value }, {}, 7200);
      assert.equal(read.expirationSeconds, seconds);
      assert.equal(read.warning?.reason, reason);
    });
  }

  test('pod before ServiceAccount before default; an empty annotation is none', () => {
    assert.equal(settings({ [expirationKey]: '700' }, { [expirationKey]: '800' }).expirationSeconds, 700);
    assert.equal(settings({ [expirationKey]: '' }, { [expirationKey]: '800' }).expirationSeconds, 800);
    assert.equal(settings({}, { [expirationKey]: '' }, 900).expirationSeconds, 900);
    assert.equal(settings({}, {}, 900).warning, undefined);
  });

  test('one that is no number falls to the next, and is warned of', () => {
    const reason = 'InvalidTokenExpiration';
    const read = settings({ [expirationKey]: 'abc' }, { [expirationKey]: '3600' });
    assert.equal(read.expirationSeconds, 3600);
    assert.deepEqual(read.warning, { reason, value: 'abc', seconds: 3600 });
    const clamped = settings({ [expirationKey]: 'abc' }, { [expirationKey]: '1' });
    assert.deepEqual(clamped.warning, { reason, value: 'abc', seconds: 600 });
    const neither = settings({ [expirationKey]: 'abc' }, { [expirationKey]: 'def' }, 900);
    assert.deepEqual(neither.warning, { reason, value: 'abc', seconds: 900 });
  });
});

test("the audience is the ServiceAccount's, else that of STS; a pod has none", () => {
  const key = 'eks.amazonaws.com/audience';
  assert.equal(settings().audience, 'sts.amazonaws.com');
  assert.equal(settings({}, { [key]: 'vault' }).audience, 'vault');
  assert.equal(settings({}, { [key]: '' }).audience, 'sts.amazonaws.com');
  assert.equal(settings({ [key]: 'vault' }).audience, 'sts.amazonaws.com');
});

test('regional STS is on unless the ServiceAccount turns it off, as Go reads a boolean', () => {
  const key = 'eks.amazonaws.com/sts-regional-endpoints';
  for (const value of ['false', 'f', '0', 'FALSE']) assert.equal(settings({}, { [key]: value }).regionalSts, false);
  for (const value of ['true', '', 'no', 'garbage']) assert.equal(settings({}, { [key]: value }).regionalSts, true);
});
