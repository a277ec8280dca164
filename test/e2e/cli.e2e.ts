import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import type { Finding } from '../../src/cli/check/finding.ts';
import { runBundle } from '../cli/command-runs.ts';
import { notInstalled } from '../cli/tiny-api-server.ts';
import { shipped } from '../deploy/shipped.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { bucketKind, installAckKinds } from './ack-crds.ts';
import { eventually } from './eventually.ts';
import { runPasted } from './pasted-command.ts';

const role = 'arn:aws:iam::111122223333:role/workloads';
const cluster = `
apiVersion: v1
kind: Namespace
metadata: { name: ack-system }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: ack-role-account-map, namespace: ack-system }
data:
  pods.111122223333: ${role}
  s3.12: ${role}
---
apiVersion: v1
kind: Namespace
metadata:
  name: team-a
  labels: { carm-webhook.dev/inject: enabled }
  annotations: { services.k8s.aws/owner-account-id: "111122223333" }
---
apiVersion: v1
kind: Namespace
metadata: { name: late, annotations: { services.k8s.aws/owner-account-id: "111122223333" } }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: default, namespace: team-a }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: reports, namespace: team-a, annotations: { carm-webhook.dev/role: team/reader } }
---
# The rights that the commands say they need, and no more.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: carm-cli }
rules:
  - apiGroups: [""]
    resources: [namespaces, serviceaccounts]
    verbs: [get, list]
  - apiGroups: [""]
    resources: [configmaps, pods]
    verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: carm-cli }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: carm-cli }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: alice }]
`;
/** A controller as ACK's chart installs it for one namespace. */
const ack = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ack-s3-chart, namespace: ack-system, labels: { app.kubernetes.io/name: s3-chart } }
spec:
  selector: { matchLabels: { app: s3 } }
  template:
    metadata: { labels: { app: s3 } }
    spec:
      serviceAccountName: ack-s3-controller
      containers:
        - name: controller
          image: s3-controller
          command: [./bin/controller]
          args:
            [--aws-region, $(AWS_REGION), --watch-namespace, $(ACK_WATCH_NAMESPACE), --feature-gates, $(FEATURE_GATES), --enable-carm=true]
          env:
            - { name: ACK_SYSTEM_NAMESPACE, valueFrom: { fieldRef: { fieldPath: metadata.namespace } } }
            - { name: AWS_REGION, value: eu-west-1 }
            - { name: ACK_WATCH_NAMESPACE, value: team-a }
            - { name: FEATURE_GATES, value: "TeamLevelCARM=true,ServiceLevelCARM=false" }
---
apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata: { name: logs, namespace: team-a }
spec: { name: logs }
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: ack-s3-controller
  namespace: ack-system
  annotations: { eks.amazonaws.com/role-arn: "arn:aws:iam::999999999999:role/ack" }
---
apiVersion: v1
kind: Namespace
metadata: { name: loose }
---
apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata: { name: lost, namespace: loose }
spec: { name: lost }
`;
const binders = (resources: string, verbs: string, names: string) => `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: binders }
rules: [{ apiGroups: [carm-webhook.dev], resources: [${resources}], verbs: [${verbs}], resourceNames: [${names}] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: binders }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: binders }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: Group, name: binders }]
`;
const pods = `
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: team-a }
spec:
  # The API server of this test has no plugin that sets it.
  serviceAccountName: default
  containers: [{ name: app, image: nginx }]
