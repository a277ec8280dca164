import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runBundle } from '../cli/command-runs.ts';
import { BoundNamespace, setAccountMap } from '../e2e/bound-namespace.ts';
import { eventually } from '../e2e/eventually.ts';
import { WebhookUnderTest } from '../e2e/webhook-under-test.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { webIdentityTrust } from './iam-account.ts';
import { issuerOf } from './plane-issuer.ts';
import { type Aws, startAws } from './start-aws.ts';

/** --verify-roles as the chart's verifyRoles.enabled installs it: on a real kube-apiserver, and on AWS accounts that judge its token. */

const issuer = 'https://kubernetes.default.svc';
const usable = '222222222222';
const bare = '333333333333';

interface Event {
  readonly reason: string;
  readonly type: string;
  readonly note: string;
  readonly reportingController: string;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/self-subject-rules-review-v1/ */
interface RulesReview {
  readonly status: {
    readonly resourceRules: readonly {
      readonly apiGroups: readonly string[];
      readonly resources: readonly string[];
      readonly verbs: readonly string[];
    }[];
  };
}

describe('verifyRoles.enabled of the chart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'carm-verify-'));
  let plane: ControlPlane;
  let aws: Aws;
  let webhook: WebhookUnderTest;

  before(
    async () => {
      [plane, aws] = await Promise.all([ControlPlane.start(), startAws()]);
      const { issuer, keys } = await issuerOf(plane);
      aws.setIssuerKeys(issuer, keys);
      // One account as it should be, with a role that lets exactly the pods in, and one without a provider.
      const subjects = ['system:serviceaccount:good:app', 'system:serviceaccount:broken:app'];
      await aws.iam(usable).createOidcProvider(issuer);
      for (const account of [usable, bare]) {
        const iam = aws.iam(account);
        await iam.createRole({ name: 'pods', trust: webIdentityTrust(iam, issuer, subjects) });
      }
      const tokenFile = join(folder, 'token');
      webhook = await WebhookUnderTest.start(plane, {
        values: { verifyRoles: { enabled: true } },
        flags: ['--verify-roles'],
        env: { POD_NAME: 'replica-a', AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile, AWS_ENDPOINT_URL_STS: aws.endpoint },
      });
      const audience = 'sts.amazonaws.com';
      writeFileSync(tokenFile, await plane.tokenFor('carm-webhook', 'carm-webhook', { audience }));
      await setAccountMap(plane, { [usable]: aws.iam(usable).roleArn('pods'), [bare]: aws.iam(bare).roleArn('pods') });
      await webhook.install();
      await BoundNamespace.create(plane, 'good', { accountId: usable });
      await BoundNamespace.create(plane, 'broken', { accountId: bare });
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await webhook?.stop();
    await plane?.stop();
    await aws?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const eventsOf = async (namespace: string): Promise<readonly Event[]> => {
    const path = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
    return (await plane.request<{ readonly items: readonly Event[] }>('GET', path)).body.items;
  };
  const createPod = async (namespace: string, name: string): Promise<readonly string[]> => {
    const spec = { serviceAccountName: 'app', containers: [{ name: 'app', image: 'app' }] };
    const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
    const { status, body, warnings } = await plane.request('POST', path, { metadata: { name }, spec });
    assert.equal(status, 201, JSON.stringify(body));
    return warnings;
  };
  const check = () =>
    runBundle(['check', '--kubeconfig', plane.adminKubeconfig, '--default-region=eu-central-1', '-o', 'json']);
  const metric = async (series: string): Promise<number> => {
    const line = (await webhook.metrics()).split('\n').find(each => each.startsWith(`${series} `));
    return Number(line?.slice(series.length));
  };
  const logged = async (msg: string): Promise<boolean> =>
    (await readFile(webhook.logFile, 'utf8')).includes(`"msg":"${msg}"`);

  test('the namespace of the account without a provider has an event, where people look for it', async () => {
    const [event] = await eventually('the event is there', async () => {
      const events = await eventsOf('broken');
      return events.length > 0 ? events : undefined;
    });
    assert.equal(event?.reason, 'RoleBroken');
    assert.equal(event?.type, 'Warning');
    assert.equal(event?.reportingController, 'carm-webhook.dev/verify-roles');
    const { stdout } = await plane.kubectl(['get', 'events', '-n', 'broken']);
    assert.match(stdout, /Warning +RoleBroken +namespace\/broken +AWS will not accept the tokens of these pods/);
    const ofNamespace = await plane.kubectl(['events', '-n', 'broken', '--for', 'namespace/broken']);
    assert.match(ofNamespace.stdout, /account 333333333333 has no OIDC provider for this cluster/);
    assert.deepEqual(await eventsOf('good'), []);
  });

  test('its pods are created with a warning; those of the other account, whose role refuses the webhook, without', async () => {
    assert.deepEqual(await createPod('broken', 'web'), [
      'Pod "web": AWS will not give it the role: account 333333333333 has no OIDC provider for this cluster. Ask your platform team to create it (RoleBroken)',
    ]);
    assert.deepEqual(await createPod('good', 'web'), []);
  });

  test('STS judged the token of the webhook: what one account has no provider for, the other refuses by its role', async () => {
    for (const outcome of ['NoProvider', 'WebIdentityNotAuthorized']) {
      assert.ok((await metric(`carm_webhook_role_verifications_total{outcome="${outcome}"}`)) >= 1, outcome);
    }
    assert.equal(await metric('carm_webhook_verified_roles{result="unknown"}'), 1);
    const calls = aws.takeStsCalls();
    assert.ok(calls.length >= 2);
    assert.ok(calls.every(({ action }) => action === 'AssumeRoleWithWebIdentity'));
  });

  test('check finds it by the Lease of the server', async () => {
    const found = await eventually('check finds it', async () => {
      const { code, stdout } = await check();
      const { findings } = JSON.parse(stdout) as {
        findings: readonly { reason: string; object: object; fix: string }[];
      };
      const broken = findings.filter(({ reason }) => reason === 'RoleBroken');
      return code === 1 && broken.length > 0 ? broken : undefined;
    });
    assert.deepEqual(
      found.map(({ object }) => object),
      [{ kind: 'Namespace', namespace: '', name: 'broken' }],
    );
  });

  test('once the provider is created, the warning goes away by itself', { timeout: 40_000 }, async () => {
    await aws.iam(bare).createOidcProvider(issuer);
    const gone = async () => ((await createPod('broken', 'web')).length === 0 ? true : undefined);
    await eventually('no pod is warned any more', gone, 35_000);
    await eventually('check finds nothing more', async () =>
      (await check()).stdout.includes('RoleBroken') ? undefined : true,
    );
    assert.equal(await metric('carm_webhook_verified_roles{result="broken"}'), 0);
    assert.equal((await eventsOf('broken')).length, 1);
  });

  test('the rights of the component are enough, and it may write nothing else', async () => {
    for (const msg of ['event not written', 'other replicas not known', 'role not verified']) {
      assert.equal(await logged(msg), false, msg);
    }
    const granted = [];
    for (const namespace of ['broken', 'carm-webhook']) {
      const headers = { 'Impersonate-User': 'system:serviceaccount:carm-webhook:carm-webhook' };
      const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews';
      const { body } = await plane.request<RulesReview>('POST', path, { spec: { namespace } }, { headers });
      for (const { apiGroups, resources, verbs } of body.status.resourceRules) {
        // Every user may ask about themselves.
        if (apiGroups.some(group => group.endsWith('.k8s.io') && /^auth/.test(group))) continue;
        const writes = verbs.filter(verb => !['get', 'list', 'watch'].includes(verb));
        if (writes.length > 0 || resources.includes('leases')) granted.push({ namespace, apiGroups, resources, verbs });
      }
    }
    const events = { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create'] };
    const leases = {
      apiGroups: ['coordination.k8s.io'],
      resources: ['leases'],
      verbs: ['create', 'delete', 'list', 'patch'],
    };
    const inOrder = granted.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    assert.deepEqual(inOrder, [
      { namespace: 'broken', ...events },
      { namespace: 'carm-webhook', ...leases },
      { namespace: 'carm-webhook', ...events },
    ]);
  });

  test('a server that ends removes its Lease', async () => {
    const leases = async () =>
      (await plane.kubectl(['get', 'leases', '-n', 'carm-webhook', '-o', 'name'])).stdout.trim();
    assert.equal(await leases(), 'lease.coordination.k8s.io/verify-roles.replica-a');
    await webhook.stopProcess();
    assert.equal(await leases(), '');
  });
});
