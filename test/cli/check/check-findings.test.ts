import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Finding, findingKinds } from '../../../src/cli/check/finding.ts';
import { inRepository, runCommand } from '../command-runs.ts';
import { installationReasons } from './installation-reasons.ts';

const state = inRepository('test/cli/check-state');
const gates = '--feature-gates=TeamLevelCARM=true';
const region = '--default-region=eu-central-1';

async function findingsOf(...flags: string[]): Promise<{ code: number; findings: readonly Finding[] }> {
  const { code, stdout, stderr } = await runCommand(['check', '-o', 'json', ...flags]);
  assert.equal(stderr, '');
  return { code, findings: JSON.parse(stdout).findings };
}

function inShort({ severity, reason, object: { kind, namespace, name } }: Finding): string {
  return [severity, reason, kind, namespace, name].filter(part => part !== '').join(' ');
}

async function stateOf(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-check-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'state.yaml'), text);
  return folder;
}

const fixture = [
  'error AccountMismatch Bucket good elsewhere',
  'error RegionChange Bucket good moved',
  'error AccountMismatch ConfigMap ack-system ack-role-account-map',
  'error InvalidAccountId ConfigMap ack-system ack-role-account-map',
  'error InvalidAccountId ConfigMap ack-system ack-role-account-map',
  'error InvalidRoleArn ConfigMap ack-system ack-role-account-map',
  'error InvalidTeamId ConfigMap ack-system ack-role-team-map',
  'error InvalidAccountId Namespace bad-account-id',
  'error InvalidRoleArn Namespace bad-role',
  'error InvalidTeamId Namespace bad-team-id',
  'error InvalidLabel Namespace labelled-false',
  'error AccountMismatch Namespace mismatch',
  'error NamespaceNotBound Namespace not-bound',
  'error NamespaceNotLabelled Namespace not-labelled',
  'error AccountNotMapped Namespace not-mapped',
  'error InvalidLabel Namespace odd',
  'error RoleBroken Namespace shares-role',
  'error TeamNotMapped Namespace team-not-mapped',
  'error RoleGrantNotAllowed PodIdentityAssociation good theirs',
  'error InvalidRoleArn ServiceAccount good bad-wish',
  'error RoleOutsideAccount ServiceAccount good foreign',
  'error InvalidRoleArn ServiceAccount good slash',
  'warning InvalidRegion Bucket good odd-region',
  'warning MisspelledKey Bucket good slip',
  'warning MisspelledKey ConfigMap ack-system ack-role-account-map',
  'warning PodsShareControllerRole ConfigMap ack-system ack-role-account-map',
  'warning BindingIgnored Namespace kube-system',
  'warning MisplacedKey Namespace misplaced',
  'warning MisplacedKey Namespace misplaced',
  'warning MisspelledKey Namespace misplaced',
  'warning ResourcesUnbound Namespace not-ours',
  'warning InvalidRegion Namespace odd',
  'warning MisspelledKey Namespace odd',
  'warning RegionUnknown Namespace shares-role',
  'warning InvalidTokenExpiration ServiceAccount good bad-expiration',
  'warning MisplacedKey ServiceAccount good misplaced',
  'warning MisplacedKey ServiceAccount good misplaced',
  'warning TokenExpirationClamped ServiceAccount good short-expiration',
  'warning MisspelledKey ServiceAccount good slip',
];

