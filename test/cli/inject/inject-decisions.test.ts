import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseAllDocuments, stringify } from 'yaml';
import { workloadKinds } from '../../../src/objects/pod-template.ts';
import { demoState, runCommand } from '../command-runs.ts';

type JsonObject = Record<string, unknown>;

function yaml(...objects: readonly JsonObject[]): string {
  return objects.map(object => `---\n${stringify(object)}`).join('');
}

function pod(namespace: string | undefined, spec: JsonObject = { containers: [{ name: 'a' }] }): JsonObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', ...(namespace ? { namespace } : {}) }, spec };
}

function namespaceObject(name: string, account: string, labels: Record<string, string> = {}): JsonObject {
  const annotations = { 'services.k8s.aws/owner-account-id': account };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, annotations } };
}

async function inject(stdin: string, ...flags: string[]) {
  const result = await runCommand(['inject', '-f', '-', '--state', demoState, ...flags], { stdin });
  const objects = parseAllDocuments(result.stdout).flatMap(document => document.toJS() ?? []);
  return { ...result, objects };
}

function rolesIn(object: unknown): readonly string[] {
  return [...JSON.stringify(object).matchAll(/"name":"AWS_ROLE_ARN","value":"([^"]*)"/g)].map(([, role = '']) => role);
}

const workloadRole = 'arn:aws:iam::111122223333:role/team-a-workloads';

describe('inject: refusals', () => {
  test('a refused object is left out, its message with its place on stderr, exit 1; the others pass', async () => {
    const { code, objects, stderr } = await inject(yaml(pod('team-b'), pod('team-a')));
    assert.equal(code, 1);
    assert.deepEqual(objects.map(rolesIn), [[workloadRole]]);
    assert.match(stderr, /^stdin:2: denied: Pod "web" in namespace "team-b": .* \(AccountNotMapped\)\n$/);
  });

  test('the boundary refuses a foreign role', async () => {
    const env = [{ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::999988887777:role/x' }];
    const foreign = yaml(pod('team-a', { containers: [{ name: 'a', env }] }));
    const { code, objects, stderr } = await inject(foreign);
    assert.deepEqual([code, objects], [1, []]);
    assert.match(stderr, /\(RoleOutsideAccount\)/);
    const allowed = await inject(foreign, '--source-accounts', '999988887777');
    assert.equal(allowed.code, 0);
  });

  test('a StatefulSet whose claim takes the name of our volume', async () => {
    const claiming = (name: string): JsonObject => ({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: 'team-a' },
      spec: {
        template: { spec: { containers: [{ name: 'a' }] } },
        volumeClaimTemplates: [{ metadata: { name } }],
      },
    });
    const refused = await inject(yaml(claiming('aws-iam-token')));
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /\(VolumeConflict\)/);
    const { code, objects } = await inject(yaml(claiming('data')));
    assert.equal(code, 0);
    assert.deepEqual(rolesIn(objects[0]), [workloadRole]);
    const [{ spec }] = objects as [{ spec: { template: { spec: { volumes: readonly { name: string }[] } } } }];
    assert.deepEqual(
      spec.template.spec.volumes.map(({ name }) => name),
      ['aws-iam-token'],
    );
  });

  test('a namespace in neither input nor state is not found', async () => {
    const { code, stderr } = await inject(yaml(pod('nowhere')));
    assert.equal(code, 1);
    assert.match(stderr, /\(NamespaceNotFound\)\n$/);
  });

  for (const [mode, flags] of [
    ['warn', []],
    ['audit', []],
    ['warn', ['--default-mode=warn']],
  ] as const) {
    test(`in mode ${mode}${flags.length > 0 ? ' by flag' : ''} it passes unpatched, the message on stderr`, async () => {
      const labels: Record<string, string> = flags.length > 0 ? {} : { 'carm-webhook.dev/mode': mode };
      const input = pod('soft');
      const { code, objects, stderr } = await inject(
        yaml(namespaceObject('soft', '444455556666', labels), input),
        ...flags,
      );
      assert.equal(code, 0);
      assert.deepEqual(objects[1], input);
      assert.match(
        stderr,
        new RegExp(`allowed without changes \\(mode ${mode}\\): Pod "web" .*\\(AccountNotMapped\\)`),
      );
    });
  }

  test('warnings name place and object and change nothing of the exit code', async () => {
    const env = [{ name: 'AWS_ACCESS_KEY_ID', value: 'AKIA' }];
    const { code, stderr } = await inject(yaml(pod('team-a', { containers: [{ name: 'a', env }] })));
    assert.equal(code, 0);
    assert.equal(
      stderr,
      'stdin:2: warning: Pod "web": AWS_ACCESS_KEY_ID in container "a" overrides the injected role (StaticAccessKey)\n',
    );
  });
});

