import { parseGoBool } from '../accounts/feature-gates.ts';
import { audienceAnnotation, stsRegionalAnnotation, tokenExpirationAnnotation } from '../objects/keys.ts';
import type { Pod } from '../objects/pod.ts';
import type { ServiceAccount } from '../objects/service-account.ts';

export const defaultAudience = 'sts.amazonaws.com';

/** Seconds. The API server takes no projected token below 600; STS takes none above 86400. */
export const shortestTokenSeconds = 600;
export const longestTokenSeconds = 86_400;

export type TokenWarning =
  | { readonly reason: 'TokenExpirationClamped'; readonly value: string; readonly seconds: number }
  | { readonly reason: 'InvalidTokenExpiration'; readonly value: string; readonly seconds: number };

export interface TokenSettings {
  readonly audience: string;
  readonly expirationSeconds: number;
  readonly regionalSts: boolean;
  readonly warning: TokenWarning | undefined;
}

/** The first of the values that is a number counts; one before it that is none is warned of. */
function expiration(
  values: readonly (string | undefined)[],
  defaultSeconds: number,
): [seconds: number, warning: TokenWarning | undefined] {
  let invalid: string | undefined;
  for (const value of values) {
    if (!value) continue;
    if (!/^[+-]?[0-9]+$/.test(value)) {
      invalid ??= value;
      continue;
    }
    const asked = Number(value);
    const seconds = Math.min(Math.max(asked, shortestTokenSeconds), longestTokenSeconds);
    if (invalid !== undefined) return [seconds, { reason: 'InvalidTokenExpiration', value: invalid, seconds }];
    return [seconds, seconds === asked ? undefined : { reason: 'TokenExpirationClamped', value, seconds }];
  }
  if (invalid === undefined) return [defaultSeconds, undefined];
  return [defaultSeconds, { reason: 'InvalidTokenExpiration', value: invalid, seconds: defaultSeconds }];
}

/**
 * The token that a pod gets. Audience: ServiceAccount, else `sts.amazonaws.com`. Expiration: pod, else ServiceAccount,
 * else the default; one that is no number falls to the next, as it does for amazon-eks-pod-identity-webhook. An empty
 * annotation is no annotation.
 */
export function readTokenSettings(
  pod: Pod['annotations'],
  serviceAccount: ServiceAccount['annotations'],
  defaultSeconds: number,
): TokenSettings {
  const asked = [pod, serviceAccount].map(annotations => annotations.get(tokenExpirationAnnotation));
  const [expirationSeconds, warning] = expiration(asked, defaultSeconds);
  return {
    audience: serviceAccount.get(audienceAnnotation) || defaultAudience,
    expirationSeconds,
    regionalSts: parseGoBool(serviceAccount.get(stsRegionalAnnotation) ?? '') ?? true,
    warning,
  };
}
