import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { ControlPlane } from '../testbed/control-plane.ts';
import { ackPath, ackResource, ackStatus, bucketKind, installAckKinds } from './ack-crds.ts';
import { eventually } from './eventually.ts';
import { asList, type Manifest, ofKinds, only, pointAt, renderChart, webhookConfigurations } from './manifests.ts';
import { RecordingWebhook } from './recording-webhook.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'install.md'), 'utf8');
const section = page.split('## ACK controllers with other names\n')[1]?.split('\n## ')[0] ?? '';
const [capability = {}, otherNamespace = {}, twoNamespaces = {}, ...more] = [
  ...section.matchAll(/^```yaml\n([\s\S]*?)^```$/gm),
].map(([, text = '']) => parse(text) as object);
const session = 'arn:aws:sts::111122223333:assumed-role/AckCapability/session';
const lookalike = 'arn:aws:sts::111122223333:assumed-role/AckCapability-evil/session';
const inAck = 'system:serviceaccount:ack:ack-s3-controller';
const inAckSystem = 'system:serviceaccount:ack-system:ack-s3-controller';
const iamInAckSystem = 'system:serviceaccount:ack-system:ack-iam-controller';
const iamInAckIam = 'system:serviceaccount:ack-iam:ack-iam-controller';
const s3InAckIam = 'system:serviceaccount:ack-iam:ack-s3-controller';

/** The values of docs/install.md for ACK controllers with other names. */
describe('the values of the installation page', () => {
  let plane: ControlPlane;
  let webhook: RecordingWebhook;
  let turn = 0;

  before(
    async () => {
      const users = [session, lookalike, inAck, inAckSystem, iamInAckSystem, iamInAckIam, s3InAckIam].map(name => ({
        name,
        groups: ['system:masters'],
      }));
      plane = await ControlPlane.start({ users });
      webhook = await RecordingWebhook.start();
      await installAckKinds(plane, [bucketKind]);
      for (const name of ['ack', 'ack-iam', 'ack-system']) await plane.kubectl(['create', 'namespace', name]);
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
  });

  async function install(manifests: readonly Manifest[]): Promise<void> {
    const configurations = webhookConfigurations(manifests).map(one =>
      pointAt(one, ({ name }) => `${webhook.url}/${name}`, webhook.caPem),
    );
    await plane.kubectl(['apply', '--server-side', '-f', '-'], { input: asList(configurations) });
  }

  /** Which entries see a user create a Bucket and set its status. */
  async function seen(user: string): Promise<readonly string[]> {
    turn += 1;
    const name = `bucket-${turn}`;
    const token = plane.tokenOf(user);
    webhook.take();
    const body = ackResource(bucketKind, 'default', name);
    assert.equal((await plane.request('POST', ackPath(bucketKind, 'default'), body, { token })).status, 201);
    const status = ackStatus('111122223333', 'eu-central-1');
    const path = `${ackPath(bucketKind, 'default', name)}/status`;
    assert.equal((await plane.request('PATCH', path, { status }, { token })).status, 200);
    return webhook.take().map(({ path: entry }) => entry.slice(1));
  }

  async function seesMap(namespace: string): Promise<boolean> {
    webhook.take();
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ack-role-account-map' } };
    const path = `/api/v1/namespaces/${namespace}/configmaps?dryRun=All`;
    assert.equal((await plane.request('POST', path, body)).status, 201);
    return webhook.take().length > 0;
  }

  const all = ['resources.carm-webhook.dev', 'resources.carm-webhook.dev', 'status.carm-webhook.dev'];
  const limit = { timeout: 30_000 };
  const argsOf = (manifests: readonly Manifest[]): readonly string[] => {
    const spec = only(manifests, 'Deployment')['spec'] as {
      readonly template: { readonly spec: { readonly containers: readonly [{ readonly args: readonly string[] }] } };
    };
    return spec.template.spec.containers[0].args;
  };

  test('for the EKS capability let by its sessions, and no role that is named like it', limit, async () => {
    const manifests = await renderChart(capability);
    assert.equal(argsOf(manifests).at(-1), '--ack-identities=arn:aws:sts::111122223333:assumed-role/AckCapability/');
    await install(manifests);
    await eventually('the configurations are in force', async () =>
      (await seen(lookalike)).length === 3 ? true : undefined,
    );
    assert.deepEqual(await seen(session), []);
    assert.deepEqual(await seen(lookalike), all);
    assert.deepEqual(await seen(inAckSystem), []);
    assert.deepEqual(await seen(inAck), all);
  });

  test("for another namespace of ACK's let by what is there, and look at its maps", limit, async () => {
    const manifests = await renderChart(otherNamespace);
    assert.ok(argsOf(manifests).includes('--ack-system-namespace=ack'));
    assert.doesNotMatch(argsOf(manifests).join(' '), /ack-system(?!-namespace)/);
    assert.deepEqual(
      ofKinds(manifests, 'Role', 'RoleBinding').map(({ metadata }) => metadata.namespace),
      ['ack', 'ack'],
    );
    await install(manifests);
    await eventually('the configurations are in force', async () =>
      (await seen(inAck)).length === 0 ? true : undefined,
    );
    assert.deepEqual(await seen(inAckSystem), all);
    assert.deepEqual(await seen(session), all);
    assert.deepEqual([await seesMap('ack'), await seesMap('ack-system')], [true, false]);
  });

  test('for two namespaces, one of them for some services, let by each for what it serves', limit, async () => {
    const manifests = await renderChart(twoNamespaces);
    assert.ok(argsOf(manifests).includes('--ack-system-namespace=ack-system,ack-iam=iam+sts'));
    await install(manifests);
    await eventually('the configurations are in force', async () =>
      (await seen(inAckSystem)).length === 0 ? true : undefined,
    );
    assert.deepEqual(await seen(iamInAckIam), []);
    // The other one's service, or not the namespace's.
    assert.deepEqual(await seen(iamInAckSystem), all);
    assert.deepEqual(await seen(s3InAckIam), all);
    assert.deepEqual(await seen(inAck), all);
    assert.deepEqual(
      [await seesMap('ack-iam'), await seesMap('ack-system'), await seesMap('ack')],
      [true, true, false],
    );
  });

  test('are these three', () => assert.deepEqual(more, []));
});
