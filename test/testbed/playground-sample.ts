import { bucketKind, installAckKinds, topicKind } from '../e2e/ack-crds.ts';
import { eventually } from '../e2e/eventually.ts';
import { asList } from '../e2e/manifests.ts';
import type { ControlPlane } from './control-plane.ts';

/** The namespace to play in, and the account that it is bound to. */
export const sampleNamespace = 'shop';
export const sampleAccount = '111122223333';
export const otherAccount = '444455556666';

const serviceAccountLimitMs = 30_000;

/** Makes two kinds of ACK's, without its controllers, the account map and the bound namespace; needs the namespace `ack-system`. */
export async function makeSample(plane: ControlPlane): Promise<void> {
  const map = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'ack-role-account-map', namespace: 'ack-system' },
    data: {
      [sampleAccount]: `arn:aws:iam::${sampleAccount}:role/ack-controller`,
      [`pods.${sampleAccount}`]: `arn:aws:iam::${sampleAccount}:role/shop-pods`,
    },
  };
  const bound = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: sampleNamespace,
      annotations: {
        'services.k8s.aws/owner-account-id': sampleAccount,
        'services.k8s.aws/default-region': 'eu-central-1',
      },
    },
  };
  await installAckKinds(plane, [bucketKind, topicKind]);
  await plane.kubectl(['apply', '-f', '-'], { input: asList([map, bound]) });
  const path = `/api/v1/namespaces/${sampleNamespace}/serviceaccounts/default`;
  const isThere = async () => ((await plane.request('GET', path)).status === 200 ? true : undefined);
  await eventually('the namespace has its ServiceAccount', isThere, serviceAccountLimitMs);
}
