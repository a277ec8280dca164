import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { workloadKinds } from '../../../src/objects/pod-template.ts';
import { demoState, runCommand } from '../command-runs.ts';
import { startTinyApiServer } from '../tiny-api-server.ts';

const workloadRole = 'arn:aws:iam::111122223333:role/team-a-workloads';

async function whyJson(...args: string[]) {
  const { code, stdout, stderr } = await runCommand(['why', ...args, '-o', 'json']);
  assert.equal(stderr, '');
  return { code, answer: JSON.parse(stdout) };
}

/** A folder with the demo's account and the given pods. */
async function stateWith(
  t: TestContext,
  pods: readonly unknown[],
  label: string | null = 'enabled',
  mode = 'enforce',
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-why-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const data = { 'pods.111122223333': workloadRole };
  const labels = { ...(label !== null && { 'carm-webhook.dev/inject': label }), 'carm-webhook.dev/mode': mode };
  const annotations = {
    'services.k8s.aws/owner-account-id': '111122223333',
    'services.k8s.aws/default-region': 'eu-west-1',
  };
  const objects = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ack-role-account-map', namespace: 'ack-system' }, data },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team-a', labels, annotations } },
    ...pods,
  ];
  await writeFile(join(folder, 'state.yaml'), objects.map(object => `---\n${stringify(object)}`).join(''));
  return folder;
}

function pod(name: string, spec: unknown, annotations = {}): unknown {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'team-a', annotations }, spec };
}

describe('a pod in chain mode', () => {
  const hub = 'arn:aws:iam::999988887777:role/hub';
  const flags = [
    ...['--credentials=chain', `--hub-role-arn=${hub}`, '--source-accounts=999988887777'],
    '--external-id={account}/{namespace}',
  ];
  const plain = pod('web', { containers: [{ name: 'app' }] });
  const serviceAccount = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'team-a' },
  };

  /** The pod as `inject` writes it. */
  async function injected(
    t: TestContext,
  ): Promise<{ spec: object; metadata: { annotations: Record<string, string> } }> {
    const folder = await stateWith(t, [serviceAccount]);
    const input = join(folder, '..', `${folder.split('/').at(-1)}.yaml`);
    t.after(() => rm(input, { force: true }));
    await writeFile(input, stringify(plain));
    const { code, stdout, stderr } = await runCommand(['inject', '-f', input, '--state', folder, ...flags]);
    assert.equal(code, 0, stderr);
    return parse(stdout);
  }

  test('what it would get: the mode, the hub role and the external id', async t => {
    const folder = await stateWith(t, [serviceAccount, plain]);
    const { stdout } = await runCommand(['why', 'pod', 'web', '-n', 'team-a', '--state', folder, ...flags]);
    assert.match(stdout, /^Credentials: +chain$/m);
    assert.match(stdout, new RegExp(`^Hub role: +${hub}$`, 'm'));
    assert.match(stdout, /^External id: +111122223333\/team-a$/m);
    const { answer } = await whyJson('pod', 'web', '-n', 'team-a', '--state', folder, ...flags);
    assert.deepEqual(answer.now.access, { credentials: 'chain', hubRoleArn: hub, externalId: '111122223333/team-a' });
    assert.equal(answer.now.roleArn, workloadRole);
  });

  test('what it has: by its config file, and a new one gets the same again', async t => {
    const folder = await stateWith(t, [serviceAccount, await injected(t)]);
    const { answer } = await whyJson('pod', 'web', '-n', 'team-a', '--state', folder, ...flags);
    const [has] = answer.has.containers;
    assert.equal(has.roleArn, workloadRole);
    assert.deepEqual(
      [has.chain.hubRoleArn, has.chain.externalId, has.chain.overPodIdentity],
      [hub, '111122223333/team-a', false],
    );
    assert.equal(answer.now.containers[0].env.AWS_SDK_LOAD_CONFIG, '1');
    const { stdout } = await runCommand(['why', 'pod', 'web', '-n', 'team-a', '--state', folder, ...flags]);
    assert.match(stdout, new RegExp(`config: ${workloadRole} by hub role ${hub} with external id 111122223333/team-a`));
    // In the other mode a new one would get the pair, without anything of the chain.
    const other = await whyJson('pod', 'web', '-n', 'team-a', '--state', folder);
    assert.equal(other.answer.now.containers[0].env.AWS_ROLE_ARN, workloadRole);
    assert.deepEqual(other.answer.now.access, { credentials: 'web-identity' });
  });

  test('a config of someone else is not believed', async t => {
    const forged = await injected(t);
    forged.metadata.annotations['carm-webhook.dev/aws-config'] += 'credential_process = /bin/sh\n';
    const folder = await stateWith(t, [serviceAccount, forged]);
    const { stdout } = await runCommand(['why', 'pod', 'web', '-n', 'team-a', '--state', folder, ...flags]);
    assert.match(stdout, /config, whose text is not one that carm-webhook wrote/);
  });
});

