import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { builtBundle } from '../built-bundle.ts';
import { eventually } from '../e2e/eventually.ts';
import { pageBlocks } from '../e2e/page-blocks.ts';
import { PageCommands } from '../e2e/page-commands.ts';
import { programFolder } from '../e2e/program-folder.ts';
import { ServedPlane } from '../e2e/served-plane.ts';
import { clientFolder, startMounted } from './aws-client.ts';
import { pythonProgram } from './aws-programs.ts';
import { KubeletVolumes, type MountedPod } from './kubelet-volumes.ts';
import { issuerOf } from './plane-issuer.ts';
import { type Aws, startAws } from './start-aws.ts';

const page = 'from-two-accounts.md';
const clusterAccount = '444455556666';
const targetAccount = '111122223333';
const identity = `arn:aws:sts::${targetAccount}:assumed-role/tutorial-workloads/tutorial.app`;
const configAnnotation = 'carm-webhook.dev/aws-config';
const clientLimitMs = 30_000;
const testLimit = { timeout: 60_000 };

/** What the page tells people to run, run: as they would, by the credentials of the two accounts. */
describe(page, () => {
  let aws: Aws;
  let served: ServedPlane;
  let folder: string;
  let commands: PageCommands;

  before(
    async () => {
      folder = mkdtempSync(join(tmpdir(), 'carm-webhook-tutorial-'));
      [aws, served] = await Promise.all([
        startAws(),
        ServedPlane.start({ controllerManager: true, flags: flagsOfThePage(), map: {} }),
      ]);
      const { issuer, keys } = await issuerOf(served.plane);
      aws.setIssuerKeys(issuer, keys);
      commands = new PageCommands(page, {
        plane: served.plane,
        cwd: folder,
        names: '1. Names',
        programs: [makePrograms(folder)],
      });
      writeProfiles(folder);
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await served?.stop();
    await aws?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (heading: string, index = 0): Promise<string> =>
    commands.run(
      heading,
      { AWS_ENDPOINT_URL: aws.endpoint, AWS_ENDPOINT_URL_STS: aws.endpoint, AWS_EC2_METADATA_DISABLED: 'true' },
      index,
    );

  /** The newest kind of pod of the Deployment: with the config file or without. */
  async function podWith(hasConfig: boolean): Promise<MountedPod> {
    return eventually(`a pod ${hasConfig ? 'with' : 'without'} a config file`, async () => {
      const { items } = await served.get<{ readonly items: readonly MountedPod[] }>('/api/v1/namespaces/tutorial/pods');
      return items.find(({ metadata }) => (metadata.annotations?.[configAnnotation] !== undefined) === hasConfig);
    });
  }

  /** What `kubectl exec` would run in the pod, by the page: its words after `--`. */
  async function runInPod(heading: string, pod: MountedPod): Promise<readonly string[]> {
    const lines = (pageBlocks(page, 'console').get(heading)?.[0] ?? '').trim().split('\n');
    const volumes = await KubeletVolumes.of(served.plane, pod);
    const outputs: string[] = [];
    for (const line of lines) {
      const [, said = ''] = /^\$ kubectl exec -n tutorial deployment\/app -- aws (.+)$/.exec(line) ?? [];
      assert.notEqual(said, '', line);
      const home = clientFolder();
      const env = { ...volumes.env, AWS_ENDPOINT_URL: aws.endpoint };
      const command = [pythonProgram('python'), pythonProgram('aws'), ...said.split(' ')];
      const client = startMounted(command, { env, mounts: volumes.mounts, home });
      const output = Promise.all([client.stdout, client.stderr].map(stream => (stream === null ? '' : text(stream))));
      const end = await client.wait(clientLimitMs);
      if (end === undefined) client.signal('SIGKILL');
      const [stdout = '', stderr = ''] = await output;
      assert.equal(end?.code, 0, `${line}\n${stderr}`);
      outputs.push(stdout);
      rmSync(home, { recursive: true, force: true });
    }
    volumes.remove();
    return outputs;
  }

  function assertListed([who = '', listed = '']: readonly string[]): void {
    assert.equal((JSON.parse(who) as { readonly Arn: string }).Arn, identity);
    assert.match(listed, /^\S+ \S+ +31 hello\.txt\n$/);
  }

  /** The roles that were taken since the last call, each with the external id that was sent. */
  const takenRoles = (): readonly string[] =>
    aws
      .takeStsCalls()
      .filter(({ action }) => action.startsWith('AssumeRole'))
      .map(({ action, roleArn, externalId, status }) => [action, roleArn, externalId ?? '-', status].join(' '));

  const hub = `AssumeRoleWithWebIdentity arn:aws:iam::${clusterAccount}:role/carm-tutorial - 200`;
  const chained = `AssumeRole arn:aws:iam::${targetAccount}:role/tutorial-workloads tutorial 200`;
  const direct = `AssumeRoleWithWebIdentity arn:aws:iam::${targetAccount}:role/tutorial-workloads - 200`;

  test('by the chain: a pod lists the bucket of the other account, as the mapped role', testLimit, async () => {
    assert.equal(await run('1. Names'), '');
    await run('2. A bucket in the target account');
    await run("3. The hub role in the cluster's account");
    await run("3. The hub role in the cluster's account", 1);
    await run('4. The role in the target account');
    await run('6. The account map');
    await run('7. The namespace');
    await run('8. The workload');
    const pod = await podWith(true);
    const verified = await run('9. Look at it');
    assert.match(verified, /^ok: pods of this ServiceAccount get their role\.$/m);
    assert.match(verified, new RegExp(`GetCallerIdentity {2}${identity}$`, 'm'));
    aws.takeStsCalls();
    const looked = await run('9. Look at it', 1);
    assert.match(looked, new RegExp(`^POD +ROLE\\napp-\\S+ +arn:aws:iam::${targetAccount}:role/tutorial-workloads\\n`));
    assert.match(looked, /^\[profile carm-hub\]$/m);
    assertListed(await runInPod('9. Look at it', pod));
    // Two programs, each by itself.
    assert.deepEqual(takenRoles(), [hub, chained, hub, chained]);
  });

  test('carm-webhook iam writes the provider, the roles and the policies of the page', testLimit, async () => {
    const { steps } = JSON.parse(await run('The same policies, written for you')) as { readonly steps: unknown };
    const file = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const hubRole = { accountId: clusterAccount, roleArn: `arn:aws:iam::${clusterAccount}:role/carm-tutorial` };
    const targetRole = { accountId: targetAccount, roleArn: `arn:aws:iam::${targetAccount}:role/tutorial-workloads` };
    const policyName = 'carm-webhook-assume';
    assert.deepEqual(steps, [
      {
        kind: 'oidc-provider',
        accountId: clusterAccount,
        url: (await issuerOf(served.plane)).issuer,
        clientIds: ['sts.amazonaws.com'],
      },
      { kind: 'role', ...hubRole, trustPolicy: file('hub-trust.json') },
      { kind: 'role', ...targetRole, trustPolicy: file('target-trust.json') },
      { kind: 'role-policy', ...hubRole, policyName, policy: file('hub-policy.json') },
    ]);
  });

  test('by web identity: a new pod does, without the hub; and the one before it still does', testLimit, async () => {
    const before = await podWith(true);
    await run('10. The same by web identity');
    const pod = await podWith(false);
    assert.equal(await run('10. The same by web identity', 1), `${before.metadata.name}\n`);
    assertListed(await runInPod('10. The same by web identity', pod));
    assert.deepEqual(takenRoles(), [direct, direct]);
    assertListed(await runInPod('9. Look at it', before));
    assert.deepEqual(takenRoles(), [hub, chained, hub, chained]);
  });

  test('afterwards nothing of it is left, and every block of the page has been run', testLimit, async () => {
    await run('11. Clean up');
    for (const account of [clusterAccount, targetAccount]) {
      assert.doesNotMatch(await aws.iam(account).call('ListRoles'), /<RoleName>/);
      assert.doesNotMatch(await aws.iam(account).call('ListOpenIDConnectProviders'), /<Arn>/);
    }
    const { data } = await served.get<{ readonly data?: object }>(
      '/api/v1/namespaces/ack-system/configmaps/ack-role-account-map',
    );
    assert.deepEqual(data ?? {}, {});
    assert.deepEqual(commands.notRun, []);
  });
});

/** The flags that the page has the server started with. */
function flagsOfThePage(): readonly string[] {
  const [block = ''] = pageBlocks(page, 'yaml').get('5. The server') ?? [];
  const { config } = parse(block) as { readonly config: { readonly sourceAccounts: readonly string[] } };
  assert.deepEqual(Object.keys(config), ['sourceAccounts']);
  return [`--source-accounts=${config.sourceAccounts.join(',')}`];
}

/** The programs that the page calls by their names. */
function makePrograms(folder: string): string {
  return programFolder(folder, {
    aws: [pythonProgram('python'), pythonProgram('aws')],
    'carm-webhook': [process.execPath, builtBundle()],
  });
}

/** The page's two profiles. Twelve digits are the key of that account. */
function writeProfiles(home: string): void {
  const profiles = { cluster: clusterAccount, target: targetAccount };
  const texts = Object.entries(profiles).map(
    ([name, account]) =>
      `[${name}]\naws_access_key_id = ${account}\naws_secret_access_key = secret\nregion = eu-central-1\n`,
  );
  mkdirSync(join(home, '.aws'));
  writeFileSync(join(home, '.aws', 'credentials'), texts.join('\n'));
}
