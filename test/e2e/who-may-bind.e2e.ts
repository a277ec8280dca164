import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { RequestOptions } from '../testbed/api-client.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { pastTheWebhook } from './ack-crds.ts';
import { roleMap } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { FaultyProxy, kubeconfigThrough } from './faulty-proxy.ts';
import { asList, only } from './manifests.ts';
import { sumOf } from './metric-sum.ts';
import { PageCommands } from './page-commands.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

/** Who may bind, by identity and change, with --authorize-bindings and without. */

const a = '111122223333';
const b = '444455556666';
const owner = 'services.k8s.aws/owner-account-id';
const override = 'carm-webhook.dev/allow-rebind';
const inject = 'carm-webhook.dev/inject';
const mode = 'carm-webhook.dev/mode';
const examples = join(import.meta.dirname, '..', '..', 'deploy', 'examples', 'who-may-bind');
const values = { authorizeBindings: { enabled: true } };
const rbac = 'rbac.authorization.k8s.io';
const limit = { timeout: 60_000 };

/** The namespaces that are there; every change of one is a dry run, so they stay as they are. */
const there = {
  free: { metadata: {} },
  'bound-a': { metadata: { annotations: { [owner]: a }, labels: { [inject]: 'enabled' } } },
  'audited-a': { metadata: { annotations: { [owner]: a }, labels: { [inject]: 'enabled', [mode]: 'audit' } } },
  'must-be-bound': { metadata: { labels: { [inject]: 'enabled' } } },
} as const;
type There = keyof typeof there;

/** The changes, as merge patches of a namespace's metadata. */
const changes = {
  'bind to A': ['free', { annotations: { [owner]: a } }],
  'bind to B': ['free', { annotations: { [owner]: b } }],
  'move from A to B': ['bound-a', { annotations: { [owner]: b } }],
  unbind: ['bound-a', { annotations: { [owner]: null } }],
  'opt out': ['bound-a', { labels: { [inject]: 'disabled' } }],
  'weaken the mode': ['bound-a', { labels: { [mode]: 'audit' } }],
  'leave resources of B behind': ['bound-a', { annotations: { [override]: b } }],
  'let out what must be bound': ['must-be-bound', { labels: { [inject]: null } }],
  'bind to what is no account': ['free', { annotations: { [owner]: `s3.${a}` } }],
  'strengthen the mode': ['audited-a', { labels: { [mode]: 'enforce' } }],
  'add a label of others': ['bound-a', { labels: { team: 'a' } }],
} as const satisfies Readonly<Record<string, readonly [There, object]>>;
type Change = keyof typeof changes;

/** What the API server answers: `rbac` where it does not even ask the webhook. */
type Answer = 'allowed' | 'BindingForbidden' | 'rbac';

const all: readonly Change[] = Object.keys(changes) as Change[];
const harmless: readonly Change[] = ['strengthen the mode', 'add a label of others'];

/** Who makes a change: a user of the plane, or a ServiceAccount, and whom they impersonate. */
interface Identity {
  readonly user?: string;
  readonly serviceAccount?: readonly [namespace: string, name: string];
  readonly as?: { readonly user: string; readonly groups?: readonly string[] };
  /** What they may do with the flag; the rest is denied. Without the flag they may do all. */
  readonly may: readonly Change[];
  /** Whether the API server's own rules let them change namespaces at all. */
  readonly edits?: false;
}

const table: Readonly<Record<string, Identity>> = {
  'the administrator': { user: 'root', may: all },
  'the platform team': { user: 'platform-user', may: all },
  'a tenant with edit': { user: 'tenant', may: [], edits: false },
  'a tenant who may edit their Namespace and bind A': {
    user: 'team-a-user',
    may: [...harmless, 'bind to A', 'unbind', 'opt out', 'weaken the mode'],
  },
  'a tenant who may create namespaces': { user: 'creator', may: harmless },
  'a GitOps controller': { serviceAccount: ['argocd', 'argocd-application-controller'], may: all },
  'who impersonates one of the platform team': {
    user: 'impersonator',
    as: { user: 'somebody', groups: ['platform-team', 'editors'] },
    may: all,
  },
  'who may impersonate users, and no groups': {
    user: 'half-impersonator',
    as: { user: 'platform-user' },
    may: harmless,
  },
  "one of ACK's controllers": { serviceAccount: ['ack-system', 'ack-s3-controller'], may: harmless },
};

const users = [
  { name: 'root', groups: ['system:masters'] },
  { name: 'platform-user', groups: ['platform-team', 'editors'] },
  { name: 'tenant' },
  { name: 'team-a-user', groups: ['team-a'] },
  { name: 'creator', groups: ['editors'] },
  { name: 'impersonator' },
  { name: 'half-impersonator' },
];