/** A namespace without a credentials mode that there is, one whose hub role is the mapped role, and a pod whose config was emptied. */
const onTheWay = `apiVersion: v1
kind: ConfigMap
metadata: {name: ack-role-account-map, namespace: ack-system}
data:
  pods.111122223333: arn:aws:iam::111122223333:role/pods
---
apiVersion: v1
kind: Namespace
metadata:
  name: odd-mode
  annotations: {carm-webhook.dev/credentials: both}
---
apiVersion: v1
kind: Namespace
metadata:
  name: own-hub
  labels: {carm-webhook.dev/inject: enabled}
  annotations:
    services.k8s.aws/owner-account-id: "111122223333"
    carm-webhook.dev/hub-role-arn: arn:aws:iam::111122223333:role/pods
---
apiVersion: v1
kind: Namespace
metadata:
  name: chained
  labels: {carm-webhook.dev/inject: enabled}
  annotations:
    services.k8s.aws/owner-account-id: "111122223333"
    carm-webhook.dev/hub-role-arn: arn:aws:iam::111122223333:role/hub
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: chained}
---
apiVersion: v1
kind: Pod
metadata:
  name: emptied
  namespace: chained
  annotations: {carm-webhook.dev/aws-config: ""}
spec:
  containers:
    - name: app
      env:
        - {name: AWS_CONFIG_FILE, value: /var/run/secrets/eks.amazonaws.com/serviceaccount/config}
        - {name: AWS_SDK_LOAD_CONFIG, value: "1"}
      volumeMounts: [{name: aws-iam-token, mountPath: /var/run/secrets/eks.amazonaws.com/serviceaccount}]
  volumes:
    - name: aws-iam-token
      projected:
        sources:
          - serviceAccountToken: {audience: sts.amazonaws.com, path: token}
          - downwardAPI: {items: [{path: config, fieldRef: {fieldPath: "metadata.annotations['carm-webhook.dev/aws-config']"}}]}
status: {phase: Running}
`;

/** Two accounts: of one the workloads share ACK's role, and in the other a ServiceAccount asks for it. */
const sharing = `apiVersion: v1
kind: ConfigMap
metadata: {name: ack-role-account-map, namespace: ack-system}
data:
  "111122223333": arn:aws:iam::111122223333:role/ack
  pods.111122223333: arn:aws:iam::111122223333:role/pods
  "444455556666": arn:aws:iam::444455556666:role/both
  pods.444455556666: arn:aws:iam::444455556666:role/both
---
apiVersion: v1
kind: Namespace
metadata:
  name: apart
  labels: {carm-webhook.dev/inject: enabled}
  annotations: {services.k8s.aws/owner-account-id: "111122223333"}
---
apiVersion: v1
kind: Namespace
metadata:
  name: shared
  labels: {carm-webhook.dev/inject: enabled}
  annotations: {services.k8s.aws/owner-account-id: "444455556666"}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: greedy
  namespace: apart
  annotations: {carm-webhook.dev/role: ack}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: modest
  namespace: shared
  annotations: {carm-webhook.dev/role: both}
`;

/** A controller that differs from the flags of the test in whatever it can, and a resource that it has no role for. */
const controller = `apiVersion: apps/v1
kind: Deployment
metadata: {name: ack-s3-controller, namespace: ack-system}
spec:
  template:
    spec:
      serviceAccountName: ack
      containers:
        - name: controller
          args: [--watch-namespace=shop, --feature-gates=ServiceLevelCARM=true, --aws-region=eu-west-1]
          env: [{name: ACK_SYSTEM_NAMESPACE, value: acks}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ack, namespace: ack-system, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::111122223333:role/ack"}}
---
apiVersion: v1
kind: Namespace
metadata: {name: loose}
---
apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata: {name: lost, namespace: loose}
status: {ackResourceMetadata: {ownerAccountID: "444455556666", region: eu-west-1}}
`;

