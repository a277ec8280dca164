/** Entries of the account map that ACK goes by for resources of unbound namespaces, by the account in their status. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  type AckKind,
  ackPath,
  ackResource,
  ackStatus,
  bucket,
  bucketKind,
  installAckKinds,
  pastTheWebhook,
  queueKind,
} from './ack-crds.ts';
import { boundNamespace, namespace, ownerAnnotation } from './cluster-objects.ts';
import { mapPatch } from './patch-arguments.ts';
import { ServedPlane, warningsOf } from './served-plane.ts';

const a = '111122223333';
const b = '222233334444';
const c = '333344445555';
const roleOf = (accountId: string, name = 'ack'): string => `arn:aws:iam::${accountId}:role/${name}`;
/** A service that is younger than the webhook's release. */
const future: AckKind = { ...bucketKind, group: 'quantum.services.k8s.aws', kind: 'Device', plural: 'devices' };
const testLimit = { timeout: 30_000 };
const mapArgs = ['configmap', 'ack-role-account-map', '-n', 'ack-system'];

describe('an entry of the account map that ACK goes by', () => {
  let served: ServedPlane;

  before(
    async () => {
      served = await ServedPlane.start({
        flags: ['--feature-gates=ServiceLevelCARM=true'],
        map: { [a]: roleOf(a), [b]: roleOf(b), [`s3.${c}`]: roleOf(c) },
      });
      await installAckKinds(served.plane, [bucketKind, queueKind]);
      await served.apply([namespace('free'), boundNamespace('left', a), boundNamespace('billing', b)]);
      await served.apply([bucket('left', 'assets')]);
      await made(bucketKind, 'left', 'assets', a);
      await served.apply([bucket('free', 'by-service'), ackResource(queueKind, 'free', 'by-no-key')]);
      await made(bucketKind, 'free', 'by-service', c);
      await made(queueKind, 'free', 'by-no-key', c);
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  /** As ACK writes it down. */
  async function made(kind: AckKind, place: string, name: string, account: string): Promise<void> {
    const args = ['patch', `${kind.plural}.${kind.group}`, name, '-n', place, '--subresource=status', '--type=merge'];
    const status = ackStatus(account, 'eu-central-1', name);
    await served.plane.kubectl([...args, '-p', JSON.stringify({ status })], { as: pastTheWebhook });
  }

  const edit = (data: Readonly<Record<string, string | null>>, expectCode = 0) =>
    served.plane.kubectl(mapPatch(data), { expectCode });

  async function denied(args: readonly string[], ...words: readonly string[]): Promise<void> {
    const { stderr } = await served.plane.kubectl(args, { expectCode: 1 });
    for (const word of ['maps.carm-webhook.dev', '(MappingInUse)', ...words]) assert.ok(stderr.includes(word), stderr);
  }

  test('is in use by the binding at first, and by the status once the namespace is unbound', testLimit, async () => {
    const removal = mapPatch({ [a]: null });
    await denied(removal, 'is used by namespace "left"', 'unless it has ACK resources');
    await served.plane.kubectl(['annotate', 'namespace', 'left', `${ownerAnnotation}-`]);
    await denied(removal, `entry "${a}"`, '"Bucket left/assets"', 'delete those resources first');
    await denied([...removal, '--dry-run=server'], '"Bucket left/assets"');
    const emptied = mapPatch({ [a]: '' });
    await denied(emptied, '"Bucket left/assets"');
    // Another role of the account is no loss.
    assert.deepEqual(warningsOf(await edit({ [a]: roleOf(a, 'ack-2') })), []);
  });

  test('keeps the map from being deleted, also with all others', testLimit, async () => {
    await served.plane.kubectl(['annotate', 'namespace', 'billing', `${ownerAnnotation}-`]);
    await denied(['delete', ...mapArgs]);
    await denied(['delete', '--raw', '/api/v1/namespaces/ack-system/configmaps']);
  });

  test('may be one of a service, for its own resources', testLimit, async () => {
    const removal = ['patch', ...mapArgs, '--type=merge', '-p', JSON.stringify({ data: { [`s3.${c}`]: null } })];
    await denied(removal, `entry "s3.${c}"`, '"Bucket free/by-service"');
    const { stderr } = await served.plane.kubectl(removal, { expectCode: 1 });
    assert.ok(!stderr.includes('by-no-key'), stderr);
  });

  test('may go once the resources are deleted, as the message says', testLimit, async () => {
    await served.plane.kubectl(['delete', 'buckets.s3.services.k8s.aws', 'assets', '-n', 'left']);
    assert.deepEqual(warningsOf(await edit({ [a]: null })), []);
  });

  test('goes with a warning where not everything can be searched', testLimit, async () => {
    await edit({ [a]: roleOf(a) });
    // The webhook may not list what its release does not know.
    await installAckKinds(served.plane, [future]);
    const [warning = '', ...more] = warningsOf(await edit({ [a]: null }));
    assert.deepEqual(more, []);
    assert.ok(warning.includes(`ACK may need "${a}" for resources in unbound namespaces`), warning);
    assert.ok(warning.endsWith('(MappingUseUnverified)'), warning);
    assert.equal((await served.plane.request('GET', ackPath(future, 'free'))).status, 200);
    // What is found is an answer all the same.
    await denied(['patch', ...mapArgs, '--type=merge', '-p', JSON.stringify({ data: { [`s3.${c}`]: null } })]);
    await edit({ [b]: null });
  });
});
