import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { controlPlaneProgram } from '../testbed/binaries.ts';
import { CertManager } from '../testbed/cert-manager.ts';
import { ControlPlane } from '../testbed/control-plane.ts';
import { KubectlFailed } from '../testbed/kubectl.ts';
import { survivors } from '../testbed/process-liveness.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';

const startLimit = { timeout: 90_000 };
const testLimit = { timeout: 60_000 };

const pod = (name: string, serviceAccountName?: string): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'app', image: 'app' }], ...(serviceAccountName && { serviceAccountName }) },
});

async function eventually<Value>(limitMs: number, look: () => Promise<Value | undefined>): Promise<Value> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const value = await look();
    if (value !== undefined) {
      return value;
    }
    assert.ok(Date.now() < deadline, `not seen within ${limitMs} ms`);
    await sleep(100);
  }
}

describe('a control plane of etcd and kube-apiserver', () => {
  let plane: ControlPlane;

  before(async () => {
    plane = await ControlPlane.start({ users: [{ name: 'alice', groups: ['developers'] }] });
    await plane.kubectl(['create', 'namespace', 'shop']);
  }, startLimit);
  after(() => plane?.stop());

  test('takes a namespace and a pod', testLimit, async () => {
    await plane.kubectl(['apply', '-n', 'shop', '-f', '-'], { input: JSON.stringify(pod('applied')) });
    const { stdout } = await plane.kubectl(['get', 'pod', 'applied', '-n', 'shop', '-o', 'jsonpath={.status.phase}']);
    assert.equal(stdout, 'Pending');
  });

  test('answers direct calls, with what it warns of', testLimit, async () => {
    const created = await plane.request('POST', '/api/v1/namespaces/shop/pods', pod('direct'));
    assert.equal(created.status, 201);
    const twice = {
      ...pod('twice'),
      spec: { containers: [{ name: 'app', image: 'app', env: [{ name: 'A' }, { name: 'A' }] }] },
    };
    const warned = await plane.request('POST', '/api/v1/namespaces/shop/pods?dryRun=All', twice);
    assert.equal(warned.status, 201);
    assert.equal(warned.warnings.length, 1);
    assert.match(warned.warnings[0] ?? '', /^spec\.containers\[0\]\.env\[1\]: hides previous definition of "A"/);
    const patched = await plane.request<{ metadata: { labels: object } }>('PATCH', '/api/v1/namespaces/shop', {
      metadata: { labels: { team: 'shop' } },
    });
    assert.equal(patched.status, 200);
    assert.partialDeepStrictEqual(patched.body.metadata.labels, { team: 'shop' });
    assert.equal((await plane.request('GET', '/api/v1/namespaces/none')).status, 404);
  });

  test('enforces RBAC: a user may do what he was granted and no more', testLimit, async () => {
    const kubeconfig = plane.kubeconfigFor({ user: 'alice' });
    const refused = await plane.kubectl(['get', 'pods', '-n', 'shop'], { kubeconfig, expectCode: 1 });
    assert.match(refused.stderr, /User "alice" cannot list resource "pods"/);
    await assert.rejects(plane.kubectl(['get', 'pods', '-n', 'shop'], { kubeconfig }), (error: unknown) => {
      assert.ok(error instanceof KubectlFailed);
      assert.equal(error.result.code, 1);
      return true;
    });
    // Not the ClusterRole `view`: it is filled by kube-controller-manager, which does not run here.
    await plane.kubectl(['create', 'role', 'look', '--verb=get,list', '--resource=pods', '-n', 'shop']);
    await plane.kubectl(['create', 'rolebinding', 'look', '--role=look', '--group=developers', '-n', 'shop']);
    await eventually(10_000, async () => {
      const { code } = await plane.kubectl(['get', 'pods', '-n', 'shop'], { kubeconfig, expectCode: 'any' });
      return code === 0 ? true : undefined;
    });
    const as = { user: 'bob', groups: ['developers'] };
    await plane.kubectl(['get', 'pods', '-n', 'shop'], { as });
    await plane.kubectl(['delete', 'namespace', 'shop'], { as, expectCode: 1 });
  });

  test('gives tokens of ServiceAccounts, which it takes itself', testLimit, async () => {
    await plane.kubectl(['create', 'serviceaccount', 'cart', '-n', 'shop']);
    const own = await plane.tokenFor('shop', 'cart');
    const who = await plane.kubectl(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], {
      kubeconfig: plane.kubeconfigFor({ token: own }),
    });
    assert.equal(who.stdout, 'system:serviceaccount:shop:cart');
    const foreign = await plane.tokenFor('shop', 'cart', { audience: 'sts.amazonaws.com', expirationSeconds: 7_200 });
    const claims = JSON.parse(Buffer.from(foreign.split('.')[1] ?? '', 'base64url').toString('utf8'));
    assert.deepEqual(claims.aud, ['sts.amazonaws.com']);
    assert.equal(claims.exp - claims.iat, 7_200);
    const refused = await plane.request('GET', '/api/v1/namespaces/shop', undefined, { token: foreign });
    assert.equal(refused.status, 401);
    await assert.rejects(plane.tokenFor('shop', 'nobody'), /no token for shop\/nobody: 404/);
  });

  test('keeps its objects and its address when kube-apiserver restarts', testLimit, async () => {
    const before = plane.pids.get('kube-apiserver');
    await plane.stopApiServer();
    await assert.rejects(plane.request('GET', '/readyz'), { code: 'ApiCallFailed' });
    await plane.startApiServer();
    assert.equal((await plane.request('GET', '/api/v1/namespaces/shop')).status, 200);
    await plane.restartApiServer({ abrupt: true });
    assert.equal((await plane.request('GET', '/api/v1/namespaces/shop')).status, 200);
    assert.notEqual(plane.pids.get('kube-apiserver'), before);
  });
});