---
apiVersion: v1
kind: Pod
metadata: { name: report, namespace: team-a }
spec: { serviceAccountName: reports, containers: [{ name: app, image: nginx }] }
---
apiVersion: v1
kind: Pod
metadata: { name: lost, namespace: nowhere }
spec: { containers: [{ name: app, image: nginx }] }
`;

let plane: ControlPlane;

function rolesIn(object: unknown): readonly string[] {
  return [...JSON.stringify(object).matchAll(/"name":"AWS_ROLE_ARN","value":"([^"]*)"/g)].map(
    ([, found = '']) => found,
  );
}

describe('the commands on a real kube-apiserver', () => {
  before(
    async () => {
      plane = await ControlPlane.start({
        users: [
          { name: 'alice', groups: [] },
          { name: 'reader', groups: [] },
          { name: 'nobody', groups: [] },
        ],
      });
      await plane.kubectl(['apply', '-f', '-'], { input: cluster });
    },
    { timeout: 90_000 },
  );
  after(() => plane?.stop());

  test('inject by a user with get on what it needs; its output is what the API server takes', async () => {
    const env = { KUBECONFIG: await plane.kubeconfigFor({ user: 'alice' }) };
    const { code, stdout, stderr } = await runBundle(['inject', '-f', '-'], { env, stdin: pods });
    assert.equal(code, 1);
    assert.match(stderr, /^stdin:15: denied: .*namespace "nowhere" does not exist.*\(NamespaceNotFound\)\n$/);
    const objects = parseAllDocuments(stdout).map(document => document.toJS());
    assert.deepEqual(objects.map(rolesIn), [[role], ['arn:aws:iam::111122223333:role/team/reader']]);
    await plane.kubectl(['apply', '-f', '-'], { input: stdout });
  });

  test('why of a pod of the cluster: what it has, and what a new one would get', async () => {
    const env = { KUBECONFIG: await plane.kubeconfigFor({ user: 'alice' }) };
    await plane.kubectl(['apply', '-f', '-'], {
      input:
        'apiVersion: v1\nkind: Pod\nmetadata: {name: bare, namespace: team-a}\nspec: {containers: [{name: app, image: nginx}]}\n',
    });
    const bare = await runBundle(['why', 'pod', 'bare', '-n', 'team-a', '-o', 'json'], { env });
    assert.equal(bare.code, 0, bare.stderr);
    const { has, now } = JSON.parse(bare.stdout);
    assert.deepEqual([has.containers[0].roleArn, now.containers[0].roleArn], [undefined, role]);
    const namespace = await runBundle(['why', 'namespace', 'late'], { env });
    assert.match(namespace.stdout, /Warning: +it is bound but not labelled/);
  });

  test('check finds what is wrong, by lists', async () => {
    const env = { KUBECONFIG: await plane.kubeconfigFor({ user: 'alice' }) };
    const { code, stdout, stderr } = await runBundle(['check', '-o', 'json', '--default-region=eu-central-1'], { env });
    assert.equal(code, 1);
    const findings: { reason: string; object: { name: string } }[] = JSON.parse(stdout).findings;
    assert.deepEqual(
      findings.map(({ reason, object }) => `${reason} ${object.name}`),
      ['InvalidAccountId ack-role-account-map', 'NamespaceNotLabelled late'],
    );
    // The rights of a release ago.
    const unread = stderr.split('\n').sort();
    assert.equal(unread.length, 5);
    assert.match(
      unread[1] ?? '',
      /^not checked: cannot read the deployments: .*403 Forbidden \(you need the right to list deployments\)$/,
    );
    assert.match(
      unread[2] ?? '',
      /^not checked: cannot read the leases: .*403 Forbidden \(you need the right to list leases\)$/,
    );
    assert.match(unread[3] ?? '', /^not checked: cannot read the mutatingwebhookconfigurations: .*403 Forbidden/);
    assert.match(
      unread[4] ?? '',
      /^not checked: cannot read the pods: .*403 Forbidden \(you need the right to list pods\)$/,
    );
  });

  test("check by the shipped rights: flags of ACK's controllers, and a resource that its fix brings back", async () => {
    const reader = JSON.stringify(shipped('ClusterRole', 'carm-webhook-reader'));
    await plane.kubectl(['apply', '-f', '-'], { input: reader });
    const binding = ['reader', '--clusterrole=carm-webhook-reader', '--user=reader'];
    await plane.kubectl(['create', 'clusterrolebinding', ...binding]);
    await installAckKinds(plane, [bucketKind]);
    await plane.kubectl(['apply', '-f', '-'], { input: ack });
    const record = async (namespace: string, name: string, ownerAccountID: string, region: string) => {
      const status = JSON.stringify({ status: { ackResourceMetadata: { ownerAccountID, region } } });
      const patch = ['--subresource=status', '--type=merge', '-p', status];
      await plane.kubectl(['patch', 'bucket.s3.services.k8s.aws', name, '-n', namespace, ...patch]);
    };
    await record('team-a', 'logs', '111122223333', 'eu-central-1');
    await record('loose', 'lost', '444455556666', 'eu-west-1');
    const env = { KUBECONFIG: plane.kubeconfigFor({ user: 'reader' }) };
    const findings = async (): Promise<readonly Finding[]> => {
      const { stdout, stderr } = await runBundle(['check', '-o', 'json', '--default-region=eu-central-1'], { env });
      assert.equal(stderr, notInstalled);
      const all: readonly Finding[] = JSON.parse(stdout).findings;
      return all.filter(
        ({ reason, object: { kind } }) => kind === 'Bucket' || kind === 'Deployment' || reason.startsWith('Resources'),
      );
    };
    const found = await findings();
    const ofController = ['ControllerGatesDiffer', 'ControllerIgnoresBindings', 'ControllerRegionDiffers'];
    assert.deepEqual(
      found.map(({ reason, object: { name } }) => `${reason} ${name}`),
      [
        'RegionChange logs',
        'ControllerGatesDiffer ack-s3-chart',
        'ControllerIgnoresBindings ack-s3-chart',
        'ResourcesStranded loose',
        'ControllerRegionDiffers ack-s3-chart',
      ],
    );
    const [, command = ''] = /: (kubectl .*)$/.exec(found[0]?.fix ?? '') ?? [];
    assert.deepEqual(await runPasted(plane, command), { code: 0, stderr: '' });
    const key = '{"data":{"444455556666":"arn:aws:iam::444455556666:role/ack"}}';
    await plane.kubectl(['patch', 'configmap', 'ack-role-account-map', '-n', 'ack-system', '-p', key]);
    assert.deepEqual(
      (await findings()).map(({ reason }) => reason),
      [...ofController, 'ResourcesUnbound'],
    );
  });

  test('check finds who may bind as RBAC decides it', async () => {
    const env = { KUBECONFIG: plane.kubeconfigFor({ user: 'reader' }) };
    const isFound = async (): Promise<boolean> => {
      const { stdout, stderr } = await runBundle(['check', '-o', 'json', '--authorize-bindings'], { env });
      assert.match(
        stderr,
        /^not checked: the installation of carm-webhook, since no webhook configuration is its own\n$/,
      );
      const all: readonly Finding[] = JSON.parse(stdout).findings;
      return all.some(({ reason, message }) => reason === 'NobodyMayBind' && message.includes('"111122223333"'));
    };
    const mayBind = async (group: string): Promise<boolean> => {
      const resourceAttributes = {
        group: 'carm-webhook.dev',
        resource: 'accounts',
        verb: 'bind',
        name: '111122223333',
      };
      const { body } = await plane.request<{ status: { allowed: boolean } }>(
        'POST',
        '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: { user: 'somebody', groups: [group], resourceAttributes },
        },
      );
      return body.status.allowed;
    };
    assert.deepEqual([await isFound(), await mayBind('binders'), await mayBind('system:masters')], [true, false, true]);
    const rows: readonly (readonly [resources: string, verbs: string, names: string, may: boolean])[] = [
      ['accounts', 'bind', '"111122223333"', true],
      ['accounts', 'bind', '"444455556666"', false],
      ['"*"', '"*"', '', true],
      ['accounts/x', 'bind', '', false],
      ['teams', 'bind', '', false],
    ];
    for (const [resources, verbs, names, may] of rows) {
      await plane.kubectl(['apply', '-f', '-'], { input: binders(resources, verbs, names) });
      await eventually(`RBAC that says ${may}`, async () => ((await mayBind('binders')) === may ? true : undefined));
      assert.equal(await isFound(), !may, `${resources} ${verbs} ${names}`);
    }
  });

  test('a user without rights is told the right that is missing, exit 3', async () => {
    const env = { KUBECONFIG: await plane.kubeconfigFor({ user: 'nobody' }) };
    const check = await runBundle(['check'], { env });
    assert.equal(check.code, 3);
    assert.match(
      check.stderr,
      /403 Forbidden \(you need the right to (?:list|get) \w+\)\. Ask your platform team for the ClusterRole [^\n]+\n$/,
    );
    const inject = await runBundle(['inject', '-f', '-'], { env, stdin: pods });
    assert.deepEqual([inject.code, inject.stdout], [3, '']);
    assert.match(
      inject.stderr,
      /Namespace "team-a" .* \(you need the right to get namespaces\)\. Ask your platform team for the ClusterRole [^\n]+\n$/,
    );
  });

  test('a cluster that is out of reach: exit 3, one line', async () => {
    const env = { KUBECONFIG: await plane.kubeconfigFor({ user: 'alice' }) };
    await plane.stopApiServer();
    const { code, stderr } = await runBundle(['check'], { env });
    assert.equal(code, 3);
    assert.match(stderr, /^carm-webhook: cannot read [^\n]*ECONNREFUSED[^\n]*\n$/);
  });
});
