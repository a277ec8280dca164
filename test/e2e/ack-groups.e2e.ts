import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ackCommonGroup, isAckGroup } from '../../src/accounts/ack-service.ts';
import { ackServices } from '../../src/accounts/ack-services.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { type AckKind, ackPath, ackResource, ackStatus, bucketKind, installAckKinds } from './ack-crds.ts';
import { eventually } from './eventually.ts';
import {
  asList,
  ofKinds,
  pointAt,
  renderChart,
  renderDeploy,
  renderForEveryGroup,
  type WebhookEntry,
  webhookConfigurations,
} from './manifests.ts';
import { RecordingWebhook } from './recording-webhook.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
}

interface AccessRule {
  readonly apiGroups?: readonly string[];
  /** Undefined in a rule about paths. */
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
}

const entriesOfAck = ['resources.carm-webhook.dev', 'status.carm-webhook.dev'];
const future: AckKind = { ...bucketKind, group: 'quantum.services.k8s.aws', kind: 'Device', plural: 'devices' };
/** Like one of ACK's, but for the dot. */
const notAck: AckKind = { ...future, group: 'myservices.k8s.aws' };

function rulesOfAck(entries: readonly WebhookEntry[]): readonly Rule[] {
  return entries.filter(({ name }) => entriesOfAck.includes(name)).flatMap(entry => entry['rules'] as readonly Rule[]);
}

describe("the groups of ACK's resources", () => {
  const every = [ackCommonGroup, ...ackServices.map(alias => `${alias}.${ackCommonGroup}`)];

  test('are in deploy/ as they are in the list of facts', async () => {
    const rules = rulesOfAck(webhookConfigurations(await renderDeploy()).flatMap(({ webhooks }) => webhooks));
    assert.equal(rules.length, 3);
    for (const { apiGroups, apiVersions } of rules) {
      assert.deepEqual([...apiGroups].sort(), [...every].sort());
      assert.deepEqual(apiVersions, ['*']);
    }
  });

  test('may be listed, those of services and no other', async () => {
    const roles = ofKinds(await renderDeploy(), 'ClusterRole');
    assert.deepEqual(
      roles.map(({ metadata }) => metadata.name),
      ['carm-webhook', 'carm-webhook-reader'],
    );
    for (const role of roles) {
      const rules = role['rules'] as readonly AccessRule[];
      const [lists, ...more] = rules.filter(({ resources }) => resources?.includes('*'));
      assert.deepEqual(more, []);
      assert.deepEqual([...(lists?.apiGroups ?? [])].sort(), every.filter(group => group !== ackCommonGroup).sort());
      assert.deepEqual(lists?.verbs, ['list']);
    }
  });

  const folder = process.env['ACK_CRDS'] ?? '';
  test('are all that ACK has', { skip: folder === '' && 'ACK_CRDS is not set' }, () => {
    const facts = JSON.parse(readFileSync(join(folder, 'ack-groups-kinds.json'), 'utf8')) as {
      readonly groups: object;
    };
    const known = Object.keys(facts.groups);
    assert.ok(known.length > 60);
    for (const group of known) {
      assert.ok(isAckGroup(group));
      assert.ok(every.includes(group), group);
    }
  });
});

describe('the value ack.everyGroup', () => {
  let plane: ControlPlane;
  let webhook: RecordingWebhook;

  before(
    async () => {
      plane = await ControlPlane.start();
      webhook = await RecordingWebhook.start();
      await installAckKinds(plane, [bucketKind, future, notAck]);
      await install(await renderDeploy());
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
  });

  async function install(manifests: Awaited<ReturnType<typeof renderDeploy>>): Promise<void> {
    const configurations = webhookConfigurations(manifests).map(configuration =>
      pointAt(configuration, ({ name }) => `${webhook.url}/${name}`, webhook.caPem),
    );
    await plane.kubectl(['apply', '--server-side', '-f', '-'], { input: asList(configurations) });
  }

  /** Which entries see a resource being created, and its status being set. */
  async function seen(kind: AckKind, name: string): Promise<readonly string[]> {
    webhook.take();
    const created = await plane.request('POST', ackPath(kind, 'default'), ackResource(kind, 'default', name));
    assert.equal(created.status, 201, JSON.stringify(created.body));
    const status = ackStatus('111122223333', 'eu-central-1');
    const set = await plane.request('PATCH', `${ackPath(kind, 'default', name)}/status`, { status });
    assert.equal(set.status, 200, JSON.stringify(set.body));
    return webhook.take().map(({ path }) => path.slice(1));
  }

  const all = ['resources.carm-webhook.dev', 'resources.carm-webhook.dev', 'status.carm-webhook.dev'];
  const limit = { timeout: 30_000 };

  test('is needed for a group that is younger than the list', limit, async () => {
    let turn = 0;
    await eventually('the configurations are in force', async () => {
      turn += 1;
      return (await seen(bucketKind, `before-${turn}`)).length === 3 ? true : undefined;
    });
    assert.deepEqual(await seen(future, 'before'), []);
  });

  test('makes the entries see it, and nothing that is not of ACK', limit, async () => {
    await install(await renderForEveryGroup());
    let turn = 0;
    const devices = await eventually('the configurations are in force', async () => {
      turn += 1;
      const entries = await seen(future, `after-${turn}`);
      return entries.length === 3 ? entries : undefined;
    });
    assert.deepEqual(devices, all);
    assert.deepEqual(await seen(bucketKind, 'after'), all);
    assert.deepEqual(await seen(notAck, 'after'), []);
    webhook.take();
    await plane.kubectl(['create', 'configmap', 'plain', '-n', 'default']);
    await plane.kubectl(['create', 'clusterrole', 'plain', '--verb=get', '--resource=pods']);
    assert.deepEqual(webhook.take(), []);
  });

  test('has every other condition left as it is', async () => {
    const conditions = (manifests: Awaited<ReturnType<typeof renderDeploy>>) =>
      webhookConfigurations(manifests).map(({ webhooks }) =>
        webhooks.map(({ name, matchConditions }) => ({
          name,
          conditions: matchConditions.filter(condition => condition.name !== 'ack-group'),
        })),
      );
    assert.deepEqual(conditions(await renderForEveryGroup()), conditions(await renderChart({})));
  });
});