describe('why namespace', () => {
  test('tells account, role, where it came from, mode and what a plain pod would get', async () => {
    const { code, answer } = await whyJson('namespace', 'team-a', '--state', demoState);
    assert.equal(code, 0);
    const { now } = answer;
    assert.deepEqual(
      [now.decision, now.reason, now.accountId, now.roleArn, now.mode],
      ['mutate', 'Injected', '111122223333', workloadRole, 'enforce'],
    );
    assert.equal(now.roleFrom, 'ConfigMap ack-system/ack-role-account-map, key "pods.111122223333"');
    assert.deepEqual(now.containers[0].env, {
      AWS_STS_REGIONAL_ENDPOINTS: 'regional',
      AWS_DEFAULT_REGION: 'eu-central-1',
      AWS_REGION: 'eu-central-1',
      AWS_ROLE_ARN: workloadRole,
      AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token',
      AWS_ROLE_SESSION_NAME: 'team-a.default',
    });
  });

  test('one whose pods would be denied: exit 1, the message', async () => {
    const { code, stdout } = await runCommand(['why', 'ns/team-b', '--state', demoState]);
    assert.equal(code, 1);
    assert.match(stdout, /^Namespace team-b\nDecision: {2}denied \(AccountNotMapped\)\n/);
    assert.match(stdout, /\nMessage: {3}a pod in namespace "team-b": .*\(AccountNotMapped\)\n$/);
  });

  test('the mode softens it: exit 0', async () => {
    const { code, stdout } = await runCommand(['why', 'ns', 'team-b', '--state', demoState, '--default-mode=audit']);
    assert.equal(code, 0);
    assert.match(stdout, /\nDecision: {2}allowed without changes \(AccountNotMapped; mode audit\)\n/);
  });

  test('one that is not bound, one that does not exist', async () => {
    const unbound = await whyJson('namespace', 'ack-system', '--state', demoState);
    assert.deepEqual([unbound.code, unbound.answer.now.reason], [0, 'NamespaceNotManaged']);
    const missing = await whyJson('namespace', 'nowhere', '--state', demoState);
    assert.deepEqual([missing.code, missing.answer.now.reason], [1, 'NamespaceNotFound']);
  });

  test('one that is bound but not labelled is warned of', async t => {
    const { answer } = await whyJson('namespace', 'team-a', '--state', await stateWith(t, [], null));
    assert.match(answer.now.warnings[0], /bound but not labelled/);
  });

  test('one that is labelled with what means nothing is told what follows', async t => {
    const { answer } = await whyJson('namespace', 'team-a', '--state', await stateWith(t, [], 'typo'));
    assert.match(answer.now.warnings[0], /^label .*="typo" hides its pods from the webhook: .* \(InvalidLabel\)$/);
  });
});