describe('a control plane with kube-controller-manager', () => {
  let plane: ControlPlane;

  before(async () => {
    plane = await ControlPlane.start({ controllerManager: true });
  }, startLimit);
  after(() => plane?.stop());

  test('a Deployment gets its pods, and a namespace is deleted with all that is in it', testLimit, async () => {
    await plane.kubectl(['create', 'namespace', 'shop']);
    await plane.kubectl(['create', 'deployment', 'web', '--image=web', '--replicas=3', '-n', 'shop']);
    const accounts = await eventually(30_000, async () => {
      const list = ['get', 'pods', '-n', 'shop', '-o', 'jsonpath={.items[*].spec.serviceAccountName}'];
      const { stdout } = await plane.kubectl(list);
      return stdout.split(' ').length === 3 ? stdout : undefined;
    });
    assert.equal(accounts, 'default default default');
    await plane.kubectl(['delete', 'namespace', 'shop', '--timeout=40s'], { timeoutMs: 45_000 });
    assert.equal((await plane.request('GET', '/api/v1/namespaces/shop')).status, 404);
  });
});

describe('the processes of a control plane', () => {
  const module = JSON.stringify(new URL('../testbed/control-plane.ts', import.meta.url).href);
  const script = (then: string): string => `
    import { ControlPlane } from ${module};
    const plane = await ControlPlane.start({ controllerManager: true });
    console.log(JSON.stringify({ pids: [...plane.pids.values()], logFolder: plane.logFolder }));
    ${then}`;

  /** Starts a plane in a process of its own, which is the test's to end; returns what it said of itself. */
  async function startElsewhere(then: string) {
    const parent = new SupervisedProcess(process.execPath, ['--input-type=module-typescript', '-e', script(then)]);
    parent.stderr?.resume();
    let said = '';
    for await (const chunk of parent.stdout ?? []) {
      said += String(chunk);
      if (said.includes('\n')) {
        break;
      }
    }
    assert.notEqual(said, '', 'the plane did not start');
    const { pids, logFolder }: { pids: number[]; logFolder: string } = JSON.parse(said);
    assert.equal(pids.length, 3);
    return { parent, pids, logFolder };
  }

  test('are gone when stop returns, and its files too, logs excepted', testLimit, async () => {
    const plane = await ControlPlane.start({ controllerManager: true });
    const pids = [...plane.pids.values()];
    assert.equal(pids.length, 3);
    assert.deepEqual(await survivors(pids, 0), pids);
    await plane.stop();
    assert.deepEqual(await survivors(pids, 1_000), []);
    assert.equal(existsSync(join(plane.logFolder, '..', 'data')), false);
    assert.equal(existsSync(join(plane.logFolder, 'kube-apiserver.log')), true);
    await plane.stop();
  });

  test(
    'end when their test is killed with SIGKILL; the logs stay, the next plane clears the data',
    testLimit,
    async () => {
      const { parent, pids, logFolder } = await startElsewhere('setInterval(() => {}, 1_000);');
      assert.deepEqual(await survivors(pids, 0), pids);
      parent.signal('SIGKILL');
      assert.deepEqual(await survivors(pids, 10_000), []);
      assert.equal(existsSync(join(logFolder, 'kube-apiserver.log')), true);
      const next = await ControlPlane.start();
      await next.stop();
      assert.equal(existsSync(join(logFolder, '..', 'data')), false);
      rmSync(join(logFolder, '..'), { recursive: true });
    },
  );

  for (const [ending, then, exitCode] of [
    ['fails by an uncaught exception', 'setImmediate(() => { throw new Error("boom"); });', 1],
    ['exits by itself', 'process.exit(0);', 0],
    ['forgets to stop them', '', 0],
  ] as const) {
    test(`end when their test ${ending}; logs are kept for a failure only`, testLimit, async () => {
      const { parent, pids, logFolder } = await startElsewhere(then);
      assert.deepEqual(await survivors(pids, 10_000), []);
      assert.deepEqual(await parent.wait(5_000), { code: exitCode, signal: null });
      assert.equal(existsSync(join(logFolder, 'kube-apiserver.log')), exitCode !== 0);
      rmSync(join(logFolder, '..'), { recursive: true, force: true });
    });
  }

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    test(`end when their test is ended with ${signal}`, testLimit, async () => {
      const { parent, pids, logFolder } = await startElsewhere('setInterval(() => {}, 1_000);');
      parent.signal(signal);
      assert.deepEqual(await survivors(pids, 10_000), []);
      rmSync(join(logFolder, '..'), { recursive: true });
    });
  }

  test(
    'a plane whose kube-apiserver refuses its flags says so with the end of its log, and leaves none',
    testLimit,
    async () => {
      await assert.rejects(ControlPlane.start({ apiServerFlags: ['--no-such-flag'] }), (error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error);
        assert.equal(error.code, 'ControlPlaneFailed');
        assert.match(error.message, /^kube-apiserver ended \(1\)[\s\S]*unknown flag: --no-such-flag/);
        return true;
      });
    },
  );
});

