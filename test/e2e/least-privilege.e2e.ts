import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ControlPlane } from '../testbed/control-plane.ts';
import { ackPath, bucketKind, fieldExportKind, installAckKinds, roleSelectorKind } from './ack-crds.ts';
import { eventually } from './eventually.ts';
import { accessKinds, asList, ofKinds, only, renderDeploy } from './manifests.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** One verb on one resource, and on one name where the rule has names: the least that can be taken away. */
interface Grant {
  readonly verb: string;
  /** Several only where it is all of ACK's. */
  readonly groups: readonly string[];
  readonly resource: string;
  readonly name: string | undefined;
}

const grantName = ({ verb, resource, name }: Grant): string =>
  resource === '*' ? `${verb} ACK's resources` : `${verb} ${resource}${name ? ` ${name}` : ''}`;

function grantsOf(rules: readonly Rule[]): readonly Grant[] {
  return rules.flatMap(({ apiGroups: groups, resources, resourceNames, verbs }) =>
    resources.flatMap(resource =>
      verbs.flatMap(verb => (resourceNames ?? [undefined]).map(name => ({ verb, groups, resource, name }))),
    ),
  );
}

/** Rules of one grant each. */
function rulesOf(grants: readonly Grant[]): readonly Rule[] {
  return grants.map(({ verb, groups, resource, name }) => ({
    apiGroups: groups,
    resources: [resource],
    verbs: [verb],
    ...(name === undefined ? {} : { resourceNames: [name] }),
  }));
}

const watching = 'watch=1&allowWatchBookmarks=true&timeoutSeconds=5';

/** The call that the webhook makes by a grant. */
function pathOf({ verb, resource, name }: Grant): string {
  if (resource === roleSelectorKind.plural) {
    return `${ackPath(roleSelectorKind, '')}${verb === 'watch' ? `?${watching}` : ''}`;
  }
  if (resource === '*') return `/apis/${bucketKind.group}/${bucketKind.versions[0]}/${bucketKind.plural}`;
  if (resource === 'configmaps') {
    const maps = '/api/v1/namespaces/ack-system/configmaps';
    if (verb === 'get') return `${maps}/${name}`;
    const selected = `${maps}?fieldSelector=${encodeURIComponent(`metadata.name=${name}`)}`;
    return verb === 'watch' ? `${selected}&${watching}` : selected;
  }
  if (verb === 'get') {
    return resource === 'namespaces' ? '/api/v1/namespaces/shop' : `/api/v1/namespaces/shop/${resource}/cart`;
  }
  return `/api/v1/${resource}${verb === 'watch' ? `?${watching}` : ''}`;
}

