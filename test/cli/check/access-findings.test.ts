import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { parseAllDocuments, stringify } from 'yaml';
import type { Finding } from '../../../src/cli/check/finding.ts';
import { runCommand } from '../command-runs.ts';

const account = '111122223333';
const source = '123456789012';
const role = `arn:aws:iam::${account}:role/workloads`;
const hub = `arn:aws:iam::${source}:role/pods-hub`;
const ackHub = `arn:aws:iam::${source}:role/ack-hub`;
const credentials = 'carm-webhook.dev/credentials';
const hubRole = 'carm-webhook.dev/hub-role-arn';
const externalId = 'carm-webhook.dev/external-id';
const awsConfig = 'carm-webhook.dev/aws-config';

type Texts = Readonly<Record<string, string>>;
type Manifest = Readonly<Record<string, unknown>>;

const map = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'ack-role-account-map', namespace: 'ack-system' },
  data: {
    [account]: `arn:aws:iam::${account}:role/ack`,
    [`pods.${account}`]: role,
    [source]: ackHub,
    [`s3.${account}`]: `arn:aws:iam::${account}:role/ack-s3`,
  },
};

const namespace = (name: string, annotations: Texts = {}): Manifest => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name,
    labels: { 'carm-webhook.dev/inject': 'enabled' },
    annotations: { 'services.k8s.aws/owner-account-id': account, ...annotations },
  },
});

const serviceAccount = (inNamespace: string, name = 'default', annotations: Texts = {}): Manifest => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, namespace: inNamespace, annotations },
});

