import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { monitoringDefinitions } from '../testbed/binaries.ts';
import { survivors } from '../testbed/process-liveness.ts';
import { SupervisedProcess } from '../testbed/supervised-process.ts';

const testLimit = { timeout: 30_000 };
const script = join(import.meta.dirname, '..', 'testbed', 'build.ts');

/*
 * A `go` that does not compile: it takes as long as the test says, leaves a program with its own name in it where it is told, and
 * writes down what it was asked. A real build takes minutes; what is shown here is what happens around it.
 */
const fakeGo = `#!/bin/sh
echo "$*" >> "$FAKE_GO_CALLS"
echo "pid $$" >> "$FAKE_GO_CALLS"
case "$1" in
  env) echo "\${FAKE_GO_VERSION:-go1.26.8}" ;;
  list) echo "$FAKE_GO_MODULE" ;;
  mod) echo "{\\"Dir\\": \\"$FAKE_GO_MODULE\\"}" ;;
  build)
    echo example.com/compiled >&2
    while [ -e "$FAKE_GO_HOLD" ]; do sleep 0.05; done
    if [ -n "$FAKE_GO_FAILS" ]; then echo "main.go:1:1: no such thing" >&2; exit 1; fi
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\necho built %s\\n' "$3" > "$2"
    chmod +x "$2" ;;
esac
`;

const monitoringFiles = ['podmonitors', 'prometheusrules', 'servicemonitors'].map(
  kind => `monitoring.coreos.com_${kind}.yaml`,
);

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