describe('the permissions that are shipped', () => {
  let plane: ControlPlane;
  let token: string;
  const granted: Grant[] = [];

  before(
    async () => {
      plane = await ControlPlane.start();
      const manifests = await renderDeploy();
      await installAckKinds(plane, [roleSelectorKind, bucketKind, fieldExportKind]);
      for (const namespace of ['ack-system', 'shop']) await plane.kubectl(['create', 'namespace', namespace]);
      await plane.kubectl(['create', 'serviceaccount', 'cart', '-n', 'shop']);
      for (const map of ['ack-role-account-map', 'ack-role-team-map', 'another-map']) {
        await plane.kubectl(['create', 'configmap', map, '-n', 'ack-system']);
      }
      await plane.kubectl(['create', 'configmap', 'ack-role-account-map', '-n', 'shop']);
      await plane.kubectl(['apply', '-f', '-'], { input: asList(ofKinds(manifests, ...accessKinds)) });
      const { name, namespace = '' } = only(manifests, 'ServiceAccount').metadata;
      token = await plane.tokenFor(namespace, name);
      for (const role of ofKinds(manifests, 'ClusterRole', 'Role')) {
        if (role.metadata.name !== 'carm-webhook') continue;
        granted.push(...grantsOf(role['rules'] as readonly Rule[]));
      }
      await eventually('the authorizer knows the shipped roles', async () => {
        for (const grant of granted) if (!(await allowed(pathOf(grant)))) return undefined;
        return true;
      });
    },
    { timeout: 90_000 },
  );
  after(() => plane?.stop());

  /** A denial of another kind than the authorizer's fails the test. */
  async function allowed(path: string): Promise<boolean> {
    const status = await plane.status(path, { token });
    assert.ok([200, 403].includes(status), `${path}: ${status}`);
    return status === 200;
  }

  async function replaceRules(kind: 'ClusterRole' | 'Role', rules: readonly Rule[]): Promise<void> {
    const path = `/apis/rbac.authorization.k8s.io/v1${
      kind === 'Role' ? '/namespaces/ack-system/roles' : '/clusterroles'
    }/carm-webhook`;
    const { status } = await plane.request('PATCH', path, { rules });
    assert.equal(status, 200);
  }

  test('are these', () => {
    assert.deepEqual(granted.map(grantName).sort(), [
      'get configmaps ack-role-account-map',
      'get configmaps ack-role-team-map',
      'get namespaces',
      'get serviceaccounts',
      "list ACK's resources",
      'list configmaps ack-role-account-map',
      'list configmaps ack-role-team-map',
      'list iamroleselectors',
      'list namespaces',
      'list serviceaccounts',
      'watch configmaps ack-role-account-map',
      'watch configmaps ack-role-team-map',
      'watch iamroleselectors',
      'watch namespaces',
      'watch serviceaccounts',
    ]);
  });

  test('allow nothing else', { timeout: 60_000 }, async () => {
    for (const path of [
      '/api/v1/namespaces/ack-system/configmaps',
      '/api/v1/namespaces/ack-system/configmaps/another-map',
      '/api/v1/namespaces/ack-system/configmaps?fieldSelector=metadata.name%3Danother-map',
      '/api/v1/namespaces/shop/configmaps/ack-role-account-map',
      '/api/v1/configmaps?fieldSelector=metadata.name%3Dack-role-account-map',
      '/api/v1/namespaces/carm-webhook/secrets',
      '/api/v1/namespaces/carm-webhook/secrets/carm-webhook-tls',
      '/api/v1/secrets',
      '/api/v1/pods',
      '/api/v1/nodes',
      ackPath(roleSelectorKind, '', 'shop'),
      ackPath(fieldExportKind, 'shop'),
      ackPath(bucketKind, 'shop', 'assets'),
      `${ackPath(bucketKind, 'shop')}?${watching}`,
      '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
    ]) {
      assert.equal(await allowed(path), false, path);
    }
  });

  test('allow no writing', { timeout: 60_000 }, async () => {
    const as = 'system:serviceaccount:carm-webhook:carm-webhook';
    const map = 'configmap/ack-role-account-map';
    await plane.kubectl(['auth', 'can-i', 'get', map, '-n', 'ack-system'], { as });
    for (const [verb, resource, ...where] of [
      ['patch', 'namespace/shop'],
      ['delete', 'namespace/shop'],
      ['patch', 'serviceaccount/cart', '-n', 'shop'],
      ['create', 'serviceaccounts/cart', '--subresource=token', '-n', 'shop'],
      ['impersonate', 'serviceaccounts', '-n', 'shop'],
      ['update', map, '-n', 'ack-system'],
      ['delete', map, '-n', 'ack-system'],
      ['create', 'pods', '-n', 'shop'],
      ['create', 'iamroleselectors.services.k8s.aws'],
      ['patch', 'iamroleselectors.services.k8s.aws'],
      ['delete', 'iamroleselectors.services.k8s.aws'],
      ['get', 'buckets.s3.services.k8s.aws', '-n', 'shop'],
      ['patch', 'buckets.s3.services.k8s.aws', '-n', 'shop'],
      ['deletecollection', 'buckets.s3.services.k8s.aws', '-n', 'shop'],
    ] as const) {
      const { stdout } = await plane.kubectl(['auth', 'can-i', verb, resource, ...where], { as, expectCode: 1 });
      assert.equal(stdout.trim(), 'no', `${verb} ${resource}`);
    }
  });

  test('are all needed: without any one of them a call of the webhook is denied', { timeout: 180_000 }, async t => {
    for (const taken of granted) {
      await t.test(grantName(taken), async () => {
        const kind = taken.resource === 'configmaps' ? 'Role' : 'ClusterRole';
        const all = granted.filter(({ resource }) => (resource === 'configmaps') === (kind === 'Role'));
        await replaceRules(kind, rulesOf(all.filter(grant => grant !== taken)));
        await eventually(`${grantName(taken)} is refused`, async () =>
          (await allowed(pathOf(taken))) ? undefined : true,
        );
        for (const grant of all) {
          if (grant !== taken) assert.equal(await allowed(pathOf(grant)), true, grantName(grant));
        }
        await replaceRules(kind, rulesOf(all));
        await eventually(`${grantName(taken)} is allowed again`, async () =>
          (await allowed(pathOf(taken))) ? true : undefined,
        );
      });
    }
  });
});
