import assert from 'node:assert/strict';
import type { ControlPlane } from '../testbed/control-plane.ts';
import { eventually } from './eventually.ts';

const namespace = 'carm-webhook';
const path = `/apis/cert-manager.io/v1/namespaces/${namespace}/certificates`;
const issueLimitMs = 30_000;

/** The certificates of `deploy/`, each with a Secret of the same name: what the webhook serves, and the CA that signs it. */
export const leaf = 'carm-webhook-tls';
export const authority = 'carm-webhook-ca';

interface Certificate {
  readonly metadata: { readonly resourceVersion: string };
  readonly status?: {
    readonly revision?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** What cert-manager issues for the webhook. */
export class IssuedCertificates {
  readonly #plane: ControlPlane;

  constructor(plane: ControlPlane) {
    this.#plane = plane;
  }

  /** A value of a certificate's Secret, '' while there is none. */
  async secretValue(name: string, key: string): Promise<string> {
    const secret = `/api/v1/namespaces/${namespace}/secrets/${name}`;
    const { body } = await this.#plane.request<{ readonly data?: Readonly<Record<string, string>> }>('GET', secret);
    return Buffer.from(body.data?.[key] ?? '', 'base64').toString('utf8');
  }

  async untilReady(name: string): Promise<void> {
    const isReady = async () => (isTrue(await this.#certificate(name), 'Ready') ? true : undefined);
    await eventually(`${name} is ready`, isReady, issueLimitMs);
  }

  /** What `cmctl renew` does, and waits until the Secret is new. https://cert-manager.io/docs/reference/cmctl/#renew */
  async renew(name: string): Promise<void> {
    const before = await this.#certificate(name);
    const condition = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'by a test' };
    const conditions = [
      ...(before.status?.conditions ?? []),
      { ...condition, lastTransitionTime: new Date().toISOString().replace(/\.\d+/, '') },
    ];
    const patched = await this.#plane.request('PATCH', `${path}/${name}/status`, { status: { conditions } });
    assert.equal(patched.status, 200, JSON.stringify(patched.body));
    const isRenewed = async () => {
      const now = await this.#certificate(name);
      const isNewer = (now.status?.revision ?? 0) > (before.status?.revision ?? 0);
      return isNewer && isTrue(now, 'Ready') && !isTrue(now, 'Issuing') ? true : undefined;
    };
    await eventually(`${name} is renewed`, isRenewed, issueLimitMs);
  }

  async #certificate(name: string): Promise<Certificate> {
    const { status, body } = await this.#plane.request<Certificate>('GET', `${path}/${name}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }
}

function isTrue({ status }: Certificate, type: string): boolean {
  return status?.conditions?.some(condition => condition.type === type && condition.status === 'True') === true;
}
