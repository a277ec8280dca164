import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hubAccount } from './aws-scene.ts';
import { type SdkScene, type Way, ways } from './sdk-scene.ts';

/** Beside the config file, each of these gives some or all SDKs another identity, or none: run with six SDKs. */
const conflicting = [
  { AWS_ROLE_ARN: 'arn:aws:iam::333333333333:role/ack/chained' },
  { AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token' },
  { AWS_CONFIG_FILE: '/app/config' },
  { AWS_SHARED_CREDENTIALS_FILE: '/app/credentials' },
  { AWS_PROFILE: 'app' },
  { AWS_DEFAULT_PROFILE: 'app' },
  { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
] as const;

const withEnv = (env: Readonly<Record<string, string>>): object => {
  const variables = Object.entries(env).map(([name, value]) => ({ name, value }));
  return { containers: [{ name: 'app', image: 'app', env: variables }] };
};

/** What cannot work never starts. */
export function describeDenials(sceneOf: () => SdkScene): void {
  async function assertDenied({ namespace }: Way, spec: object, message: RegExp): Promise<void> {
    const answer = await sceneOf().namespace(namespace).tryPod(spec);
    assert.equal(answer.status, 403, answer.body.message);
    assert.match(answer.body.message ?? '', message);
  }

  describe('a pod is denied in chain mode', () => {
    for (const env of conflicting) {
      const names = Object.keys(env);
      test(`beside ${names.join(' and ')}`, async () => {
        const message = new RegExp(`sets ${names.join(', ')}; in chain mode.*\\(CredentialConflict\\)$`, 's');
        await assertDenied(ways.chain, withEnv(env), message);
      });
    }

    test('without a hub role, where EKS Pod Identity does not serve it', async () => {
      await assertDenied(ways.chainOverEks, {}, /\(HubRoleMissing\)$/);
    });

    test('whose role is the hub role', async () => {
      const scene = sceneOf();
      const role = `arn:aws:iam::${hubAccount}:role/pods/hub`;
      await scene.namespace('chained').addServiceAccount('the-hub', { 'carm-webhook.dev/role': role });
      await assertDenied(ways.chain, { serviceAccountName: 'the-hub' }, /its hub role.*\(CredentialConflict\)$/s);
    });

    test('whose hub role is a role of its own account', async () => {
      const scene = sceneOf();
      const hub = 'arn:aws:iam::333333333333:role/of-the-team';
      await scene.namespace('chained').addServiceAccount('own-hub', { 'carm-webhook.dev/hub-role-arn': hub });
      await assertDenied(ways.chain, { serviceAccountName: 'own-hub' }, /\(RoleOutsideAccount\)$/);
    });
  });
}
