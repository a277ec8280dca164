import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { ControlPlane } from '../testbed/control-plane.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';
import { BoundNamespace, setAccountMap } from './bound-namespace.ts';
import { credentialsOf, environmentOf, type InjectedCredentials, type PodObject } from './injected-credentials.ts';
import { StsRecorder, sessionCredentials } from './sts-recorder.ts';
import { WebhookUnderTest } from './webhook-under-test.ts';

const account = '111122223333';
const mapped = `arn:aws:iam::${account}:role/team-a`;
const region = 'eu-central-1';
const testLimit = { timeout: 60_000 };
const sdkLimitMs = 30_000;

/** https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens */
interface Claims {
  readonly iss: string;
  readonly aud: readonly string[];
  readonly sub: string;
  readonly iat: number;
  readonly exp: number;
  readonly 'kubernetes.io': {
    readonly namespace: string;
    readonly pod: { readonly name: string; readonly uid: string };
    readonly serviceaccount: { readonly name: string };
  };
}

describe('the credentials of a pod', () => {
  let plane: ControlPlane;
  let webhook: WebhookUnderTest;
  let team: BoundNamespace;
  let sts: StsRecorder;
  let folder: string;

  before(
    async () => {
      folder = mkdtempSync(join(tmpdir(), 'carm-webhook-credentials-'));
      sts = await StsRecorder.start();
      plane = await ControlPlane.start();
      webhook = await WebhookUnderTest.start(plane);
      await webhook.install();
      await setAccountMap(plane, { [account]: mapped });
      team = await BoundNamespace.create(plane, 'team-a', {
        accountId: account,
        annotations: { 'services.k8s.aws/default-region': region },
      });
      await team.addServiceAccount('reader', { 'carm-webhook.dev/role': 'readers/s3-reader' });
      await team.addServiceAccount('short', {
        'eks.amazonaws.com/audience': 'my-audience',
        'eks.amazonaws.com/token-expiration': '3600',
      });
    },
    { timeout: 120_000 },
  );
  after(async () => {
    await sts?.stop();
    await webhook?.stop();
    await plane?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function podOf(serviceAccountName: string, spec: object = {}, annotations: object = {}): Promise<PodObject> {
    const { status, body } = await team.createPod({ serviceAccountName, ...spec }, { annotations });
    assert.equal(status, 201, body.message);
    // What kubelet gets: the pod as it is stored.
    const stored = await plane.request<PodObject>('GET', `/api/v1/namespaces/team-a/pods/${body.metadata.name}`);
    return stored.body;
  }

  /** As kubelet asks: the audience and lifetime of the volume, bound to the pod. */
  async function tokenFor(pod: PodObject, serviceAccount: string, { token }: InjectedCredentials): Promise<string> {
    const { name, uid } = pod.metadata;
    const answer = await plane.request<{ readonly status?: { readonly token?: string } }>(
      'POST',
      `/api/v1/namespaces/team-a/serviceaccounts/${serviceAccount}/token`,
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: [token.audience],
          expirationSeconds: token.expirationSeconds,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      },
    );
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body.status?.token ?? '';
  }

  function claimsOf(token: string): Claims {
    const [, payload = ''] = token.split('.');
    return JSON.parse(Buffer.from(payload, 'base64url').toString());
  }

  function injectedInto(pod: PodObject, container = 'app'): InjectedCredentials {
    const credentials = credentialsOf(pod, container);
    assert.ok(credentials !== undefined, `no credentials in container ${container}: ${JSON.stringify(pod.spec)}`);
    return credentials;
  }

  /** Runs a real SDK with a container's environment and nothing else of AWS, at home nowhere. */
  async function runSdk(env: Readonly<Record<string, string>>) {
    const home = mkdtempSync(join(folder, 'home-'));
    const nothing = Object.fromEntries(Object.keys(process.env).map(name => [name, undefined]));
    const sdk = new SupervisedProcess(process.execPath, [join(import.meta.dirname, 'sdk-caller.ts')], {
      cwd: home,
      env: { ...nothing, HOME: home, ...env, AWS_ENDPOINT_URL_STS: sts.url, AWS_EC2_METADATA_DISABLED: 'true' },
    });
    const output = Promise.all([sdk.stdout, sdk.stderr].map(stream => (stream === null ? '' : text(stream))));
    const end = await sdk.wait(sdkLimitMs);
    if (end === undefined) sdk.signal('SIGKILL');
    const [stdout = '', stderr = ''] = await output;
    return { code: end?.code, stdout, stderr, calls: sts.take() };
  }

  /**
   * The token stands where kubelet would have put it, but below a folder of the test's: the path in the variable gets that
   * folder in front, and is otherwise as it was injected.
   */
  function asMounted({ env, tokenFile }: InjectedCredentials, token: string): Readonly<Record<string, string>> {
    const root = mkdtempSync(join(folder, 'root-'));
    const file = join(root, tokenFile);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, token);
    return { ...env, AWS_WEB_IDENTITY_TOKEN_FILE: file };
  }

  const rows = [
    { what: 'by default', account: 'app', audience: 'sts.amazonaws.com', lifetime: 86_400, role: mapped },
    {
      what: 'with a role of its ServiceAccount',
      account: 'reader',
      audience: 'sts.amazonaws.com',
      lifetime: 86_400,
      role: `arn:aws:iam::${account}:role/readers/s3-reader`,
    },
    {
      what: 'with audience and lifetime of its ServiceAccount',
      account: 'short',
      audience: 'my-audience',
      lifetime: 3600,
      role: mapped,
    },
    {
      what: 'with a lifetime of its own',
      account: 'short',
      annotations: { 'eks.amazonaws.com/token-expiration': '1200' },
      audience: 'my-audience',
      lifetime: 1200,
      role: mapped,
    },
  ];
  for (const row of rows) {
    test(`${row.what}: the token has the claims, and an SDK takes the role with it`, testLimit, async () => {
      const pod = await podOf(row.account, {}, row.annotations);
      const credentials = injectedInto(pod);
      const token = await tokenFor(pod, row.account, credentials);
      const claims = claimsOf(token);
      assert.partialDeepStrictEqual(claims, {
        iss: 'https://kubernetes.default.svc',
        aud: [row.audience],
        sub: `system:serviceaccount:team-a:${row.account}`,
        'kubernetes.io': {
          namespace: 'team-a',
          pod: { name: pod.metadata.name, uid: pod.metadata.uid },
          serviceaccount: { name: row.account },
        },
      });
      assert.deepEqual(claims.aud, [row.audience]);
      assert.equal(claims.exp - claims.iat, row.lifetime);

      // All that was injected, and nothing beside it.
      assert.deepEqual(credentials.env, {
        AWS_STS_REGIONAL_ENDPOINTS: 'regional',
        AWS_DEFAULT_REGION: region,
        AWS_REGION: region,
        AWS_ROLE_ARN: row.role,
        AWS_WEB_IDENTITY_TOKEN_FILE: '/var/run/secrets/eks.amazonaws.com/serviceaccount/token',
        AWS_ROLE_SESSION_NAME: `team-a.${row.account}`,
      });
      const { code, stderr, calls } = await runSdk(asMounted(credentials, token));
      assert.equal(code, 0, stderr);
      assert.deepEqual(
        calls.map(({ action }) => action),
        ['AssumeRoleWithWebIdentity', 'GetCallerIdentity'],
      );
      const [assume, identity] = calls;
      assert.equal(assume?.parameters['RoleArn'], row.role);
      assert.equal(assume?.parameters['RoleSessionName'], `team-a.${row.account}`);
      assert.equal(assume?.parameters['WebIdentityToken'], token);
      // The token is the proof; nothing else signs for it.
      assert.equal(assume?.authorization, '');
      assert.equal(identity?.securityToken, sessionCredentials.sessionToken);
      const scope = new RegExp(`Credential=${sessionCredentials.accessKeyId}/\\d{8}/${region}/sts/aws4_request`);
      assert.match(identity?.authorization ?? '', scope);
    });
  }

  test('an init container and a native sidecar take the same role', testLimit, async () => {
    const initContainers = [
      { name: 'setup', image: 'setup' },
      { name: 'sidecar', image: 'sidecar', restartPolicy: 'Always' },
    ];
    const pod = await podOf('app', { initContainers });
    const token = await tokenFor(pod, 'app', injectedInto(pod));
    for (const container of ['setup', 'sidecar', 'app']) {
      const { code, stderr, calls } = await runSdk(asMounted(injectedInto(pod, container), token));
      assert.equal(code, 0, stderr);
      assert.equal(calls[0]?.parameters['RoleArn'], mapped, container);
      assert.equal(calls[0]?.parameters['WebIdentityToken'], token, container);
    }
  });

  test('a container that is skipped finds no credentials, and asks for none', testLimit, async () => {
    const containers = [
      { name: 'app', image: 'app' },
      { name: 'plain', image: 'plain', env: [{ name: 'AWS_REGION', value: region }] },
    ];
    const pod = await podOf('app', { containers }, { 'eks.amazonaws.com/skip-containers': 'plain' });
    injectedInto(pod);
    assert.equal(credentialsOf(pod, 'plain'), undefined);
    const { code, stderr, calls } = await runSdk(
      environmentOf(pod.spec.containers.find(({ name }) => name === 'plain')),
    );
    assert.equal(code, 1);
    assert.match(stderr, /^CredentialsProviderError/);
    assert.deepEqual(calls, []);
  });
});