/** A cluster in which nobody may bind. */
const unbindable = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: view}
rules: []
`;

const runningPod = `apiVersion: v1
kind: Pod
metadata: {name: old, namespace: apart}
spec: {containers: [{name: app}]}
`;

/** A namespace that goes on allowing what it was meant to allow once. */
const allowsRebind = (accounts: string, name = 'moved') =>
  `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}, annotations: {carm-webhook.dev/allow-rebind: '${accounts}'}}\n`;

describe('check', () => {
  test('a fixture with one of each yields exactly those, errors first, then by object', async () => {
    const { code, findings } = await findingsOf('--state', state, gates);
    assert.equal(code, 1);
    assert.deepEqual(findings.map(inShort), fixture);
  });

  test('the fixture and the missing maps make up the whole list', async t => {
    const { findings } = await findingsOf('--state', state, gates);
    const boundTo = (name: string, key: string, id: string) =>
      `---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}\n  labels: {carm-webhook.dev/inject: enabled}\n  annotations: {services.k8s.aws/${key}: "${id}"}\n`;
    const maps = await stateOf(
      t,
      boundTo('a', 'owner-account-id', '111122223333') +
        boundTo('b', 'owner-account-id', '111122223333') +
        boundTo('c', 'team-id', 'x'),
    );
    const missing = await findingsOf('--state', maps, gates);
    assert.deepEqual(missing.findings.map(inShort), [
      'error AccountMapMissing ConfigMap ack-system ack-role-account-map',
      'error TeamMapMissing ConfigMap ack-system ack-role-team-map',
    ]);
    assert.match(missing.findings[0]?.message ?? '', /but namespaces need it: "a", "b"$/);
    const selector = (name: string, kind: string) =>
      `---\napiVersion: services.k8s.aws/v1alpha1\nkind: IAMRoleSelector\nmetadata: {name: ${name}}\nspec:\n  arn: arn:aws:iam::111122223333:role/a\n  resourceTypeSelector: [{group: "", version: "", kind: ${kind}}]\n`;
    const resource = (kind: string) =>
      `---\napiVersion: s3.services.k8s.aws/v1alpha1\nkind: ${kind}\nmetadata: {name: r, namespace: plain}\n`;
    const selectors = await stateOf(
      t,
      `apiVersion: v1\nkind: Namespace\nmetadata: {name: plain}\n${selector('one', 'Bucket')}${selector('two', 'Bucket')}${selector('three', 'Key')}${resource('Bucket')}${resource('Topic')}${resource('Key')}`,
    );
    const selected = await findingsOf('--state', selectors, '--feature-gates=IAMRoleSelector=true');
    assert.deepEqual(selected.findings.map(inShort), [
      'error SelectorConflict Bucket plain r',
      'error SelectorNotMatched Topic plain r',
    ]);
    const controllers = await findingsOf('--state', await stateOf(t, sharing), '--require-pods-key', region);
    const running = await findingsOf('--state', await stateOf(t, `${sharing}---\n${runningPod}`));
    const chained = await findingsOf(
      '--state',
      await stateOf(t, onTheWay),
      region,
      '--credentials=chain',
      '--source-accounts=111122223333',
    );
    const ack = await findingsOf('--state', await stateOf(t, controller), region);
    const bound = await findingsOf('--state', await stateOf(t, `${sharing}---\n${unbindable}`), '--authorize-bindings');
    const allowing = await findingsOf('--state', await stateOf(t, allowsRebind('111122223333')));
    const all = [missing, selected, controllers, running, chained, ack, bound, allowing]
      .flatMap(each => each.findings)
      .concat(findings);
    const found = new Set(all.map(({ reason }) => reason));
    assert.deepEqual([...found, ...installationReasons].sort(), Object.keys(findingKinds).sort());
  });

  test('each finding has exactly the documented fields, with words in them', async () => {
    const { findings } = await findingsOf('--state', state, gates);
    for (const finding of findings) {
      assert.deepEqual(Object.keys(finding), ['reason', 'severity', 'object', 'message', 'fix']);
      assert.deepEqual(Object.keys(finding.object), ['kind', 'namespace', 'name']);
      assert.ok(finding.message.length > 10 && finding.fix.length > 10, finding.reason);
      assert.ok(!/[\n`]/.test(finding.message + finding.fix), finding.reason);
    }
  });

  for (const value of ['yes', 'Enabled']) {
    test(`a namespace that is not bound is not to be labelled enabled, which has its pods denied: ${value}`, async t => {
      const labels = `labels: { carm-webhook.dev/inject: "${value}" }`;
      const folder = await stateOf(t, `apiVersion: v1\nkind: Namespace\nmetadata: { name: odd, ${labels} }\n`);
      const { findings } = await findingsOf('--state', folder);
      assert.deepEqual(
        findings.map(({ reason, fix }) => [reason, fix]),
        [
          [
            'InvalidLabel',
            'The namespace is not bound: bind it first, unless the namespace has ACK resources of another account, or remove the label: kubectl label namespace odd carm-webhook.dev/inject-',
          ],
        ],
      );
    });
  }

  test('what is ignored comes with the command that puts it right', async () => {
    const { findings } = await findingsOf('--state', state, gates);
    const fixes = findings
      .filter(({ reason }) => ['InvalidLabel', 'MisplacedKey', 'MisspelledKey'].includes(reason))
      .filter(({ object: { name } }) => name !== 'misplaced')
      .map(({ message, fix }) => [message, fix]);
    assert.deepEqual(fixes, [
      [
        'label carm-webhook.dev/inject="false" hides its pods from the webhook: they get no role. Use enabled or disabled',
        'Use enabled or disabled: kubectl label --overwrite namespace labelled-false carm-webhook.dev/inject=disabled',
      ],
      [
        'label carm-webhook.dev/mode="Warn" is ignored: the mode is enforce. Use enforce, warn or audit',
        'Use enforce, warn or audit: kubectl label --overwrite namespace odd carm-webhook.dev/mode=warn',
      ],
      [
        'annotation "services.k8s.aws/deletion_policy" on the ACK resource is ignored. Did you mean services.k8s.aws/deletion-policy?',
        `Use services.k8s.aws/deletion-policy instead: kubectl annotate bucket.s3.services.k8s.aws slip --namespace good services.k8s.aws/deletion-policy="$(kubectl get bucket.s3.services.k8s.aws slip --namespace good -o jsonpath='{.metadata.annotations.services\\.k8s\\.aws/deletion_policy}')" services.k8s.aws/deletion_policy-`,
      ],
      [
        'key "pod.111122223333" in the account map is ignored. Did you mean pods.111122223333?',
        `Rename it to pods.111122223333: kubectl patch configmap ack-role-account-map --namespace ack-system --type json --patch '[{"op":"move","from":"/data/pod.111122223333","path":"/data/pods.111122223333"}]'`,
      ],
      [
        'annotation "service.k8s.aws/team-id" on the namespace is ignored. Did you mean services.k8s.aws/team-id?',
        `Use services.k8s.aws/team-id instead: kubectl annotate namespace odd services.k8s.aws/team-id="$(kubectl get namespace odd -o jsonpath='{.metadata.annotations.service\\.k8s\\.aws/team-id}')" service.k8s.aws/team-id-`,
      ],
      [
        'annotation "eks.amazon.com/role-arn" on the ServiceAccount is ignored. Did you mean eks.amazonaws.com/role-arn?',
        `Use eks.amazonaws.com/role-arn instead: kubectl annotate serviceaccount slip --namespace good eks.amazonaws.com/role-arn="$(kubectl get serviceaccount slip --namespace good -o jsonpath='{.metadata.annotations.eks\\.amazon\\.com/role-arn}')" eks.amazon.com/role-arn-`,
      ],
    ]);
  });

  test('the table has each finding with its fix, and the sum', async () => {
    const { stdout } = await runCommand(['check', '--state', state, gates]);
    const lines = stdout.split('\n');
    assert.match(lines[0] ?? '', /^SEVERITY {2}REASON +OBJECT$/);
    const column = lines[0]?.indexOf('OBJECT') ?? 0;
    const heads = lines.filter(line => /^(?:ERROR|WARNING) /.test(line));
    assert.equal(heads.length, fixture.length);
    for (const head of heads)
      assert.match(
        head.slice(column - 2),
        /^ {2}(?:Bucket|ConfigMap|Namespace|PodIdentityAssociation|ServiceAccount) /,
      );
    assert.equal(stdout.match(/^ {4}Fix: /gm)?.length, fixture.length);
    assert.ok(stdout.endsWith('\n22 errors, 17 warnings\n'));
  });

  test('an association in a namespace that the server never judges is none', async t => {
    const association = `---\napiVersion: eks.services.k8s.aws/v1alpha1\nkind: PodIdentityAssociation\nmetadata: {name: a, namespace: NAMESPACE}\nspec: {namespace: other, serviceAccount: web}\n`;
    const namespace = '---\napiVersion: v1\nkind: Namespace\nmetadata: {name: NAMESPACE}\n';
    const of = (name: string) => `${namespace}${association}`.replaceAll('NAMESPACE', name);
    const { findings } = await findingsOf('--state', await stateOf(t, of('kube-system') + of('plain')));
    assert.deepEqual(findings.filter(({ reason }) => reason === 'RoleGrantNotAllowed').map(inShort), [
      'error RoleGrantNotAllowed PodIdentityAssociation plain a',
    ]);
  });

  test('with the gate off a team id binds nothing, and says so', async () => {
    const { findings } = await findingsOf('--state', state);
    const of = (name: string) => findings.filter(({ object }) => object.name === name).map(({ reason }) => reason);
    assert.deepEqual(of('team-not-mapped'), ['NamespaceNotBound', 'BindingIgnored']);
  });

  test('with --require-pods-key a shared role is an account that is not mapped', async () => {
    const { findings } = await findingsOf('--state', state, gates, '--require-pods-key');
    const reasons = findings.filter(({ object }) => object.name === 'shares-role').map(({ reason }) => reason);
    assert.deepEqual(reasons, ['AccountNotMapped']);
    assert.ok(!findings.some(({ reason }) => reason === 'PodsShareControllerRole'));
  });

  test("with --require-pods-key a ServiceAccount that asks for ACK's role is found, and a role that is mapped for both", async t => {
    const { findings } = await findingsOf('--state', await stateOf(t, sharing), '--require-pods-key', region);
    assert.deepEqual(findings.map(inShort), [
      'error ControllerRole ServiceAccount apart greedy',
      'warning PodsShareControllerRole ConfigMap ack-system ack-role-account-map',
    ]);
    assert.match(
      findings[1]?.message ?? '',
      /^ACK uses the role under "pods\.444455556666" too: pods get it in "shared"$/,
    );
  });

  test("without it a ServiceAccount may ask for ACK's role", async t => {
    const { findings } = await findingsOf('--state', await stateOf(t, sharing), region);
    assert.deepEqual(
      findings.map(({ reason }) => reason),
      ['PodsShareControllerRole'],
    );
  });

  test('a region is known by the namespace or by the flag, which concerns only namespaces whose pods get a role', async () => {
    const withoutRegion = async (...flags: string[]) =>
      (await findingsOf('--state', state, gates, ...flags)).findings.filter(({ reason }) => reason === 'RegionUnknown');
    const [found, ...others] = await withoutRegion();
    assert.deepEqual(others, []);
    assert.equal(found?.object.name, 'shares-role');
    assert.match(found?.fix ?? '', /--default-region/);
    assert.deepEqual(await withoutRegion(region), []);
  });

  test('an override that stayed behind is found, with the command that removes it', async t => {
    const { code, findings } = await findingsOf('--state', await stateOf(t, allowsRebind('111122223333, x"y')));
    assert.deepEqual(findings.map(inShort), ['warning RebindStillAllowed Namespace moved']);
    assert.match(findings[0]?.message ?? '', /"111122223333", "x\\"y"/);
    assert.match(findings[0]?.fix ?? '', /: kubectl annotate namespace moved carm-webhook\.dev\/allow-rebind-$/);
    assert.equal(code, 1);
  });

  for (const [name, accounts] of [
    ['empty', ' , '],
    ['kube-system', '111122223333'],
  ] as const) {
    test(`an override that allows nothing is none: ${name}`, async t => {
      assert.deepEqual((await findingsOf('--state', await stateOf(t, allowsRebind(accounts, name)))).findings, []);
    });
  }

  test('without findings it says so, exit 0', async t => {
    const empty = await stateOf(t, 'apiVersion: v1\nkind: Namespace\nmetadata: {name: plain}\n');
    assert.deepEqual(await runCommand(['check', '--state', empty]), { code: 0, stdout: 'no findings\n', stderr: '' });
    assert.deepEqual(await findingsOf('--state', empty), { code: 0, findings: [] });
  });
});
