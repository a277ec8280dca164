import assert from 'node:assert/strict';

/** The shortest life that the API server gives a token. */
export const lifeSeconds = 600;

/**
 * kubelet renews a token when four fifths of its life are over, or as much earlier as this, by chance.
 * https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/kubelet/token/token_manager.go (requiresRefresh)
 */
const mostJitterSeconds = 10;
export const renewedAfterSeconds = 0.8 * lifeSeconds;
export const renewedLimitMs = (renewedAfterSeconds + 120) * 1000;

/** From when one token was issued to when the next one was. */
export function assertRenewedInTime(seconds: number): void {
  assert.ok(seconds >= renewedAfterSeconds - mostJitterSeconds && seconds < lifeSeconds, `${seconds} s`);
}