describe('why pod', () => {
  test('in a namespace that is bound but not labelled, it is warned that the webhook does not see it', async t => {
    const state = await stateWith(t, [pod('web', { containers: [{ name: 'app' }] })], null);
    const { answer } = await whyJson('pod', 'web', '-n', 'team-a', '--state', state);
    assert.match(answer.now.warnings[0], /bound but not labelled .*: the webhook does not see its pods/);
  });

  test('a running pod: what it has, and what a new one would get from the map of today', async t => {
    const plain = pod('web', { containers: [{ name: 'app', env: [{ name: 'X', value: '1' }] }] });
    const injected = await runCommand(['inject', '-f', '-', '--state', await stateWith(t, [])], {
      stdin: stringify(plain),
    });
    const old = 'arn:aws:iam::111122223333:role/old';
    const running = parse(injected.stdout.replaceAll(workloadRole, old));
    const { code, answer } = await whyJson('pod', 'web', '-n', 'team-a', '--state', await stateWith(t, [running]));
    assert.equal(code, 0);
    assert.equal(answer.has.said, old);
    assert.equal(answer.has.containers[0].roleArn, old);
    assert.equal(answer.now.roleArn, workloadRole);
    assert.equal(answer.now.containers[0].roleArn, workloadRole);
    assert.equal(Object.keys(answer.now.containers[0].env).length, 6);
  });

  test('a running pod keeps its own session name and role, which stand before what was injected', async t => {
    const mine = 'arn:aws:iam::111122223333:role/mine';
    const name = { name: 'AWS_ROLE_SESSION_NAME', value: 'mine' };
    const plain = pod('web', {
      containers: [
        { name: 'named', env: [name] },
        { name: 'own', env: [{ name: 'AWS_ROLE_ARN', value: mine }] },
      ],
    });
    const injected = await runCommand(['inject', '-f', '-', '--state', await stateWith(t, [])], {
      stdin: stringify(plain),
    });
    const { answer } = await whyJson(
      'pod',
      'web',
      '-n',
      'team-a',
      '--state',
      await stateWith(t, [parse(injected.stdout)]),
    );
    const [named, own] = answer.now.containers;
    assert.equal(named.roleArn, workloadRole);
    assert.equal(named.env.AWS_ROLE_SESSION_NAME, undefined);
    assert.equal(named.env.AWS_ROLE_ARN, workloadRole);
    assert.equal(own.roleArn, mine);
  });

  test('a region that nobody knows is told, with the containers that lack it', async t => {
    const state = await stateWith(t, [
      pod('web', {
        containers: [
          { name: 'app' },
          { name: 'regional', env: [{ name: 'AWS_REGION', value: 'eu-west-1' }] },
          { name: 'perhaps', envFrom: [{ configMapRef: { name: 'region' } }] },
        ],
      }),
    ]);
    const line = /^Region: .*\n/m;
    const { stdout } = await runCommand(['why', 'pod', 'web', '-n', 'team-a', '--state', state]);
    assert.doesNotMatch(stdout, line);
    const file = join(state, 'state.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace(/^.*default-region.*\n/m, ''));
    const { stdout: without } = await runCommand(['why', 'pod', 'web', '-n', 'team-a', '--state', state]);
    assert.match(
      without,
      /^Region: +none is known for container "app": some AWS SDKs fail without one \(.*--default-region/m,
    );
    const { answer } = await whyJson('pod', 'web', '-n', 'team-a', '--state', state);
    assert.deepEqual(
      answer.now.containers.map((each: { withoutRegion: boolean }) => each.withoutRegion),
      [true, false, false],
    );
  });

  test('ephemeral containers are what it has, not what a new one would have', async t => {
    const env = [{ name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::999988887777:role/x' }];
    const spec = { containers: [{ name: 'app' }], ephemeralContainers: [{ name: 'debugger', env }] };
    const state = await stateWith(t, [pod('debugged', spec)]);
    const { code, answer } = await whyJson('pod', 'debugged', '-n', 'team-a', '--state', state);
    assert.equal(code, 0);
    const names = (containers: { name: string }[]) => containers.map(({ name }) => name);
    assert.deepEqual([names(answer.has.containers), names(answer.now.containers)], [['app', 'debugger'], ['app']]);
  });

  test('the annotation alone is no evidence: a pod that says a role and has another', async t => {
    const foreign = 'arn:aws:iam::999988887777:role/x';
    const liar = pod(
      'liar',
      { containers: [{ name: 'app', env: [{ name: 'AWS_ROLE_ARN', value: foreign }] }] },
      { 'carm-webhook.dev/role-arn': workloadRole },
    );
    const { code, answer } = await whyJson('pod/liar', '-n', 'team-a', '--state', await stateWith(t, [liar]));
    assert.equal(code, 1);
    assert.equal(answer.has.containers[0].roleArn, foreign);
    assert.equal(answer.now.reason, 'RoleOutsideAccount');
  });

  test('what each container would get, in words', async t => {
    const own = { name: 'own', env: [{ name: 'AWS_ROLE_ARN', value: workloadRole }] };
    const spec = { initContainers: [{ name: 'init' }], containers: [{ name: 'app' }, { name: 'skipped' }, own] };
    const state = await stateWith(t, [pod('many', spec, { 'eks.amazonaws.com/skip-containers': 'skipped' })]);
    const { stdout } = await runCommand(['why', 'pod', 'many', '-n', 'team-a', '--state', state]);
    const given = stdout.slice(stdout.indexOf('What a new one would get:')).split('\n');
    assert.match(given[1] ?? '', /^ {2}init container init: .*AWS_ROLE_ARN=arn/);
    assert.match(given[2] ?? '', /^ {2}container app: .*AWS_ROLE_ARN=arn/);
    assert.match(given[3] ?? '', /^ {2}container skipped: +nothing$/);
    assert.match(given[4] ?? '', /^ {2}container own: +.*AWS_WEB_IDENTITY_TOKEN_FILE=/);
  });

  test("the role of a ServiceAccount's annotation says so", async t => {
    const annotations = { 'carm-webhook.dev/role': 'reader' };
    const account = {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'reports', namespace: 'team-a', annotations },
    };
    const spec = { serviceAccountName: 'reports', containers: [{ name: 'a' }] };
    const state = await stateWith(t, [account, pod('report', spec)]);
    const { answer } = await whyJson('pod', 'report', '-n', 'team-a', '--state', state);
    assert.equal(answer.now.roleArn, 'arn:aws:iam::111122223333:role/reader');
    assert.equal(answer.now.roleFrom, 'ServiceAccount team-a/reports, annotation carm-webhook.dev/role');
  });

  test('what users wrote cannot move a terminal', async t => {
    const env = [{ name: 'AWS_ROLE_ARN', value: '\u001b[2J' }];
    const state = await stateWith(t, [pod('esc', { containers: [{ name: 'a\u001b[1m', env }] })]);
    const { stdout } = await runCommand(['why', 'pod', 'esc', '-n', 'team-a', '--state', state]);
    assert.ok(!stdout.includes('\u001b'));
  });

  for (const args of [[], ['pod'], ['service', 'x'], ['pod', 'a', 'b'], ['pod/']]) {
    test(`why ${args.join(' ') || 'without arguments'} is bad usage`, async () => {
      const { code, stderr } = await runCommand(['why', ...args, '--state', demoState]);
      assert.equal(code, 2);
      assert.match(
        stderr,
        /^carm-webhook: why takes KIND NAME(?:, not "[^"]+")?; kinds are: pod, namespace, deployment, [a-z, ]+\n$/,
      );
    });
  }
});

describe('why of a workload', () => {
  const template = (spec: unknown) => ({ spec: { template: { metadata: { labels: { app: 'web' } }, spec } } });
  const workload = (kind: string, apiVersion: string, rest: object) => ({
    apiVersion,
    kind,
    metadata: { name: 'web', namespace: 'team-a' },
    ...rest,
  });
  const plain = { containers: [{ name: 'app' }] };

  for (const { group, kind, resource, template: fields, shortName } of workloadKinds) {
    test(`${kind}: the decision on its pods, by each name that kubectl takes`, async t => {
      const rest = fields.reduceRight<object>((inner, field) => ({ [field]: inner }), { spec: plain });
      const object = workload(kind, group === '' ? 'v1' : `${group}/v1`, rest);
      const state = await stateWith(t, [object]);
      const words = [kind, kind.toLowerCase(), resource, ...(shortName === undefined ? [] : [shortName])];
      if (group !== '') words.push(`${resource}.${group}`, `${resource}.v1.${group}`);
      for (const word of words) {
        const { code, answer } = await whyJson(`${word}/web`, '-n', 'team-a', '--state', state);
        assert.equal(code, 0);
        assert.deepEqual([answer.kind, answer.namespace, answer.name], [kind, 'team-a', 'web']);
        assert.deepEqual([answer.now.roleArn, answer.now.mode], [workloadRole, 'enforce']);
        assert.equal(answer.now.roleFrom, 'ConfigMap ack-system/ack-role-account-map, key "pods.111122223333"');
        assert.equal(answer.now.containers[0].env.AWS_ROLE_ARN, workloadRole);
      }
    });
  }

  test('in words', async t => {
    const state = await stateWith(t, [workload('Deployment', 'apps/v1', template(plain))]);
    const { code, stdout } = await runCommand(['why', 'deploy', 'web', '-n', 'team-a', '--state', state]);
    assert.equal(code, 0);
    assert.match(stdout, /^Deployment team-a\/web\nDecision: +allowed and changed \(Injected\)\n/);
    assert.match(stdout, /\nWhat its pods would get:\n {2}container app: .*AWS_ROLE_ARN=arn/);
  });

  test('a ServiceAccount that is missing is named, which kubectl apply does not tell', async t => {
    const spec = { ...plain, serviceAccountName: 'reports' };
    const state = await stateWith(t, [workload('Deployment', 'apps/v1', template(spec))]);
    const { code, stdout } = await runCommand(['why', 'deployment', 'web', '-n', 'team-a', '--state', state]);
    assert.equal(code, 1);
    assert.match(stdout, /^Deployment team-a\/web\nDecision: {2}denied \(ServiceAccountNotFound\)\n/);
    assert.match(
      stdout,
      /\nMessage: +pods of Deployment "web" in namespace "team-a": ServiceAccount "reports" does not exist in namespace "team-a"\. .*\n$/,
    );
  });

  test("a StatefulSet's claims are volumes of its pods", async t => {
    const { spec } = template({ ...plain, volumes: [{ name: 'data', emptyDir: {} }] });
    const claims = { spec: { ...spec, volumeClaimTemplates: [{ metadata: { name: 'aws-iam-token' } }] } };
    const state = await stateWith(t, [workload('StatefulSet', 'apps/v1', claims)]);
    const { code, answer } = await whyJson('sts', 'web', '-n', 'team-a', '--state', state);
    assert.deepEqual([code, answer.now.reason], [1, 'VolumeConflict']);
    assert.match(answer.now.message, /^pods of StatefulSet "web" in namespace "team-a": the pod has a volume /);
  });

  test('one without a pod template', async t => {
    const state = await stateWith(t, [workload('PodTemplate', 'v1', {})]);
    const result = await runCommand(['why', 'podtemplate', 'web', '-n', 'team-a', '--state', state]);
    const stderr = 'carm-webhook: there is no pod template in PodTemplate "web" in namespace "team-a"\n';
    assert.deepEqual(result, { code: 1, stdout: '', stderr });
  });

  test('a kind of the same name in another group is not it', async t => {
    const other = workload('Deployment', 'apigateway.services.k8s.aws/v1alpha1', template(plain));
    const result = await runCommand(['why', 'deploy', 'web', '-n', 'team-a', '--state', await stateWith(t, [other])]);
    assert.deepEqual([result.code, result.stdout], [1, '']);
  });
});

describe('why of what does not exist: exit 1, one line that says so, nothing on stdout', () => {
  const missing: readonly [asked: readonly string[], said: string][] = [
    [['pod', 'none', '-n', 'team-a'], 'there is no pod "none" in namespace "team-a"'],
    [['deploy', 'none', '-n', 'team-a'], 'there is no deployment "none" in namespace "team-a"'],
    [['cronjobs.batch', 'none', '-n', 'team-a'], 'there is no cronjob "none" in namespace "team-a"'],
    [['pod', '..', '-n', 'team-a'], 'there is no pod ".." in namespace "team-a"'],
    [['pod', 'none', '-n', 'none'], 'there is no pod "none" in namespace "none"'],
  ];
  for (const [asked, said] of missing) {
    for (const more of [[], ['-o', 'json'], ['--default-mode', 'audit']]) {
      test(`why ${[...asked, ...more].join(' ')}`, async () => {
        const result = await runCommand(['why', ...asked, ...more, '--state', demoState]);
        assert.deepEqual(result, { code: 1, stdout: '', stderr: `carm-webhook: ${said}\n` });
      });
    }
  }

  test('so it is by a cluster', async t => {
    const api = await startTinyApiServer(t, []);
    for (const [asked, said] of missing) {
      const result = await runCommand(['why', ...asked, '--kubeconfig', api.kubeconfig]);
      assert.deepEqual(result, { code: 1, stdout: '', stderr: `carm-webhook: ${said}\n` });
    }
  });
});
