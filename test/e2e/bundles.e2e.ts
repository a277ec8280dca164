import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import type { KubectlResult } from '../testbed/kubectl.ts';
import { type StoredPod, serviceAccount, tokenMountPath } from './cluster-objects.ts';
import { tokenMounts } from './injected-pod.ts';
import type { Manifest } from './manifests.ts';
import { ServedPlane } from './served-plane.ts';

const account = '111122223333';
const roleOf = (name: string): string => `arn:aws:iam::${account}:role/${name}`;
const testLimit = { timeout: 60_000 };

interface Bundle {
  readonly file: string;
  /** The role of the pods of a ServiceAccount, where it is not the mapped one. */
  readonly roles: Readonly<Record<string, string>>;
  /** Containers that get nothing, as `workload/container`. */
  readonly skipped: readonly string[];
}

const bundles: readonly Bundle[] = [
  { file: 'shop.yaml', roles: { catalog: roleOf('catalog'), reporter: roleOf('reporter') }, skipped: [] },
  { file: 'shapes.yaml', roles: { app: roleOf('app') }, skipped: ['on-nodes/metrics', 'opted-out/app'] },
];

interface Template {
  readonly metadata?: object;
  readonly spec: { readonly serviceAccountName?: string; readonly volumes?: readonly object[] };
}

interface WorkloadSpec {
  readonly template?: Template;
  readonly jobTemplate?: { readonly spec: { readonly template: Template } };
  readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
}

/** A pod that a controller makes, and which one. */
interface Made {
  readonly workload: string;
  readonly template: Template;
  readonly controller: string;
  readonly owner: { readonly apiVersion: string; readonly kind: string };
}

const apps = 'apps/v1';
const controllers: Readonly<Record<string, Pick<Made, 'controller' | 'owner'>>> = {
  Deployment: { controller: 'replicaset-controller', owner: { apiVersion: apps, kind: 'ReplicaSet' } },
  StatefulSet: { controller: 'statefulset-controller', owner: { apiVersion: apps, kind: 'StatefulSet' } },
  DaemonSet: { controller: 'daemon-set-controller', owner: { apiVersion: apps, kind: 'DaemonSet' } },
  CronJob: { controller: 'job-controller', owner: { apiVersion: 'batch/v1', kind: 'Job' } },
};

/** The pods of a bundle, one for each pod template. */
function podsOf(objects: readonly Manifest[]): readonly Made[] {
  return objects.flatMap(({ kind, metadata, ...rest }) => {
    const made = controllers[kind];
    if (made === undefined) return [];
    const { spec } = rest as unknown as { readonly spec: WorkloadSpec };
    const template = spec.template ?? spec.jobTemplate?.spec.template;
    assert.ok(template, `${kind} ${metadata.name} has a pod template`);
    const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata: { name } }) => ({
      name,
      persistentVolumeClaim: { claimName: `${name}-${metadata.name}-0` },
    }));
    const pod = {
      // What the API server's own plugin sets before any webhook.
      serviceAccountName: 'default',
      ...template.spec,
      volumes: [...claims, ...(template.spec.volumes ?? [])],
    };
    return [{ workload: metadata.name, template: { ...template, spec: pod }, ...made }];
  });
}