describe('inject: what the input itself says', () => {
  test('a Namespace of the input is labelled first, shown so, and overrides the state, wherever it stands', async () => {
    const { code, objects } = await inject(yaml(pod('team-b'), namespaceObject('team-b', '111122223333')));
    assert.equal(code, 0);
    assert.deepEqual(rolesIn(objects[0]), [workloadRole]);
    assert.deepEqual(objects[1].metadata.labels, { 'carm-webhook.dev/inject': 'enabled' });
  });

  test('a map of the input overrides the state', async () => {
    const data = { '444455556666': 'arn:aws:iam::444455556666:role/b' };
    const metadata = { name: 'ack-role-account-map', namespace: 'ack-system' };
    const { objects } = await inject(yaml({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }, pod('team-b')));
    assert.deepEqual(rolesIn(objects[1]), ['arn:aws:iam::444455556666:role/b']);
  });

  test('a ServiceAccount of the input overrides the state; one in neither has no annotations', async () => {
    const annotations = { 'carm-webhook.dev/role': 'other' };
    const account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'reports', namespace: 'team-a', annotations },
    };
    const reports = pod('team-a', { serviceAccountName: 'reports', containers: [{ name: 'a' }] });
    const unknown = pod('team-a', { serviceAccountName: 'new', containers: [{ name: 'a' }] });
    const overridden = await inject(yaml(account, reports, unknown));
    assert.deepEqual(overridden.objects.map(rolesIn), [[], ['arn:aws:iam::111122223333:role/other'], [workloadRole]]);
    const plain = await inject(yaml(reports));
    assert.deepEqual(rolesIn(plain.objects[0]), ['arn:aws:iam::111122223333:role/team/s3-reader']);
  });

  test('-n is the namespace of objects that name none', async () => {
    assert.deepEqual(rolesIn((await inject(yaml(pod(undefined)), '-n', 'team-a')).objects[0]), [workloadRole]);
    assert.match((await inject(yaml(pod(undefined)))).stderr, /namespace "default" does not exist/);
  });
});

describe('inject: pod templates', () => {
  for (const { group, kind, template } of workloadKinds) {
    test(`${kind}: the template becomes what its pods would, whatever the version of the group`, async () => {
      const apiVersion = group === '' ? 'v1' : `${group}/v7`;
      const spec = template.reduceRight<JsonObject>((inner, field) => ({ [field]: inner }), {
        spec: { containers: [{ name: 'a' }] },
      });
      const workload = { apiVersion, kind, metadata: { name: 'w', namespace: 'team-a' }, ...spec };
      const { code, objects, stderr } = await inject(yaml(workload));
      assert.equal(code, 0);
      assert.deepEqual(rolesIn(objects[0]), [workloadRole]);
      assert.match(stderr, /^preview: pod templates are shown as their pods would be/);
    });
  }

  test('a kind of the same name in another group is left alone', async () => {
    const other = { apiVersion: 'example.com/v1', kind: 'Deployment', metadata: { name: 'w', namespace: 'team-a' } };
    const { objects, stderr } = await inject(yaml({ ...other, spec: { template: { spec: { containers: [{}] } } } }));
    assert.deepEqual(rolesIn(objects[0]), []);
    assert.equal(stderr, '');
  });

  for (const policy of ['warn', 'deny', 'off']) {
    test(`a workload whose pods would be refused is left out, with --workloads=${policy}`, async () => {
      const template = { spec: { containers: [{ name: 'a' }] } };
      const workload = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'w', namespace: 'team-b' },
        spec: { template },
      };
      const { code, objects, stderr } = await inject(yaml(workload), `--workloads=${policy}`);
      assert.deepEqual([code, objects], [1, []]);
      assert.match(stderr, /^stdin:2: denied: pods of Deployment "w" in namespace "team-b": .*\(AccountNotMapped\)\n$/);
    });
  }
});

describe('inject: the flags of serve that change a decision', () => {
  for (const [flag, expected] of [
    [['--default-region=us-east-1'], /"AWS_REGION","value":"us-east-1"/],
    [['--token-expiration=1h'], /"expirationSeconds":3600/],
  ] as const) {
    test(flag.join(' '), async () => {
      const { objects } = await inject(yaml(namespaceObject('plain', '111122223333'), pod('plain')), ...flag);
      assert.match(JSON.stringify(objects[1]), expected);
    });
  }

  test('--require-pods-key, --support-message and --ack-system-namespace', async () => {
    const data = { '444455556666': 'arn:aws:iam::444455556666:role/b' };
    const map = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'ack-role-account-map', namespace: 'other' },
      data,
    };
    const input = yaml(map, pod('team-b'));
    const flags = ['--ack-system-namespace=other'];
    assert.equal((await inject(input, ...flags)).code, 0);
    const { code, stderr } = await inject(input, ...flags, '--require-pods-key', '--support-message=Ask #aws.');
    assert.equal(code, 1);
    assert.match(stderr, /\(AccountNotMapped\) Ask #aws\.\n$/);
  });

  test('an environment variable gives a flag', async () => {
    const env = { CARM_WEBHOOK_NAMESPACE: 'team-a', CARM_WEBHOOK_STATE: demoState, CARM_WEBHOOK_OUTPUT: 'json' };
    const { stdout } = await runCommand(['inject', '-f', '-'], { stdin: yaml(pod(undefined)), env });
    assert.deepEqual(rolesIn(JSON.parse(stdout)), [workloadRole]);
  });
});