const clusterRole = (name: string, rules: readonly object[]): object => ({
  apiVersion: `${rbac}/v1`,
  kind: 'ClusterRole',
  metadata: { name },
  rules,
});
const bindingOf = (role: string, subjects: readonly object[], namespace?: string, name = role): object => ({
  apiVersion: `${rbac}/v1`,
  kind: namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
  metadata: { name, namespace },
  roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: role },
  subjects,
});
const user = (name: string): object => ({ apiGroup: rbac, kind: 'User', name });
const group = (name: string): object => ({ apiGroup: rbac, kind: 'Group', name });
const account = (namespace: string, name: string): object => ({ kind: 'ServiceAccount', namespace, name });

/** What lets everybody but the tenant with edit change namespaces, so that the webhook decides. */
const editing: readonly object[] = [
  clusterRole('namespace-editor', [
    {
      apiGroups: [''],
      resources: ['namespaces', 'namespaces/status', 'namespaces/finalize'],
      verbs: ['get', 'create', 'update', 'patch'],
    },
  ]),
  bindingOf('namespace-editor', [
    group('editors'),
    user('platform-user'),
    account('argocd', 'argocd-application-controller'),
    account('ack-system', 'ack-s3-controller'),
  ]),
  clusterRole('impersonate-anybody', [{ apiGroups: [''], resources: ['users', 'groups'], verbs: ['impersonate'] }]),
  bindingOf('impersonate-anybody', [user('impersonator')]),
  clusterRole('impersonate-users', [{ apiGroups: [''], resources: ['users'], verbs: ['impersonate'] }]),
  bindingOf('impersonate-users', [user('half-impersonator')]),
  ...Object.keys(there).flatMap(namespace => [
    bindingOf('edit', [user('tenant')], namespace, 'tenant'),
    bindingOf('namespace-editor', [user('team-a-user')], namespace, 'self-service'),
    // A Role or a RoleBinding does not grant bind, not even with all verbs.
    bindingOf('cluster-admin', [user('creator')], namespace, 'everything'),
  ]),
];

interface Status {
  readonly message?: string;
}

