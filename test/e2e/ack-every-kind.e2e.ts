import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, type TestContext, test } from 'node:test';
import {
  type AckKind,
  ackPath,
  ackResource,
  bucketKind,
  installAckKinds,
  roleSelector,
  roleSelectorKind,
  type StoredResource,
} from './ack-crds.ts';
import { namespace, ownerAnnotation, pod, serviceAccount } from './cluster-objects.ts';
import { eachAtOnce, everyAckKind } from './every-ack-kind.ts';
import { sumOf } from './metric-sum.ts';
import { ServedPlane } from './served-plane.ts';

const account = '111122223333';
const role = `arn:aws:iam::${account}:role/shop`;
const region = 'eu-central-1';

describe("all kinds of ACK's services at once", () => {
  const kinds = everyAckKind();
  let served: ServedPlane;
  let beforehand: Cost;

  interface Cost {
    readonly podMs: number;
    readonly residentMb: number;
  }

  before(
    async () => {
      served = await ServedPlane.start({ flags: ['--feature-gates=IAMRoleSelector=true'], map: { [account]: role } });
      await installAckKinds(served.plane, [roleSelectorKind]);
      const annotations = { [ownerAnnotation]: account, 'services.k8s.aws/default-region': region };
      await served.apply([
        namespace('shop', { annotations }),
        serviceAccount('shop', 'app'),
        roleSelector('shop', { arn: role, namespaceSelector: { names: ['shop'] } }),
      ]);
      beforehand = await cost();
      await installAckKinds(served.plane, kinds);
    },
    { timeout: 180_000 },
  );
  after(() => served?.stop());

  /** What a pod takes, and the webhook's memory. */
  async function cost(): Promise<Cost> {
    const timesMs: number[] = [];
    for (let index = 0; index < 300; index += 1) {
      const start = performance.now();
      const { status } = await served.plane.request(
        'POST',
        '/api/v1/namespaces/shop/pods?dryRun=All',
        pod('shop', 'web'),
      );
      timesMs.push(performance.now() - start);
      assert.equal(status, 201);
    }
    timesMs.sort((a, b) => a - b);
    const status = readFileSync(`/proc/${served.webhook.pid}/status`, 'utf8');
    return { podMs: timesMs[150] ?? 0, residentMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024 };
  }

  const resourceOf = (kind: AckKind) => ackResource(kind, 'shop', 'one', {}, { name: 'one' });
  const remove = () => served.plane.request<{ message?: string }>('DELETE', ackPath(roleSelectorKind, '', 'shop'));
  const searchMs = async (t: TestContext, what: string) => {
    const start = performance.now();
    const answer = await remove();
    t.diagnostic(`${what}: ${Math.round(performance.now() - start)} ms`);
    return answer;
  };

  test('are as many as ACK has', () => assert.ok(kinds.length >= 250, String(kinds.length)));

  test('each is seen, and completed with its region', { timeout: 120_000 }, async () => {
    await eachAtOnce(kinds, async kind => {
      const { status, body } = await served.plane.request<StoredResource>(
        'POST',
        ackPath(kind, 'shop'),
        resourceOf(kind),
      );
      assert.equal(status, 201, `${kind.kind}: ${JSON.stringify(body)}`);
      assert.equal(body.metadata.annotations?.['services.k8s.aws/region'], region, kind.kind);
    });
    const completed = { webhook: 'resources.carm-webhook.dev', reason: 'Completed' };
    assert.equal(sumOf(await served.webhook.metrics(), 'carm_webhook_reviews_total', completed), kinds.length);
  });

  test('change nothing for pods, nor the memory of the webhook', { timeout: 60_000 }, async t => {
    const now = await cost();
    t.diagnostic(`a pod took ${beforehand.podMs.toFixed(2)} ms without them, ${now.podMs.toFixed(2)} ms with them`);
    t.diagnostic(`the webhook had ${Math.round(beforehand.residentMb)} MB, ${Math.round(now.residentMb)} MB`);
    // The machine may be busy with something else: twice is far from what 256 of anything would cost.
    assert.ok(now.podMs < 2 * beforehand.podMs + 5);
    assert.ok(now.residentMb < beforehand.residentMb + 64);
  });

  test('a selector is found in use among them, and free when all are gone', { timeout: 120_000 }, async t => {
    const used = await searchMs(t, 'the first of them are found');
    assert.equal(used.status, 403);
    assert.match(used.body.message ?? '', /and others\. .*\(SelectorInUse\)$/);
    const [last] = kinds.slice(-1);
    await eachAtOnce(kinds.slice(0, -1), async kind => {
      assert.equal((await served.plane.request('DELETE', ackPath(kind, 'shop', 'one'))).status, 200, kind.kind);
    });
    const rest = await searchMs(t, 'the last one is found');
    assert.match(rest.body.message ?? '', new RegExp(`: "${last?.kind} shop/one"\\. .*\\(SelectorInUse\\)$`));
    assert.equal((await served.plane.request('DELETE', ackPath(last ?? bucketKind, 'shop', 'one'))).status, 200);
    const free = await searchMs(t, 'none is found');
    assert.equal(free.status, 200, free.body.message);
  });
});
