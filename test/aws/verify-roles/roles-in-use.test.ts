import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultFeatureGates } from '../../../src/accounts/feature-gates.ts';
import { RolesInUse } from '../../../src/aws/verify-roles/roles-in-use.ts';
import {
  credentialsAnnotation,
  hubRoleArnAnnotation,
  injectLabel,
  type NamespaceAnnotation,
  type NamespaceLabel,
  type ServiceAccountAnnotation,
} from '../../../src/objects/keys.ts';
import type { Namespace } from '../../../src/objects/namespace.ts';
import type { ServiceAccount } from '../../../src/objects/service-account.ts';

const [account, hubs] = ['111122223333', '999988887777'];
const role = `arn:aws:iam::${account}:role/workloads`;

function namespace(name: string): Namespace {
  return {
    name,
    labels: new Map<NamespaceLabel, string>([[injectLabel, 'enabled']]),
    annotations: new Map<NamespaceAnnotation, string>([['services.k8s.aws/owner-account-id', account]]),
  };
}

function chained(hub: string): ServiceAccount {
  const annotations = new Map<ServiceAccountAnnotation, string>([
    [credentialsAnnotation, 'chain'],
    [hubRoleArnAnnotation, `arn:aws:iam::${hubs}:role/${hub}`],
  ]);
  return { labels: new Map(), annotations };
}

test('the hub roles that one namespace names do not crowd out those of others', () => {
  const inUse = new RolesInUse(
    {
      ownNamespace: 'carm-webhook',
      featureGates: defaultFeatureGates,
      requirePodsKey: false,
      credentials: 'web-identity',
      hubRoleArn: undefined,
      externalId: undefined,
      sourceAccounts: new Set([hubs]),
    },
    () => new Map([[account, role]]),
  );
  inUse.add(namespace('flood'));
  for (let n = 0; n < 10_000; n++) inUse.add(namespace('flood'), chained(`made-up-${n}`), `web-${n}`);
  inUse.add(namespace('other'), chained('other'), 'web');
  assert.equal(inUse.roles.size, 1 + 20 + 1);
  assert.deepEqual([...(inUse.roles.get(`arn:aws:iam::${hubs}:role/other`)?.namespaces ?? [])], ['other']);
  // A role that is asked for anyway costs nothing more.
  inUse.add(namespace('flood'), chained('other'), 'one-more');
  assert.deepEqual([...(inUse.roles.get(`arn:aws:iam::${hubs}:role/other`)?.namespaces ?? [])], ['other', 'flood']);
});