describe('a control plane of prebuilt programs', () => {
  const own = process.env['KUBEBUILDER_ASSETS'];
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'carm-webhook-assets-'));
    for (const program of ['etcd', 'kube-apiserver', 'kubectl'] as const) {
      symlinkSync(controlPlaneProgram(program), join(folder, program));
    }
    process.env['KUBEBUILDER_ASSETS'] = folder;
  });
  after(() => {
    rmSync(folder, { recursive: true });
    if (own === undefined) {
      delete process.env['KUBEBUILDER_ASSETS'];
    } else {
      process.env['KUBEBUILDER_ASSETS'] = own;
    }
  });

  test(
    'runs those of KUBEBUILDER_ASSETS, and says when kube-controller-manager is wanted and not among them',
    testLimit,
    async () => {
      assert.equal(controlPlaneProgram('etcd'), join(folder, 'etcd'));
      const plane = await ControlPlane.start();
      await plane.kubectl(['get', 'namespace', 'default']);
      await plane.stop();
      await assert.rejects(ControlPlane.start({ controllerManager: true }), {
        code: 'TestbedMissing',
        message: /^KUBEBUILDER_ASSETS has no kube-controller-manager/,
      });
    },
  );

  test('two planes at once do not meet', testLimit, async () => {
    const planes = await Promise.all([ControlPlane.start(), ControlPlane.start()]);
    const [one, other] = planes;
    await one.kubectl(['create', 'namespace', 'only-here']);
    assert.equal((await one.request('GET', '/api/v1/namespaces/only-here')).status, 200);
    assert.equal((await other.request('GET', '/api/v1/namespaces/only-here')).status, 404);
    await Promise.all(planes.map(plane => plane.stop()));
  });
});

