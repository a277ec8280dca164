import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccountId } from '../../src/accounts/account-id.ts';
import type { ProviderProblem } from '../../src/accounts/provider-problem.ts';
import { mutate } from '../../src/admission/decision.ts';
import { withProviderWarning } from '../../src/admission/provider-warning.ts';

const account = '111122223333' as AccountId;

/** The reasons of the warnings on a pod that presents its token to an account of which a problem is known. */
function warned(
  problem: ProviderProblem | undefined,
  tokenFor: { accountId: AccountId; audience: string } | undefined,
): readonly string[] {
  const before = { reason: 'UnknownContainer', names: ['x'] } as const;
  const decision = mutate('Injected', [], { tokenFor, warnings: [before] });
  const providers = { problemOf: (accountId: AccountId) => (accountId === account ? problem : undefined) };
  const after = withProviderWarning({ decision, mode: 'enforce', code: 403 }, providers);
  assert.equal(after.decision.verdict, 'mutate');
  return (after.decision.warnings ?? []).map(({ reason }) => reason);
}

describe('the warning of a role that is certainly broken', () => {
  const usual = { accountId: account, audience: 'sts.amazonaws.com' };

  test('goes first, and changes nothing else', () => {
    assert.deepEqual(warned('NoProvider', usual), ['RoleBroken', 'UnknownContainer']);
    assert.deepEqual(warned('WrongAudience', usual), ['RoleBroken', 'UnknownContainer']);
  });

  test('is not given where nothing is known, for another account, or where no token is presented', () => {
    assert.deepEqual(warned(undefined, usual), ['UnknownContainer']);
    assert.deepEqual(warned('NoProvider', { ...usual, accountId: '999988887777' as AccountId }), ['UnknownContainer']);
    assert.deepEqual(warned('NoProvider', undefined), ['UnknownContainer']);
  });

  test('for another audience, only a provider that is not there at all is certain', () => {
    const other = { ...usual, audience: 'other' };
    assert.deepEqual(warned('WrongAudience', other), ['UnknownContainer']);
    assert.deepEqual(warned('NoProvider', other), ['RoleBroken', 'UnknownContainer']);
  });
});
