import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { type AckKind, ackPath, bucketKind, installAckKinds, type StoredResource } from './ack-crds.ts';
import {
  boundNamespace,
  container,
  deployment,
  injectLabel,
  pod,
  type StoredPod,
  serviceAccount,
} from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { assertInjected, assertUntouched } from './injected-pod.ts';
import { pageBlocks } from './page-blocks.ts';
import { PageCommands } from './page-commands.ts';
import { ServedPlane } from './served-plane.ts';

const account = '111122223333';
const roleOf = (name: string): string => `arn:aws:iam::${account}:role/${name}`;
const region = 'eu-central-1';
const testLimit = { timeout: 60_000 };

const others = { scope: 'Namespaced', versions: ['v1alpha2'] } as const;
const jenkinsKind: AckKind = { ...others, group: 'jenkins.io', kind: 'Jenkins', plural: 'jenkins' };
const applicationKind: AckKind = {
  ...others,
  group: 'argoproj.io',
  kind: 'Application',
  plural: 'applications',
  versions: ['v1alpha1'],
};

interface Labelled {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>>; readonly resourceVersion: string };
}

/** What the pages tell people to apply, applied; and what they claim of it. */
describe('the pages about other tools, and about a first role', () => {
  let served: ServedPlane;

  before(
    async () => {
      served = await ServedPlane.start({ controllerManager: true, map: { [account]: roleOf('ack') } });
      await installAckKinds(served.plane, [bucketKind]);
      // Those of other tools, with any fields.
      for (const kind of [jenkinsKind, applicationKind]) await installAckKinds(served.plane, [kind]);
    },
    { timeout: 120_000 },
  );
  after(() => served?.stop());

  function block(page: string, heading: string, index = 0, language = 'yaml'): string {
    const text = pageBlocks(page, language).get(heading)?.[index];
    assert.ok(text, `${page} has a ${language} block ${index} under ${heading}`);
    return text;
  }

  const kubectl = (input: string, ...args: readonly string[]) => served.plane.kubectl([...args, '-f', '-'], { input });

  /** Applies it twice: nothing is said, and nothing differs. */
  async function assertSettled(
    input: string,
    read: () => Promise<readonly Labelled[]>,
    ...flags: readonly string[]
  ): Promise<void> {
    const versions = async () => (await read()).map(({ metadata }) => metadata.resourceVersion);
    assert.equal((await kubectl(input, 'apply', ...flags)).stderr, '');
    const before = await versions();
    // It ends with 1 where there is a difference.
    assert.equal((await kubectl(input, 'diff', ...flags)).stdout, '');
    assert.equal((await kubectl(input, 'apply', ...flags)).stderr, '');
    assert.deepEqual(await versions(), before);
  }

  /** Namespace and ServiceAccounts, ready for pods. */
  async function prepare(name: string, ...accounts: readonly object[]): Promise<void> {
    await served.apply([boundNamespace(name, account), ...accounts]);
  }

  /** The role of pods in the map: one page sets another. */
  async function mappedRole(): Promise<string> {
    const path = '/api/v1/namespaces/ack-system/configmaps/ack-role-account-map';
    const { data } = await served.get<{ readonly data: Readonly<Record<string, string>> }>(path);
    return data[`pods.${account}`] ?? data[account] ?? '';
  }

  describe('first-role.md', () => {
    test('from the map to a Deployment whose pods have the role', testLimit, async () => {
      const page = new PageCommands('first-role.md', { plane: served.plane, cwd: served.plane.logFolder });
      await page.run('3. The account map');
      await page.run('4. The namespace');
      const applied = await kubectl(block('first-role.md', '5. The ServiceAccount and the workload'), 'apply');
      assert.equal(applied.stderr, '');
      const [made] = await eventually('the Deployment has a pod', async () => {
        const pods = await served.pods('first-team');
        return pods.length > 0 ? pods : undefined;
      });
      assertInjected(made as StoredPod, roleOf('first-team-workloads'), region);
      const role = roleOf('first-team-workloads');
      const looked = await page.run('6. Look at it');
      assert.match(looked, new RegExp(`^POD +ROLE\\napp-\\S+ +${role}\\n`));
      assert.match(looked, new RegExp(`^AWS_REGION=${region}\\nAWS_ROLE_ARN=${role}$`, 'm'));
      assert.deepEqual(page.notRun, []);
    });

    test('its trust policy names exactly that ServiceAccount, and the audience of the token', testLimit, async () => {
      const policy = JSON.parse(block('first-role.md', '2. The role, and whom it trusts', 0, 'json')) as {
        readonly Statement: readonly { readonly Condition: unknown }[];
      };
      const [made] = await served.pods('first-team');
      const { items } = await served.get<{ items: readonly { metadata: { name: string } }[] }>(
        '/api/v1/namespaces/first-team/serviceaccounts',
      );
      assert.ok(items.some(({ metadata }) => metadata.name === made?.spec.serviceAccountName));
      assert.deepEqual(policy.Statement[0]?.Condition, {
        StringEquals: {
          'OIDC_PROVIDER:aud': 'sts.amazonaws.com',
          'OIDC_PROVIDER:sub': `system:serviceaccount:first-team:${made?.spec.serviceAccountName}`,
        },
      });
    });
  });

  describe('ci-runners.md', () => {
    const page = 'ci-runners.md';
    const apart = 'Leave the pods out';

    before(() => prepare('ci', serviceAccount('ci', 'builds'), serviceAccount('ci', 'default')));

    /** A pod as its operator makes it of this template. */
    async function made(template: { readonly metadata?: object; readonly spec: object }): Promise<StoredPod> {
      const body = { ...template, metadata: { ...template.metadata, generateName: 'made-' } };
      const {
        status,
        body: answer,
        warnings,
      } = await served.plane.request<StoredPod>('POST', '/api/v1/namespaces/ci/pods', body);
      assert.equal(status, 201, JSON.stringify(answer));
      assert.deepEqual(warnings, []);
      return answer;
    }

    test('Jenkins operator: the pod of the controller is left as it is', testLimit, async () => {
      const text = block(page, apart, 0);
      assert.equal((await kubectl(text, 'apply')).stderr, '');
      const { spec } = parse(text) as { readonly spec: { readonly master: { readonly labels: object } } };
      const { labels } = spec.master;
      assertUntouched(
        await made({ metadata: { labels }, spec: { containers: [{ name: 'jenkins-master', image: 'a' }] } }),
      );
    });

    test('Jenkins agents and runners: the pods of their templates are left as they are', testLimit, async () => {
      const agent = parse(block(page, apart, 1)) as { readonly metadata: object; readonly spec: object };
      assertUntouched(await made(agent));
      const { template } = parse(block(page, apart, 2)) as { readonly template: { readonly spec: object } };
      assertUntouched(await made(template));
    });

    test('without the label they get the role', testLimit, async () => {
      const { spec } = parse(block(page, apart, 1)) as { readonly spec: object };
      assertInjected(await made({ spec }), await mappedRole());
    });

    test('a pod that has everything written out is left exactly as it is, whichever its role', testLimit, async () => {
      const text = block(page, 'Write it out');
      const mapped = text
        .replace(/^ {2}annotations:\n.*\n/m, '')
        .replace(roleOf('builds'), await mappedRole())
        .replaceAll('written-out', 'written-out-mapped');
      for (const [name, input] of [
        ['written-out', text],
        ['written-out-mapped', mapped],
      ] as const) {
        assert.equal((await kubectl(input, 'apply')).stderr, '');
        const stored = await served.pod('ci', name);
        const written = parseAllDocuments(input)
          .map(document => document.toJS() as StoredPod)
          .at(-1);
        assert.deepEqual(
          Object.keys(stored.metadata.annotations ?? {}),
          ['kubectl.kubernetes.io/last-applied-configuration'],
          name,
        );
        assert.deepEqual(
          stored.spec.containers.map(({ env }) => env),
          written?.spec.containers.map(({ env }) => env),
        );
        assert.equal((await kubectl(input, 'diff')).stdout, '');
      }
    });
  });

  describe('gitops.md', () => {
    const page = 'gitops.md';
    const heading = 'Argo CD, Flux and Terraform';
    const bare = block(page, heading)
      .replace(/^ {2}labels:\n.*\n/m, '')
      .replace(/^ {2}annotations:\n {4}services\.k8s\.aws\/region: .*\n/m, '');
    const readOf = (name: string) => async (): Promise<readonly [Labelled, StoredResource & Labelled]> => [
      await served.get<Labelled>(`/api/v1/namespaces/${name}`),
      await served.get<StoredResource & Labelled>(ackPath(bucketKind, name, 'assets')),
    ];
    const read = readOf('gitops-team');

    async function assertCompleted(name: string): Promise<void> {
      const [namespace, bucket] = await readOf(name)();
      assert.equal(namespace.metadata.labels?.[injectLabel], 'enabled');
      assert.equal(bucket.metadata.annotations?.['services.k8s.aws/region'], region);
    }

    for (const [how, name, flags] of [
      ['client-side', 'gitops-client', []],
      ['server-side', 'gitops-server', ['--server-side', '--field-manager=gitops']],
    ] as const) {
      test(`without the values in Git: ${how} apply sees no difference either`, testLimit, async () => {
        assert.doesNotMatch(bare, /carm-webhook|k8s\.aws\/region/);
        await assertSettled(bare.replaceAll('gitops-team', name), readOf(name), ...flags);
        await assertCompleted(name);
      });
    }

    test('from client-side to server-side apply: the label goes once, and comes back at once', testLimit, async () => {
      const text = bare.replaceAll('gitops-team', 'gitops-client');
      const flags = ['--server-side', '--field-manager=gitops'];
      assert.match((await kubectl(text, 'apply', ...flags)).stderr, /^Warning: .*\(LabelRestored\)\n$/);
      await assertCompleted('gitops-client');
      await assertSettled(text, readOf('gitops-client'), ...flags);
    });

    test('with the values in Git: no difference, and a replace says nothing', testLimit, async () => {
      const text = block(page, heading);
      await assertSettled(text, read);
      await assertSettled(text, read, '--server-side');
      assert.equal((await kubectl(text, 'replace')).stderr, '');
    });

    test('a replace from a Git without the label: it comes back, with a warning', testLimit, async () => {
      const text = block(page, heading).replace(/^ {2}labels:\n.*\n/m, '');
      assert.match((await kubectl(text, 'replace')).stderr, /^Warning: .*\(LabelRestored\)\n$/);
      const [namespace] = await read();
      assert.equal(namespace?.metadata.labels?.[injectLabel], 'enabled');
    });

    test('an account id without quotes is refused by the API server', testLimit, async () => {
      const text = block(page, heading).replace(`"${account}"`, account);
      const { stderr } = await served.plane.kubectl(['apply', '-f', '-'], { input: text, expectCode: 1 });
      assert.match(stderr, /cannot unmarshal number into .*annotations/);
    });

    test('Argo CD: the pointers are those of what the webhook adds', testLimit, async () => {
      await served.plane.kubectl(['create', 'namespace', 'argocd']);
      const text = block(page, 'Argo CD');
      assert.equal((await kubectl(text, 'apply')).stderr, '');
      const { spec } = parse(text) as {
        readonly spec: { readonly ignoreDifferences: readonly { readonly jsonPointers: readonly string[] }[] };
      };
      const keys = spec.ignoreDifferences
        .flatMap(({ jsonPointers }) => jsonPointers)
        .map(pointer => pointer.split('/').at(-1)?.replaceAll('~1', '/').replaceAll('~0', '~'));
      assert.deepEqual(keys, [injectLabel, 'services.k8s.aws/region', 'services.k8s.aws/deletion-policy']);
    });

    test('Terraform: the expression matches the label, and no other of ours', () => {
      const [, quoted = ''] = /ignore_labels = \[(".*")\]/.exec(block(page, 'Terraform', 0, 'hcl')) ?? [];
      const expression = new RegExp(JSON.parse(quoted) as string);
      assert.match(injectLabel, expression);
      assert.doesNotMatch('carm-webhook.dev/mode', expression);
    });
  });

  test(
    'ack-resources.md: how the controllers were started, and the permission to leave resources behind',
    testLimit,
    async () => {
      const page = new PageCommands('ack-resources.md', { plane: served.plane, cwd: served.plane.logFolder });
      const args = ['--watch-namespace', 'team-a', '--enable-carm=false'];
      const containers = [
        container({ name: 'controller', args, env: [{ name: 'ACK_WATCH_NAMESPACE', value: 'team-a' }] }),
      ];
      await served.apply([deployment('ack-system', 'ack-s3-controller', { containers })]);
      assert.match(
        await page.run('ACK that ignores bindings'),
        /^NAME +ARGS +ENV\nack-s3-controller +\[--watch-namespace team-a --enable-carm=false\] +ACK_WATCH_NAMESPACE\n$/,
      );
      const namespace = 'resources';
      await served.apply([boundNamespace(namespace, account)]);
      assert.match(await page.run('When a namespace changes', { NAMESPACE: namespace }), / annotated$/m);
      assert.deepEqual(page.notRun, []);
    },
  );

  describe('other-tools.md', () => {
    const page = 'other-tools.md';
    const heading = 'Tools that read the ServiceAccount’s role themselves'.replace('’', "'");

    before(() => prepare('tools-team'));

    test('the full ARN on the ServiceAccount is the role of its pods', testLimit, async () => {
      assert.equal((await kubectl(block(page, heading), 'apply')).stderr, '');
      const applied = await served.apply([pod('tools-team', 'orders', { serviceAccountName: 'orders' })]);
      assert.equal(applied.stderr, '');
      assertInjected(await served.pod('tools-team', 'orders'), roleOf('orders'));
    });

    test('one of another account has its pods denied', testLimit, async () => {
      const text = block(page, heading).replace(account, '999988887777').replace('name: orders', 'name: foreign');
      assert.equal((await kubectl(text, 'apply')).stderr, '');
      const denied = await served.apply([pod('tools-team', 'foreign', { serviceAccountName: 'foreign' })], {
        expectCode: 1,
      });
      assert.match(denied.stderr, /\(RoleOutsideAccount\)$/m);
    });
  });
});
