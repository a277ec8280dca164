import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { redactSecrets } from '../../src/aws/redact-secrets.ts';

const base64Url = fc.stringMatching(/^[\w-]{20,200}$/);
const secretKey = fc.stringMatching(/^[\w+/=]{20,60}$/);

describe('a text of somebody else, made fit to be shown', () => {
  test('of a secret in it, whole or in part, no run of 12 characters is left', () => {
    const around = fc.string({ unit: 'binary', maxLength: 60 });
    fc.assert(
      fc.property(around, fc.oneof(base64Url, secretKey), around, fc.nat(), fc.nat(), (before, secret, after, a, b) => {
        const [from = 0, to = 0] = [a % secret.length, b % secret.length].toSorted((x, y) => x - y);
        const shown = redactSecrets(`${before}${secret.slice(from, to)}${after}`, [secret]);
        for (let at = 0; at + 12 <= secret.length; at++) assert.ok(!shown.includes(secret.slice(at, at + 12)), shown);
      }),
    );
  });

  test('a token is hidden by its form, also one that nobody knows', () => {
    assert.equal(redactSecrets("Value 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln' at x", []), "Value '(hidden)' at x");
  });

  test('it is one line of ASCII, of 400 characters at most', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5_000 }), text => {
        assert.match(redactSecrets(text, []), /^[ -~]{0,400}$/);
      }),
    );
  });

  test("AWS's own words stay as they are", () => {
    const text =
      'User: arn:aws:sts::111111111111:assumed-role/hub/team-a.default is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::222222222222:role/team/app';
    assert.equal(redactSecrets(text, ['FwoGZXIvYXdzEJr//////////wEaDExampleSessionToken', 'abcdefghijkl']), text);
  });
});
