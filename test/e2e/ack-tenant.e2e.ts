import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Denial } from '../../src/admission/catalogue/denial.ts';
import { denials } from '../../src/admission/catalogue/denials.ts';
import { type Attack, account, assets, attacks, foreign, forged, mapPath, region, shop } from './ack-attacks.ts';
import {
  ackKinds,
  ackPath,
  ackResource,
  ackStatus,
  adoptedResourceKind,
  bucket,
  bucketKind,
  databaseKind,
  fieldExport,
  installAckKinds,
  pastTheWebhook,
  queueKind,
  type StoredResource,
} from './ack-crds.ts';
import { boundNamespace, injectLabel, roleMap, serviceAccount } from './cluster-objects.ts';
import { eventually } from './eventually.ts';
import { ServedPlane } from './served-plane.ts';

const testLimit = { timeout: 30_000 };

/** Whether the mode of a namespace softens what an attack is denied for. */
function isSoftened({ reason }: Attack): boolean {
  const refusal = Object.entries<Pick<Denial<never>, 'softenedBy'>>(denials).find(([name]) => name === reason);
  return (refusal?.[1].softenedBy ?? 'namespace') === 'namespace';
}

describe('a tenant who may edit everything in their own namespace', () => {
  let served: ServedPlane;
  let lookalike: string;

  const everything = (namespace: string): object => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'tenant', namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [
      { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'tenant' },
      { kind: 'ServiceAccount', name: 'ack-s3-controller', namespace: shop },
    ],
  });

  before(
    async () => {
      served = await ServedPlane.start({
        users: [{ name: 'tenant' }, { name: 'editor' }],
        flags: ['--feature-gates=TeamLevelCARM=true,ServiceLevelCARM=true'],
        map: { [account]: `arn:aws:iam::${account}:role/ack`, 's3.999999999999': `arn:aws:iam::${foreign}:role/ack` },
      });
      await installAckKinds(served.plane);
      const own = [shop, 'dotted-team', 'dotted-account', 'going', 'ack-system'];
      await served.apply([
        boundNamespace(shop, account, { annotations: { 'services.k8s.aws/default-region': region } }),
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'going', labels: { [injectLabel]: 'enabled' } } },
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'payroll' } },
        boundNamespace('dotted-account', `s3.${foreign}`),
        {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: 'dotted-team', annotations: { 'services.k8s.aws/team-id': 's3.payroll' } },
        },
        roleMap({ 's3.payroll': `arn:aws:iam::${foreign}:role/ack` }, 'ack-role-team-map'),
        serviceAccount(shop, 'ack-s3-controller'),
        ...own.map(everything),
        bucket(shop, 'assets'),
        bucket(shop, 'leaving', { finalizers: ['shop.example/hold'] }),
        ackResource(queueKind, shop, 'orders'),
        ackResource(databaseKind, shop, 'ledger'),
        ackResource(
          adoptedResourceKind,
          shop,
          'books',
          {},
          { aws: { nameOrID: 'books' }, kubernetes: { group: bucketKind.group, kind: 'Bucket' } },
        ),
        fieldExport(shop, 'harmless', { kind: 'configmap', name: 'exports' }),
      ]);
      for (const [plural, name] of [
        ['buckets', 'assets'],
        ['buckets', 'leaving'],
        ['queues', 'orders'],
      ] as const) {
        const args = ['patch', plural, name, '-n', shop, '--subresource=status', '--type=merge'];
        const status = JSON.stringify({ status: ackStatus(account, region) });
        await served.plane.kubectl([...args, '-p', status], { as: pastTheWebhook });
      }
      await served.plane.kubectl(['delete', 'bucket', 'leaving', '-n', shop, '--wait=false']);
      // Without kube-controller-manager it stays in deletion.
      await served.plane.kubectl(['delete', 'namespace', 'going', '--wait=false']);
      lookalike = await served.plane.tokenFor(shop, 'ack-s3-controller');
      for (const token of [served.plane.tokenOf('tenant'), lookalike]) {
        for (const path of [assets, '/api/v1/namespaces/going', mapPath, ackPath(bucketKind, 'dotted-team')]) {
          await eventually(`the tenant's rights on ${path}`, async () =>
            (await served.plane.request('GET', path, undefined, { token })).status === 200 ? true : undefined,
          );
        }
      }
    },
    { timeout: 90_000 },
  );
  after(() => served?.stop());

  /** All that an attack could change. */
  async function everythingStored(): Promise<unknown> {
    const paths = [
      ...ackKinds.map(kind => ackPath(kind, shop)),
      ackPath(bucketKind, 'dotted-team'),
      ackPath(bucketKind, 'dotted-account'),
      `/api/v1/namespaces/${shop}`,
      '/api/v1/namespaces/going',
      mapPath,
    ];
    const stored = await Promise.all(paths.map(path => served.get<{ metadata: object; items?: unknown }>(path)));
    return stored.map(({ items, metadata }) => items ?? metadata);
  }

  async function attempt({ method, path, body, contentType, asLookalike }: Attack, query = '') {
    // Nobody may replace what they have not read.
    const version = async () =>
      (await served.get<StoredResource>(path.replace(/\/(?:status|finalize)$/, ''))).metadata.resourceVersion;
    const metadata = { ...(body as { metadata?: object } | undefined)?.metadata };
    const whole = method === 'PUT' ? { ...body, metadata: { ...metadata, resourceVersion: await version() } } : body;
    return served.plane.request<{ readonly message?: string }>(method, path + query, whole, {
      token: asLookalike === true ? lookalike : served.plane.tokenOf('tenant'),
      ...(contentType === undefined ? {} : { contentType }),
    });
  }

  for (const attack of attacks) {
    test(`${attack.what}: ${attack.reason}`, testLimit, async () => {
      const stored = await everythingStored();
      const { status, body } = await attempt(attack);
      assert.equal(status, 403, JSON.stringify(body));
      assert.match(
        body.message ?? '',
        new RegExp(`\\.carm-webhook\\.dev" denied the request: .* \\(${attack.reason}\\)$`),
      );
      assert.deepEqual(await everythingStored(), stored);
    });
  }

  test('a status in a write of the resource itself has no effect', testLimit, async () => {
    const { status, body } = await served.plane.request<{ status: object }>(
      'PATCH',
      assets,
      { status: forged },
      { token: served.plane.tokenOf('tenant') },
    );
    assert.equal(status, 200);
    assert.deepEqual(body.status, ackStatus(account, region));
  });

  for (const label of [
    'carm-webhook.dev/mode=audit',
    'carm-webhook.dev/mode=warn',
    'carm-webhook.dev/inject=disabled',
  ]) {
    test(
      `no label of their namespace softens what no mode may soften, and a mode softens the rest: ${label}`,
      testLimit,
      async () => {
        const kubeconfig = served.plane.kubeconfigFor({ user: 'tenant' });
        const [key = ''] = label.split('=');
        await served.plane.kubectl(['label', 'namespace', shop, label, '--overwrite'], { kubeconfig });
        // The webhook hears of the label a moment later.
        await eventually('the label softens what may be softened', async () => {
          const dryRun = `${ackPath(bucketKind, shop)}?dryRun=All`;
          const { status } = await served.plane.request(
            'POST',
            dryRun,
            bucket(shop, 'soft', { annotations: { 'services.k8s.aws/deletion-policy': 'x' } }),
          );
          return status === 201 || key.endsWith('inject') ? true : undefined;
        });
        for (const attack of attacks) {
          if (isSoftened(attack)) {
            // Of these three labels only a mode softens, and that of the namespace that is asked in.
            if (!key.endsWith('mode') || !attack.path.includes(`/namespaces/${shop}/`)) continue;
            const { status, body } = await attempt(attack, '?dryRun=All');
            assert.ok(status < 300, `${attack.what}: ${JSON.stringify(body)}`);
          } else {
            const { status, body } = await attempt(attack);
            assert.equal(status, 403, `${attack.what}: ${JSON.stringify(body)}`);
            assert.match(body.message ?? '', new RegExp(`\\(${attack.reason}\\)$`));
          }
        }
        await served.plane.kubectl(['label', 'namespace', shop, 'carm-webhook.dev/mode-']);
      },
    );
  }

  test(
    'whoever has edit in the ACK system namespace is ACK: by impersonation of its controllers',
    testLimit,
    async () => {
      const controller = 'system:serviceaccount:ack-system:ack-s3-controller';
      const bind = (name: string, namespace: string, role: string, subject: object) => ({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name, namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
        subjects: [subject],
      });
      await served.apply([
        // What the ClusterRole `edit` is made of; here nobody is there to aggregate it.
        bind('editor', 'ack-system', 'system:aggregate-to-edit', {
          kind: 'User',
          apiGroup: 'rbac.authorization.k8s.io',
          name: 'editor',
        }),
        serviceAccount('ack-system', 'ack-s3-controller'),
        bind('ack', shop, 'cluster-admin', {
          kind: 'ServiceAccount',
          name: 'ack-s3-controller',
          namespace: 'ack-system',
        }),
      ]);
      const kubeconfig = served.plane.kubeconfigFor({ user: 'editor' });
      const forge = ['annotate', 'bucket', 'assets', '-n', shop, 'services.k8s.aws/adopted=true', '--dry-run=server'];
      await eventually('the editor may impersonate', async () => {
        const { code } = await served.plane.kubectl(['auth', 'can-i', 'get', 'buckets', '-n', shop], {
          as: controller,
          kubeconfig,
          expectCode: 'any',
        });
        return code === 0 ? true : undefined;
      });
      assert.ok(
        await served.plane.kubectl(['create', 'token', 'ack-s3-controller', '-n', 'ack-system'], { kubeconfig }),
      );
      const refused = await served.plane.kubectl(forge, { expectCode: 1 });
      assert.match(refused.stderr, /\(ForgedAnnotation\)$/m);
      const { stdout } = await served.plane.kubectl(forge, { kubeconfig, as: controller });
      assert.match(stdout, /annotated/);
    },
  );

  test('docs/security.md lists each attack, and no other', () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'security.md'), 'utf8');
    const [, section = ''] = /^## What a tenant might try\n(.*?)^### /ms.exec(page) ?? [];
    const rows = [...section.matchAll(/^\| ([^|]+?) +\| `(\w+)` +\| (yes|no) +\|$/gm)];
    assert.deepEqual(
      rows.map(([, what, reason, softened]) => `${what}: ${reason}, ${softened}`),
      attacks.map(attack => `${attack.what}: ${attack.reason}, ${isSoftened(attack) ? 'yes' : 'no'}`),
    );
  });
});
