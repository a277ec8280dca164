import { generateKeyPairSync, type JsonWebKey, sign } from 'node:crypto';
import type { ServiceAccountClaims } from './web-identity-token.ts';

/** Signs tokens as kube-apiserver does for the pod `app-1` of `team-a`. */
export class TokenIssuer {
  readonly issuer = 'https://kubernetes.default.svc';
  readonly #key = generateKeyPairSync('rsa', { modulusLength: 2048 });

  get publicKeyPem(): string {
    return this.#key.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  }

  /** https://www.rfc-editor.org/rfc/rfc7517#section-5 */
  get keySet(): { readonly keys: readonly (JsonWebKey & { readonly kid: string })[] } {
    return { keys: [{ ...this.#key.publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'RS256', use: 'sig' }] };
  }

  /** Good for an hour, where `claims` say nothing else. */
  token(claims: Partial<ServiceAccountClaims> = {}, header: object = {}): string {
    const now = Math.floor(Date.now() / 1000);
    const all: ServiceAccountClaims = {
      aud: ['sts.amazonaws.com'],
      exp: now + 3600,
      iat: now,
      iss: this.issuer,
      'kubernetes.io': {
        namespace: 'team-a',
        pod: { name: 'app-1', uid: '8c7b5b1e-3f0e-4f43-9c1e-6f5f2f3c9f51' },
        serviceaccount: { name: 'reader', uid: 'f2d7e9a6-1b7e-4b0e-8d61-0c9f4b7a5e10' },
      },
      nbf: now,
      sub: 'system:serviceaccount:team-a:reader',
      ...claims,
    };
    const signed = [{ alg: 'RS256', kid: 'test', ...header }, all]
      .map(part => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    return `${signed}.${sign('sha256', Buffer.from(signed), this.#key.privateKey).toString('base64url')}`;
  }
}
