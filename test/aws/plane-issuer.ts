import assert from 'node:assert/strict';
import type { ControlPlane } from '../testbed/control-plane.ts';
import type { JsonWebKeySet } from './assume-rules.ts';

/** What the world knows of the tokens of a cluster. https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery */
export interface PlaneIssuer {
  readonly issuer: string;
  readonly keys: JsonWebKeySet;
}

export async function issuerOf(plane: ControlPlane): Promise<PlaneIssuer> {
  const discovery = await plane.request<{ readonly issuer: string }>('GET', '/.well-known/openid-configuration');
  const keys = await plane.request<string>('GET', '/openid/v1/jwks', undefined, {
    headers: { accept: 'application/jwk-set+json' },
  });
  assert.deepEqual([discovery.status, keys.status], [200, 200]);
  return { issuer: discovery.body.issuer, keys: JSON.parse(keys.body) as JsonWebKeySet };
}