describe('building the test bed', () => {
  let folder: string;
  let calls: string;
  let hold: string;
  let cache: string;
  let bin: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'carm-webhook-build-'));
    calls = join(folder, 'calls');
    hold = join(folder, 'hold');
    cache = join(folder, 'cache', 'carm-webhook', 'testbed');
    bin = join(folder, 'bin');
    mkdirSync(join(folder, 'module', 'deploy', 'crds'), { recursive: true });
    writeFileSync(join(folder, 'module', 'deploy', 'crds', 'one.yaml'), 'kind: CustomResourceDefinition\n', {
      mode: 0o444,
    });
    writeFileSync(join(folder, 'module', 'deploy', 'crds', 'README.md'), 'no manifest\n');
    const monitoring = join(folder, 'module', 'example', 'prometheus-operator-crd');
    mkdirSync(monitoring, { recursive: true });
    for (const name of monitoringFiles) writeFileSync(join(monitoring, name), 'kind: CustomResourceDefinition\n');
    mkdirSync(bin);
    writeFileSync(join(bin, 'go'), fakeGo, { mode: 0o755 });
    writeFileSync(calls, '');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function start(env: Readonly<Record<string, string | undefined>> = {}): SupervisedProcess {
    return new SupervisedProcess(process.execPath, [script], {
      env: {
        PATH: `${bin}:/usr/bin:/bin`,
        XDG_CACHE_HOME: join(folder, 'cache'),
        KUBEBUILDER_ASSETS: '',
        KUBERNETES: '',
        FAKE_GO_CALLS: calls,
        FAKE_GO_HOLD: hold,
        FAKE_GO_MODULE: join(folder, 'module'),
        ...env,
      },
    });
  }

  async function outcome(build: SupervisedProcess): Promise<Outcome> {
    const output = Promise.all([build.stdout, build.stderr].map(stream => (stream === null ? '' : text(stream))));
    const end = await build.wait(20_000);
    assert.ok(end, 'the build did not end');
    const [stdout = '', stderr = ''] = await output;
    return { code: end.code, stdout, stderr };
  }

  const run = (env?: Readonly<Record<string, string | undefined>>): Promise<Outcome> => outcome(start(env));
  const builds = (): string[] =>
    readFileSync(calls, 'utf8')
      .split('\n')
      .filter(line => line.startsWith('build '));
  const cached = (): string[] =>
    readdirSync(cache, { recursive: true })
      .map(String)
      .map(path => basename(path))
      .sort();
  const programs = [
    ...['actionlint', 'cert-manager', 'crane', 'etcd', 'helm'],
    ...['kube-apiserver', 'kube-controller-manager', 'kubectl', 'promlint'],
  ];
  /** One a Go module that programs are built from. */
  const folderCount = 5;

  async function untilBuilding(): Promise<void> {
    const deadline = Date.now() + 10_000;
    // The second line of a call, its process id, is what the test reads next.
    while (!/^build .*\npid \d+\n/m.test(readFileSync(calls, 'utf8'))) {
      assert.ok(Date.now() < deadline, 'no build was started');
      await sleep(20);
    }
  }

  test(
    'builds each program once, into folders named after what they are built from; the second run does nothing',
    testLimit,
    async () => {
      const first = await run();
      assert.deepEqual([first.code, first.stderr], [0, '']);
      assert.equal(builds().length, programs.length);
      assert.ok(builds().every(call => call.includes('-trimpath')));
      assert.match(
        builds()[2] ?? '',
        /-X k8s\.io\/component-base\/version\.gitVersion=v1\.36\.\d+ .* k8s\.io\/kubernetes\/cmd\/kube-apiserver$/,
      );
      const folders = readdirSync(cache);
      assert.equal(folders.length, folderCount);
      assert.ok(folders.every(name => /^[0-9a-f]{16}$/.test(name)));
      assert.deepEqual(
        cached().filter(name => !folders.includes(name)),
        [...programs, 'crds', 'one.yaml', monitoringDefinitions, ...monitoringFiles].sort(),
      );
      assert.match(first.stdout, /kube-apiserver \(3 of 4\): built in/);

      writeFileSync(calls, '');
      const second = await run({ PATH: '/usr/bin:/bin' });
      assert.deepEqual(second, { code: 0, stdout: 'testbed: complete\n', stderr: '' });
      assert.equal(readFileSync(calls, 'utf8'), '');
    },
  );

  test('with KUBERNETES, kube-apiserver and kube-controller-manager of that version too', testLimit, async () => {
    const { code, stderr } = await run({ KUBERNETES: '1.30' });
    assert.deepEqual([code, stderr], [0, '']);
    const ofVersion = builds().filter(call => /gitVersion=v1\.30\.\d+ .*gitMajor=1 .*gitMinor=30 /.test(call));
    assert.deepEqual(
      ofVersion.map(call => basename(call)),
      ['kube-apiserver', 'kube-controller-manager'],
    );
    assert.equal(builds().length, programs.length + 2);
    assert.equal(readdirSync(cache).length, folderCount + 1);
  });

  test('with a KUBERNETES that there is not, what it can be, exit code 2', testLimit, async () => {
    const { code, stderr } = await run({ KUBERNETES: '1.29' });
    assert.deepEqual([code, stderr], [2, 'testbed: KUBERNETES is 1.29: it can be 1.30, 1.33, 1.36\n']);
    assert.deepEqual(builds(), []);
  });

  test('builds only what is missing', testLimit, async () => {
    await run();
    const [kubectl] = readdirSync(cache, { recursive: true })
      .map(String)
      .filter(path => basename(path) === 'kubectl');
    assert.ok(kubectl);
    rmSync(join(cache, kubectl));
    writeFileSync(calls, '');
    assert.equal((await run()).code, 0);
    assert.equal(builds().length, 1);
    assert.match(builds()[0] ?? '', /cmd\/kubectl$/);
    assert.ok(existsSync(join(cache, kubectl)));
  });

  test('two at once build once; the other waits and says for whom', testLimit, async () => {
    writeFileSync(hold, '');
    const first = start();
    await untilBuilding();
    const second = start();
    const waited = outcome(second);
    const built = outcome(first);
    await sleep(1_500);
    rmSync(hold);
    assert.equal((await built).code, 0);
    const { code, stdout } = await waited;
    assert.equal(code, 0);
    assert.ok(stdout.includes(`waiting for the build of process ${first.pid}`), stdout);
    assert.equal(builds().length, programs.length);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    test(
      `a build that ${signal} ends leaves no half set and no compiler; the next one is not held up by it`,
      testLimit,
      async () => {
        writeFileSync(hold, '');
        const interrupted = start();
        const ended = outcome(interrupted);
        await untilBuilding();
        interrupted.signal(signal);
        const { code } = await ended;
        assert.equal(code, signal === 'SIGKILL' ? null : 130);
        assert.ok(!cached().some(name => programs.includes(name)));
        rmSync(hold);
        assert.equal((await run()).code, 0);
        assert.equal(readdirSync(cache).length, folderCount, `left over: ${readdirSync(cache)}`);
      },
    );
  }

  test('a failed build says what go said, exit code 1', testLimit, async () => {
    const { code, stderr } = await run({ FAKE_GO_FAILS: 'yes' });
    assert.equal(code, 1);
    assert.match(stderr, /^testbed: go build \S+ ended \(1\):\nexample\.com\/compiled\nmain\.go:1:1: no such thing\n$/);
    assert.deepEqual(readdirSync(cache), []);
  });

  for (const [what, env, reason] of [
    ['no Go', { PATH: '/usr/bin:/bin' }, /^testbed: Go >= 1\.26 is needed \(go env GOVERSION: .*not found\)\.\n/],
    ['an old Go', { FAKE_GO_VERSION: 'go1.24.4' }, /^testbed: Go >= 1\.26 is needed, this one is go1\.24\.4\.\n/],
  ] as const) {
    test(`with ${what} and no assets it says how to get either, exit code 2`, testLimit, async () => {
      const { code, stderr } = await run(env);
      assert.equal(code, 2);
      assert.match(stderr, reason);
      assert.match(stderr, /Go 1\.26 or later from https:\/\/go\.dev\/dl\//);
      assert.match(stderr, /setup-envtest[\s\S]*KUBEBUILDER_ASSETS/);
      assert.deepEqual(builds(), []);
    });
  }

  function assets(names: readonly string[]): string {
    const path = join(folder, 'assets');
    mkdirSync(path);
    for (const name of names) {
      writeFileSync(join(path, name), '#!/bin/sh\n');
      chmodSync(join(path, name), 0o755);
    }
    return path;
  }

  test(
    'KUBEBUILDER_ASSETS wins: nothing of the control plane is built, Go is not needed, what is missing is named',
    testLimit,
    async () => {
      const KUBEBUILDER_ASSETS = assets(['etcd', 'kube-apiserver', 'kubectl']);
      const { code, stdout } = await run({ KUBEBUILDER_ASSETS, PATH: '/usr/bin:/bin' });
      assert.equal(code, 0);
      assert.deepEqual(builds(), []);
      assert.match(stdout, /kube-controller-manager is not there/);
      assert.match(
        stdout,
        /cert-manager's controllers, promlint, Helm, crane and actionlint are not there and cannot be built/,
      );
    },
  );

  test('KUBEBUILDER_ASSETS without a program that is needed: exit code 2, naming it', testLimit, async () => {
    const KUBEBUILDER_ASSETS = assets(['etcd', 'kubectl']);
    const { code, stderr } = await run({ KUBEBUILDER_ASSETS });
    assert.equal(code, 2);
    assert.match(stderr, /^testbed: KUBEBUILDER_ASSETS \(.*\) has no kube-apiserver\.\n/);
    assert.deepEqual(builds(), []);
  });

  test('no go process outlives a build that is killed', testLimit, async () => {
    writeFileSync(hold, '');
    const build = start();
    const ended = outcome(build);
    await untilBuilding();
    const compiler = Number(readFileSync(calls, 'utf8').match(/pid (\d+)\n$/)?.[1]);
    assert.deepEqual(await survivors([compiler], 0), [compiler]);
    build.signal('SIGKILL');
    await ended;
    assert.deepEqual(await survivors([compiler], 5_000), []);
  });
});