describe('cert-manager on a control plane', () => {
  let plane: ControlPlane;
  let certManager: CertManager;

  before(async () => {
    plane = await ControlPlane.start();
    certManager = await CertManager.start(plane);
    await plane.kubectl(['create', 'namespace', 'pki']);
  }, startLimit);
  after(async () => {
    await certManager?.stop();
    await plane?.stop();
  });

  const apply = (manifests: string) => plane.kubectl(['apply', '-f', '-'], { input: manifests });

  const tlsSecret = async (name: string): Promise<Record<string, string>> => {
    const answer = await plane.request<{ data?: Record<string, string> }>(
      'GET',
      `/api/v1/namespaces/pki/secrets/${name}`,
    );
    return Object.fromEntries(
      Object.entries(answer.body.data ?? {}).map(([key, value]) => [
        key,
        Buffer.from(value, 'base64').toString('utf8'),
      ]),
    );
  };

  test('a self-signed Issuer signs a CA, the CA signs a leaf', testLimit, async () => {
    await apply(`
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: self-signed, namespace: pki}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: ca, namespace: pki}
spec:
  isCA: true
  commonName: testbed-ca
  secretName: ca
  privateKey: {algorithm: ECDSA, size: 256}
  issuerRef: {name: self-signed}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: ca, namespace: pki}
spec: {ca: {secretName: ca}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: leaf, namespace: pki}
spec:
  secretName: leaf
  dnsNames: [webhook.pki.svc]
  privateKey: {algorithm: ECDSA, size: 256}
  issuerRef: {name: ca}
`);
    await plane.kubectl([
      'wait',
      '-n',
      'pki',
      '--for=condition=Ready',
      '--timeout=25s',
      'certificate/ca',
      'certificate/leaf',
    ]);
    const leaf = await tlsSecret('leaf');
    const certificate = new X509Certificate(leaf['tls.crt'] ?? '');
    const authority = new X509Certificate((await tlsSecret('ca'))['tls.crt'] ?? '');
    assert.equal(certificate.subjectAltName, 'DNS:webhook.pki.svc');
    assert.equal(certificate.verify(authority.publicKey), true);
    assert.equal(authority.ca, true);
    assert.equal(leaf['ca.crt'], (await tlsSecret('ca'))['tls.crt']);
  });

  for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']) {
    test(`cainjector fills the caBundle of a ${kind}`, testLimit, async () => {
      await apply(`
apiVersion: admissionregistration.k8s.io/v1
kind: ${kind}
metadata:
  name: annotated
  annotations: {cert-manager.io/inject-ca-from: pki/leaf}
webhooks:
- name: nothing.example.com
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Ignore
  clientConfig: {url: 'https://127.0.0.1:1/'}
  rules: [{apiGroups: [''], apiVersions: [v1], resources: [bindings], operations: [CREATE]}]
`);
      const bundle = await eventually(20_000, async () => {
        const read = ['get', kind, 'annotated', '-o', 'jsonpath={.webhooks[0].clientConfig.caBundle}'];
        return (await plane.kubectl(read)).stdout || undefined;
      });
      assert.equal(Buffer.from(bundle, 'base64').toString('utf8'), (await tlsSecret('leaf'))['ca.crt']);
    });
  }

  test('a Certificate whose Secret is deleted is issued again', testLimit, async () => {
    const old = (await tlsSecret('leaf'))['tls.crt'];
    assert.ok(old);
    await plane.kubectl(['delete', 'secret', 'leaf', '-n', 'pki']);
    const renewed = await eventually(20_000, async () => (await tlsSecret('leaf'))['tls.crt']);
    assert.notEqual(renewed, old);
  });

  test('stop ends its process', testLimit, async () => {
    assert.deepEqual(await survivors([certManager.pid], 0), [certManager.pid]);
    await certManager.stop();
    assert.deepEqual(await survivors([certManager.pid], 1_000), []);
  });
});