for (const { file, roles, skipped } of bundles) {
  describe(`the bundle ${file}, applied to a namespace that it binds itself`, () => {
    const text = readFileSync(join(import.meta.dirname, 'bundles', file), 'utf8');
    const objects = parseAllDocuments(text).map(document => document.toJS() as Manifest);
    const name = objects.find(({ kind }) => kind === 'Namespace')?.metadata.name ?? '';
    let served: ServedPlane;

    before(
      async () => {
        // Without controllers, which would change what is compared. Their pods are made below, in their name.
        served = await ServedPlane.start({ map: { [account]: roleOf('team') } });
      },
      { timeout: 90_000 },
    );
    after(() => served?.stop());

    const run = (input: string, ...args: readonly string[]): Promise<KubectlResult> =>
      served.plane.kubectl([...args, '-f', '-'], { input });
    const kubectl = (...args: readonly string[]): Promise<KubectlResult> => run(text, ...args);

    /** The same bundle in another namespace. */
    const renamed = (other: string): string =>
      text.replaceAll(new RegExp(`\\b(namespace|name): ${name}\\b(?=[ ,}\\n])`, 'g'), `$1: ${other}`);

    const versions = async (): Promise<string> =>
      (await kubectl('get', '-o', 'jsonpath={.items[*].metadata.resourceVersion}')).stdout;

    const outcomes = ({ stdout }: KubectlResult): readonly (string | undefined)[] =>
      stdout
        .trimEnd()
        .split('\n')
        .map(line => line.split(' ').at(-1));

    const all = (outcome: string): readonly string[] => objects.map(() => outcome);

    /** Whoever controls pods creates them with its own identity, and names the owner. */
    async function create({ workload, template, controller, owner }: Made): Promise<StoredPod> {
      const groups = ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'];
      const headers = {
        'Impersonate-User': `system:serviceaccount:kube-system:${controller}`,
        'Impersonate-Group': groups,
      };
      const ownerReferences = [
        { ...owner, name: workload, uid: '6f1d3a0e-5c1f-4d7e-9d0a-7f4f0f6f7a11', controller: true },
      ];
      const body = { ...template, metadata: { ...template.metadata, generateName: `${workload}-`, ownerReferences } };
      const path = `/api/v1/namespaces/${name}/pods`;
      const created = await served.plane.request<StoredPod>('POST', path, body, { headers });
      assert.equal(created.status, 201, JSON.stringify(created.body));
      assert.deepEqual(created.warnings, [], workload);
      return created.body;
    }

    function assertRole(pod: StoredPod, { workload }: Made): void {
      const expected = roles[pod.spec.serviceAccountName ?? ''] ?? roleOf('team');
      for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
        const value = (key: string) => container.env?.find(variable => variable.name === key)?.value;
        const isSkipped = skipped.includes(`${workload}/${container.name}`);
        const what = `${workload}/${container.name}`;
        assert.equal(value('AWS_ROLE_ARN'), isSkipped ? undefined : expected, what);
        assert.equal(value('AWS_WEB_IDENTITY_TOKEN_FILE'), isSkipped ? undefined : `${tokenMountPath}/token`, what);
        assert.equal(tokenMounts(container).length, isSkipped ? 0 : 1, what);
      }
    }

    test('the first apply says nothing but what it created', testLimit, async () => {
      const applied = await kubectl('apply');
      assert.equal(applied.stderr, '');
      assert.deepEqual(outcomes(applied), all('created'));
    });

    test('the second apply changes nothing, and kubectl diff has no difference', testLimit, async () => {
      // kubectl itself says "configured" of some objects each time, as of a StatefulSet with claims: in a namespace that is not
      // bound, and so not ours, it says the same.
      const unbound = renamed('control').replace(/^ +services\.k8s\.aws\/owner-account-id: .*\n/m, '');
      await run(unbound, 'apply');
      const control = await run(unbound, 'apply');
      const before = await versions();
      const again = await kubectl('apply');
      assert.equal(again.stderr, '');
      assert.deepEqual(outcomes(again), outcomes(control));
      assert.equal(await versions(), before);
      // It ends with 1 where there is a difference.
      const { stdout, stderr } = await kubectl('diff');
      assert.equal(stdout + stderr, '');
    });

    test('the pods of its controllers have their role, without a warning', testLimit, async () => {
      // The controllers' part: here there are none.
      await served.apply([serviceAccount(name, 'default')]);
      const made = podsOf(objects);
      assert.ok(made.length > 0);
      for (const pod of made) assertRole(await create(pod), pod);
    });

    test('a change of every template is as silent', testLimit, async () => {
      const changed = text.replaceAll(/(image: \S+?:[\w.]+)/g, '$1-next');
      const applied = await served.plane.kubectl(['apply', '-f', '-'], { input: changed });
      assert.equal(applied.stderr, '');
      assert.ok(outcomes(applied).filter(outcome => outcome === 'configured').length >= podsOf(objects).length);
      await kubectl('apply');
    });

    test('server-side apply over all that: no conflict, no warning, and then no difference', testLimit, async () => {
      // What Kubernetes itself added as defaults to lists, such as `volumeClaimTemplates`, belongs to the manager from before.
      const first = await kubectl('apply', '--server-side', '--field-manager=gitops', '--force-conflicts');
      assert.equal(first.stderr, '');
      const again = await kubectl('apply', '--server-side', '--field-manager=gitops');
      assert.equal(again.stderr, '');
      assert.deepEqual(outcomes(again), all('serverside-applied'));
      const { stdout, stderr } = await kubectl('diff', '--server-side', '--field-manager=gitops');
      assert.equal(stdout + stderr, '');
    });

    test('server-side apply from the start: no warning, no conflict, and then no difference', testLimit, async () => {
      const other = renamed(`${name}-anew`);
      const first = await run(other, 'apply', '--server-side');
      assert.equal(first.stderr, '');
      assert.deepEqual(outcomes(first), all('serverside-applied'));
      const again = await run(other, 'apply', '--server-side');
      assert.equal(again.stderr, '');
      const { stdout, stderr } = await run(other, 'diff', '--server-side');
      assert.equal(stdout + stderr, '');
    });
  });
}