async function findingsOf(
  t: TestContext,
  objects: readonly Manifest[],
  ...flags: readonly string[]
): Promise<readonly Finding[]> {
  const folder = await mkdtemp(join(tmpdir(), 'carm-access-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'state.yaml'), [map, ...objects].map(each => `---\n${stringify(each)}`).join(''));
  const { stdout, stderr } = await runCommand([
    ...['check', '-o', 'json', '--state', folder, '--default-region=eu-central-1', `--source-accounts=${source}`],
    ...flags,
  ]);
  assert.equal(stderr, '');
  return JSON.parse(stdout).findings;
}

const inShort = ({ severity, reason, object: { kind, namespace, name }, message, fix }: Finding) =>
  `${severity} ${reason} ${kind} ${namespace === '' ? name : `${namespace}/${name}`}: ${message}. ${fix}`;

const chain = ['--credentials=chain', `--hub-role-arn=${hub}`];

describe('check of the way to a role', () => {
  test('finds settings of namespaces that no pod can do with, each with its command', async t => {
    const found = await findingsOf(t, [
      namespace('bad-hub', { [hubRole]: 'hub' }),
      namespace('bad-id', { [externalId]: 'x' }),
      namespace('bad-mode', { [credentials]: 'both' }),
      namespace('own-hub', { [hubRole]: 'arn:aws:iam::999999999999:role/hub' }),
      namespace('fine', { [credentials]: 'chain', [hubRole]: hub, [externalId]: '{account}/{namespace}' }),
      namespace('kube-public', { [credentials]: 'both' }),
    ]);
    assert.deepEqual(
      found
        .filter(({ object }) => object.kind === 'Namespace' && object.name !== 'kube-public')
        .map(({ reason, object, fix }) => `${reason} ${object.name}: ${fix.slice(fix.indexOf('kubectl'))}`),
      [
        `InvalidRoleArn bad-hub: kubectl annotate --overwrite namespace bad-hub ${hubRole}=HUB_ROLE_ARN`,
        `InvalidAnnotation bad-id: kubectl annotate --overwrite namespace bad-id ${externalId}=EXTERNAL_ID`,
        `InvalidAnnotation bad-mode: kubectl annotate --overwrite namespace bad-mode ${credentials}=MODE`,
        `RoleOutsideAccount own-hub: kubectl annotate --overwrite namespace own-hub ${hubRole}=HUB_ROLE_ARN`,
      ],
    );
    assert.ok(!found.some(({ reason, object }) => reason === 'InvalidAnnotation' && object.name === 'kube-public'));
  });

  test('finds those of ServiceAccounts in managed namespaces', async t => {
    const found = await findingsOf(
      t,
      [
        namespace('shop'),
        { ...namespace('free'), metadata: { name: 'free' } },
        serviceAccount('shop'),
        serviceAccount('shop', 'bad-mode', { [credentials]: 'both' }),
        serviceAccount('shop', 'own-hub', { [hubRole]: `arn:aws:iam::${account}:role/hub` }),
        serviceAccount('shop', 'bad-id', { [externalId]: 'a\nb' }),
        serviceAccount('shop', 'fine', { [credentials]: 'chain', [hubRole]: hub }),
        serviceAccount('shop', 'to-hub', { 'carm-webhook.dev/role': hub }),
        serviceAccount('free', 'bad-mode', { [credentials]: 'both' }),
      ],
      ...chain,
    );
    assert.deepEqual(
      found.map(({ reason, object, fix }) => `${reason} ${object.name}: ${fix.slice(fix.indexOf('kubectl'))}`),
      [
        `InvalidAnnotation bad-id: kubectl annotate --overwrite serviceaccount bad-id --namespace shop ${externalId}=EXTERNAL_ID`,
        `InvalidAnnotation bad-mode: kubectl annotate --overwrite serviceaccount bad-mode --namespace shop ${credentials}=MODE`,
        `RoleOutsideAccount own-hub: kubectl annotate --overwrite serviceaccount own-hub --namespace shop ${hubRole}=HUB_ROLE_ARN`,
        `CredentialConflict to-hub: kubectl annotate --overwrite serviceaccount to-hub --namespace shop ${credentials}=web-identity`,
      ],
    );
  });

  test("finds hub roles that are ACK's, where they are set", async t => {
    const byAnnotation = await findingsOf(
      t,
      [
        namespace('shop', { [hubRole]: ackHub }),
        namespace('web', { [hubRole]: ackHub, [credentials]: 'web-identity' }),
        serviceAccount('shop', 'app', { [hubRole]: `arn:aws:iam::${source}:role/team/ACK-HUB` }),
        serviceAccount('shop', 'fine', { [hubRole]: hub }),
      ],
      ...chain,
    );
    assert.deepEqual(
      byAnnotation.map(({ reason, object: { kind, name } }) => `${reason} ${kind} ${name}`),
      ['ControllerRole Namespace shop', 'ControllerRole ServiceAccount app'],
    );
    assert.match(byAnnotation[0]?.message ?? '', /"arn:aws:iam::123456789012:role\/ack-hub".*ACK/);
    assert.match(
      byAnnotation[0]?.fix ?? '',
      /kubectl annotate --overwrite namespace shop \S+hub-role-arn=HUB_ROLE_ARN$/,
    );
    const byFlag = await findingsOf(t, [namespace('shop')], '--credentials=chain', `--hub-role-arn=${ackHub}`);
    assert.deepEqual(byFlag.map(inShort), [
      `error ControllerRole ConfigMap ack-system/ack-role-account-map: --hub-role-arn "${ackHub}" is a role of ACK's controllers: in chain mode every pod could take every role that ACK can. Set --hub-role-arn to a role that only pods take.`,
    ]);
  });

  test('finds a hub role that is the mapped role itself', async t => {
    const own = [`--source-accounts=${source},${account}`, '--credentials=chain'];
    const found = await findingsOf(t, [namespace('shop', { [hubRole]: role })], ...own);
    assert.deepEqual(
      found.map(({ reason, object: { name } }) => `${reason} ${name}`),
      ['CredentialConflict shop'],
    );
  });
});

describe('check of running pods in chain mode', () => {
  const bare: Manifest = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { containers: [{ name: 'app', image: 'x' }] },
    status: { phase: 'Running' },
  };
  const cluster = [namespace('shop'), serviceAccount('shop')];

  /** The pod as the webhook would have made it with these flags. */
  async function injected(t: TestContext, flags: readonly string[], plain: Manifest = bare): Promise<Manifest> {
    const folder = await mkdtemp(join(tmpdir(), 'carm-access-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'state.yaml'), [map, ...cluster].map(each => `---\n${stringify(each)}`).join(''));
    const all = ['inject', '-f', '-', '--state', folder, `--source-accounts=${source}`, ...flags];
    const { stdout } = await runCommand(all, { stdin: stringify(plain) });
    return { ...parseAllDocuments(stdout).map(document => document.toJS())[0], status: { phase: 'Running' } };
  }

  function withConfig(made: Manifest, text: string | undefined, name = 'web', more: object = {}): Manifest {
    const metadata = made['metadata'] as { readonly annotations: Texts };
    const { [awsConfig]: _, ...others } = metadata.annotations;
    const annotations = text === undefined ? others : { ...others, [awsConfig]: text };
    return { ...made, metadata: { ...metadata, name, annotations, ...more } };
  }

  const textOf = (made: Manifest) => (made['metadata'] as { readonly annotations: Texts }).annotations[awsConfig] ?? '';

  test('finds nothing in a pod that has what is due', async t => {
    const made = await injected(t, chain);
    assert.match(textOf(made), new RegExp(`role_arn = ${role}\n`));
    assert.deepEqual(await findingsOf(t, [...cluster, made], ...chain), []);
  });

  test('finds a config that was changed, emptied or removed', async t => {
    const made = await injected(t, chain);
    const owned = {
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid: 'u', controller: true }],
    };
    const found = await findingsOf(
      t,
      [
        ...cluster,
        withConfig(made, undefined, 'removed'),
        withConfig(made, '', 'emptied'),
        withConfig(made, `${textOf(made)}#`, 'changed'),
        withConfig(made, '', 'db-0', owned),
        withConfig(made, '', 'db-1', owned),
      ],
      ...chain,
    );
    const consequence = `is not what was injected, so AWS SDKs take the role that it names, the hub's or the node's, in place of ${role}`;
    const deleted = (name: string) =>
      `error ForgedAnnotation Pod shop/${name}: annotation ${awsConfig} ${consequence}. Nothing replaces it. Delete it, and create it again from its manifest: kubectl delete pod ${name} --namespace shop`;
    assert.deepEqual(found.map(inShort), [
      deleted('changed'),
      deleted('emptied'),
      deleted('removed'),
      `error ForgedAnnotation StatefulSet shop/db: annotation ${awsConfig} of 2 running pods ${consequence}: "db-0", "db-1". Restart it: kubectl rollout restart statefulset/db --namespace shop`,
    ]);
  });

  test('finds pods that came to their role otherwise: by web identity, another hub role or external id, or not at all', async t => {
    const byWeb = await injected(t, ['--credentials=web-identity']);
    const byOtherHub = await injected(t, ['--credentials=chain', `--hub-role-arn=arn:aws:iam::${source}:role/old-hub`]);
    const byOtherId = await injected(t, [...chain, '--external-id=old']);
    const rename = (made: Manifest, name: string): Manifest => ({
      ...made,
      metadata: { ...(made['metadata'] as object), name },
    });
    const pods = [
      rename(byWeb, 'by-web'),
      rename(byOtherHub, 'by-other-hub'),
      rename(byOtherId, 'by-other-id'),
      rename(bare, 'bare'),
    ];
    const found = await findingsOf(t, [...cluster, ...pods], ...chain);
    assert.deepEqual(
      found.map(({ reason, object: { name } }) => `${reason} ${name}`),
      ['bare', 'by-other-hub', 'by-other-id', 'by-web'].map(name => `PodsWithoutRole ${name}`),
    );
    const back = await findingsOf(t, [...cluster, await injected(t, chain)], '--credentials=web-identity');
    assert.deepEqual(
      back.map(({ reason, object: { name } }) => `${reason} ${name}`),
      ['PodsWithoutRole web'],
    );
  });
});