describe('who may bind', () => {
  let plane: ControlPlane;
  let proxy: FaultyProxy;
  let webhook: WebhookUnderTest;

  before(
    async () => {
      plane = await ControlPlane.start({ users });
      proxy = await FaultyProxy.start(plane.url);
      const kubeconfig = await kubeconfigThrough(plane, proxy);
      webhook = await WebhookUnderTest.start(plane, {
        flags: ['--authorize-bindings'],
        values,
        kubeconfig,
      });
      const role = (id: string): string => `arn:aws:iam::${id}:role/ack`;
      const namespaces = ['argocd', ...Object.keys(there)].map(name => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name, ...(there[name as There]?.metadata ?? {}) },
      }));
      const accounts = [
        ['argocd', 'argocd-application-controller'],
        ['ack-system', 'ack-s3-controller'],
      ].map(([namespace, name]) => ({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } }));
      const input = asList([...namespaces, ...accounts, roleMap({ [a]: role(a), [b]: role(b) }), ...editing]);
      await plane.kubectl(['apply', '-f', '-'], { input, as: pastTheWebhook });
      await plane.kubectl(['apply', '-f', examples]);
      await webhook.install();
    },
    { timeout: 90_000 },
  );
  after(async () => {
    await webhook?.stop();
    await proxy?.stop();
    await plane?.stop();
  });

  async function callerOf({ user: name, serviceAccount, as }: Identity): Promise<RequestOptions> {
    const token = serviceAccount === undefined ? plane.tokenOf(name ?? '') : await plane.tokenFor(...serviceAccount);
    const headers = {
      ...(as && { 'Impersonate-User': as.user }),
      ...(as?.groups && { 'Impersonate-Group': as.groups }),
    };
    return { token, headers };
  }

  function answerOf(status: number, { message = '' }: Status): Answer {
    if (status === 200 || status === 201) return 'allowed';
    assert.equal(status, 403, message);
    if (message.includes('(BindingForbidden)')) return 'BindingForbidden';
    assert.match(message, /is forbidden: User "/);
    return 'rbac';
  }

  async function patch(caller: RequestOptions, change: Change, subresource = ''): Promise<Answer> {
    const [namespace, metadata] = changes[change];
    const path = `/api/v1/namespaces/${namespace}${subresource}?dryRun=All`;
    const { status, body } = await plane.request<Status>('PATCH', path, { metadata }, caller);
    return answerOf(status, body);
  }

  async function answersOf(identity: Identity): Promise<Readonly<Record<string, Answer>>> {
    const caller = await callerOf(identity);
    const answers = all.map(async change => [change, await patch(caller, change)] as const);
    return Object.fromEntries(await Promise.all(answers));
  }

  /** One that is impersonated has the rights to edit of whom they are, which the API server asks first. */
  function expected(identity: Identity, flag: boolean): Readonly<Record<string, Answer>> {
    const { may, edits = true } = identity;
    const denied: Answer = edits ? 'BindingForbidden' : 'rbac';
    return Object.fromEntries(all.map(each => [each, edits && (!flag || may.includes(each)) ? 'allowed' : denied]));
  }

  describe('with the flag', () => {
    test('the value sets it', () => {
      const spec = only(webhook.manifests, 'Deployment')['spec'];
      assert.match(JSON.stringify(spec), /"--authorize-bindings"/);
    });

    for (const [who, identity] of Object.entries(table)) {
      test(who, limit, async () => assert.deepEqual(await answersOf(identity), expected(identity, true)));
    }

    test('by status, finalize, server-side apply, replace and generateName it is the same', limit, async () => {
      const creator = { token: plane.tokenOf('creator') };
      const platform = { token: plane.tokenOf('platform-user') };
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'free', annotations: { [owner]: a } } };
      const spec = { finalizers: ['kubernetes'] };
      const { name: _, ...rest } = object.metadata;
      const generated = { ...object, metadata: { ...rest, generateName: 'free-' } };
      const path = '/api/v1/namespaces';
      const ways: readonly ((caller: RequestOptions) => Promise<{ status: number; body: Status }>)[] = [
        caller =>
          plane.request<Status>('PATCH', `${path}/free/status?dryRun=All`, { metadata: object.metadata }, caller),
        caller => plane.request<Status>('PUT', `${path}/free/finalize?dryRun=All`, { ...object, spec }, caller),
        caller =>
          plane.request<Status>('PATCH', `${path}/free?dryRun=All&fieldManager=table`, object, {
            ...caller,
            contentType: 'application/apply-patch+yaml',
          }),
        caller => plane.request<Status>('PUT', `${path}/free?dryRun=All`, object, caller),
        caller => plane.request<Status>('POST', `${path}?dryRun=All`, generated, caller),
      ];
      for (const way of ways) {
        for (const [caller, answer] of [
          [creator, 'BindingForbidden'],
          [platform, 'allowed'],
        ] as const) {
          const { status, body } = await way(caller);
          assert.equal(answerOf(status, body), answer, `${way}`);
        }
      }
    });

    test('kubectl replace and create say who lacks what, and the command shows it', limit, async () => {
      const kubeconfig = plane.kubeconfigFor({ user: 'team-a-user' });
      const object = {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: 'bound-a', annotations: { [owner]: b } },
      };
      const input = JSON.stringify(object);
      const { stderr } = await plane.kubectl(['replace', '-f', '-'], { kubeconfig, input, expectCode: 1 });
      const words = [
        'admission webhook "namespaces.carm-webhook.dev" denied the request: ',
        `Namespace "bound-a": user "team-a-user" lacks the verb bind on accounts.carm-webhook.dev/${b} (for the new binding). `,
        'Ask your platform team to make this change, or grant that by RBAC. ',
      ];
      assert.ok(stderr.includes(words.join('')), stderr);
      const { body } = await plane.request<{ metadata: { annotations: Record<string, string> } }>(
        'GET',
        '/api/v1/namespaces/bound-a',
      );
      assert.equal(body.metadata.annotations[owner], a);

      assert.match(
        stderr,
        /To list what you may bind, run: kubectl auth can-i --list \| grep carm-webhook\.dev \(BindingForbidden\)$/m,
      );
      const { stdout } = await plane.kubectl(['auth', 'can-i', '--list'], { kubeconfig });
      const listed = stdout.split('\n').filter(line => line.includes('carm-webhook.dev'));
      assert.deepEqual(
        listed.map(line => line.split(/\s+/)),
        [['accounts.carm-webhook.dev', '[]', `[${a}]`, '[bind]']],
      );
      // Why the message does not say so: of a resource that no API has, kubectl asks by another name.
      const ask = ['auth', 'can-i', 'bind', `accounts.carm-webhook.dev/${a}`, '--all-namespaces'];
      assert.equal((await plane.kubectl(ask, { kubeconfig, expectCode: 1 })).stdout.trim(), 'no');
    });

    test('the commands of the page show who may bind', limit, async () => {
      const page = new PageCommands('who-may-bind.md', { plane, cwd: webhook.plane.dataFolder });
      assert.match(await page.run('First grant'), /"manager": "kubectl/);
      const shows = 'See what somebody may bind';
      const gitops = 'system:serviceaccount:argocd:argocd-application-controller';
      const listed = await page.run(shows, { BINDER: gitops });
      assert.match(listed, /^accounts\.carm-webhook\.dev +\[\] +\[\] +\[bind\]$/m);
      assert.equal(await page.run(shows, { BINDER: gitops, ACCOUNT: b }, 1), 'true\n');
      assert.equal(await page.run(shows, { BINDER: 'creator', ACCOUNT: b }, 1), 'false\n');
      assert.deepEqual(page.notRun, []);
    });

    test('what is granted or taken counts at once, for the API server knows it first', limit, async () => {
      const creator = { token: plane.tokenOf('creator') };
      const path = `/apis/${rbac}/v1/clusterrolebindings`;
      const grant = bindingOf('carm-webhook-bind-111122223333', [user('creator')], undefined, 'just-granted');
      assert.equal((await plane.request('POST', path, grant)).status, 201);
      const becomes = (answer: Answer) => async () => (await patch(creator, 'bind to A')) === answer || undefined;
      await eventually('the grant counts', becomes('allowed'));
      assert.equal(await patch(creator, 'bind to B'), 'BindingForbidden');
      assert.equal((await plane.request('DELETE', `${path}/just-granted`)).status, 200);
      await eventually('the grant is gone', becomes('BindingForbidden'));
    });

    test('where the webhook may not ask, nobody binds', limit, async () => {
      const platform = { token: plane.tokenOf('platform-user') };
      const path = `/apis/${rbac}/v1/clusterrolebindings/carm-webhook-authorize-bindings`;
      const { body: stored } = await plane.request<object>('GET', path);
      const subjects = (to: readonly object[]) => plane.request('PATCH', path, { subjects: to });
      assert.equal((await subjects([])).status, 200);
      const bind = () =>
        plane.request<Status>(
          'PATCH',
          '/api/v1/namespaces/free?dryRun=All',
          { metadata: changes['bind to A'][1] },
          platform,
        );
      const { message = '' } = await eventually('the right is gone', async () => {
        const { status, body } = await bind();
        return status === 503 ? body : undefined;
      });
      assert.match(
        message,
        /the answer on who may bind account "111122223333" could not be read: the API server answered 403/,
      );
      assert.match(message, /\(Unverified\)$/);
      assert.equal(await patch(platform, 'strengthen the mode'), 'allowed', 'what needs no grant is not held up');
      assert.equal((await subjects((stored as { subjects: readonly object[] }).subjects)).status, 200);
      await eventually('the right is back', async () => ((await bind()).status === 200 ? true : undefined));
    });

    test('while the API server does not answer, nobody binds, whatever the mode', limit, async () => {
      const platform = { token: plane.tokenOf('platform-user') };
      proxy.freeze({ direction: 'from-server', connections: 'all' });
      try {
        const moves = { metadata: { annotations: { [owner]: b } } };
        const from = performance.now();
        const path = '/api/v1/namespaces/audited-a?dryRun=All';
        const { status, body } = await plane.request<Status>('PATCH', path, moves, platform);
        assert.equal(status, 503, body.message);
        assert.match(body.message ?? '', /who may bind account "\d+" could not be read: .*\(Unverified\)$/);
        assert.ok(performance.now() - from < 6_000, 'the answer comes before the API server gives up');
        assert.equal(await patch(platform, 'strengthen the mode'), 'allowed', 'what needs no grant is not held up');
      } finally {
        proxy.cut();
        proxy.thaw();
      }
      await eventually('bindings are allowed again', async () => {
        const path = '/api/v1/namespaces/free?dryRun=All';
        const { status } = await plane.request('PATCH', path, { metadata: changes['bind to A'][1] }, platform);
        return status === 200 ? true : undefined;
      });
    });

    test('the reviews are counted', limit, async () => {
      const metrics = await webhook.metrics();
      const count = (result: string) =>
        sumOf(metrics, 'carm_webhook_live_reads_total', { resource: 'subjectaccessreviews', result });
      for (const result of ['found', 'absent', 'error']) assert.ok(count(result) > 0, result);
    });
  });

  describe('without the flag', () => {
    before(async () => {
      await webhook.stop();
      webhook = await WebhookUnderTest.start(plane);
      await webhook.install();
    }, limit);

    for (const [who, identity] of Object.entries(table)) {
      test(who, limit, async () => assert.deepEqual(await answersOf(identity), expected(identity, false)));
    }
  });
});
