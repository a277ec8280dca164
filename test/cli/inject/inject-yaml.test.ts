import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { cpuTimeMs } from '../../cpu-time.ts';
import { demoState, runCommand } from '../command-runs.ts';

async function injected(stdin: string, ...flags: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(['inject', '-f', '-', '--state', demoState, ...flags], { stdin });
  assert.equal(code, 0, stderr);
  return stdout;
}

/** The text without the lines that the injection adds. */
function withoutLines(text: string, added: RegExp): string {
  return text
    .split('\n')
    .filter(line => !added.test(line))
    .join('\n');
}

const pod = `# Who looks after this: alice
apiVersion: v1
kind: Pod
metadata:
  name: web # the name
  namespace: team-a
  annotations: # ours
    z: last
    a: "first"
spec:
  serviceAccountName: web

  # Two of them.
  containers:
    - image: nginx
      name: app
      args: [serve, "--port", '80']
    - name: side
      env:
        - { name: LEVEL, value: "1" } # kept
# the end
`;

describe('inject keeps the YAML that it does not change', () => {
  test('comments, order of keys, quotes, empty lines and flow style stay; white space may change', async () => {
    const now = await injected(pod);
    const added =
      /carm-webhook\.dev|AWS_|token|aws-iam|value: (regional|team-a\.|eu-|arn:|\/var)|mountPath|readOnly|projected|sources|serviceAccountToken|audience|expiration|volume|^ {6}env:$/;
    const [before, after] = [pod, now].map(text => withoutLines(text, added).replaceAll(/\s+/g, ''));
    assert.equal(after, before);
    assert.equal(parse(now).spec.containers[1].env[0].value, '1');
  });

  test('a document with nothing to change is the same text, whatever its style', async () => {
    const odd =
      'kind:   Service # odd\napiVersion: v1\nmetadata: {name:  s,   labels: {\'a\': "b"}}\nspec:\n     ports:\n     - 1';
    assert.equal(await injected(`${pod}---\n${odd}\n`).then(text => text.split('---\n')[1]), `${odd}\n`);
  });

  test('its own output is not changed again', async () => {
    const once = await injected(pod);
    assert.equal(await injected(once), once);
  });

  test('lines that end with CR LF all do so', async () => {
    const now = await injected(pod.replaceAll('\n', '\r\n'));
    assert.match(now, /AWS_ROLE_ARN\r\n/);
    assert.doesNotMatch(now.trimEnd(), /[^\r]\n/);
  });

  const unchanged = [
    '# the first\nkind:   A\napiVersion: v1\n\n\n',
    'apiVersion: v1\nkind: B\n\ntext: |+\n  kept\n\n\n',
    '\n# the last\nkind: C  # spaces  \napiVersion: v1  \n  \n# the end\n',
  ];
  for (const [name, lineEnd] of [
    ['LF', '\n'],
    ['CR LF', '\r\n'],
  ] as const) {
    const whole = unchanged.join('---\n').replaceAll('\n', lineEnd);

    test(`documents with nothing to change come out byte for byte, in ${name}`, async () => {
      assert.equal(await injected(whole), whole);
      assert.equal(await injected(`---${lineEnd}${whole}`), whole);
      assert.equal(await injected(whole.trimEnd()), `${whole.trimEnd()}${lineEnd}`);
      assert.equal(await injected(whole.replaceAll('---', '...   \n---')), whole);
    });

    test(`and so next to one that changes, in ${name}`, async () => {
      const ours = pod.replaceAll('\n', lineEnd);
      const documents = unchanged.map(text => text.replaceAll('\n', lineEnd));
      const now = await injected([documents[0], ours, documents[1], documents[2]].join(`---${lineEnd}`));
      const changed = await injected(ours);
      assert.equal(now, [documents[0], changed, documents[1], documents[2]].join(`---${lineEnd}`));
      assert.equal(changed.replaceAll(lineEnd, '').includes('\n'), false);
    });
  }

  test('a byte order mark is no part of a document', async t => {
    const folder = await mkdtemp(join(tmpdir(), 'carm-bom-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'a.yaml');
    for (const marker of ['', '---\r\n']) {
      await writeFile(file, `\uFEFF${marker}kind: A\r\napiVersion: v1\r\n`);
      const { stdout } = await runCommand(['inject', '-f', file, '-f', file, '--state', demoState]);
      assert.equal(stdout, 'kind: A\r\napiVersion: v1\r\n---\r\nkind: A\r\napiVersion: v1\r\n');
    }
  });

  test('empty lines that a changed document ends with are part of its text', async () => {
    const kept = `${pod.replace('# the end\n', '')}text: |+\n  kept\n\n\n`;
    const now = await injected(`${kept}---\nkind: A\napiVersion: v1\n`);
    assert.equal(parse(now.split('---\n')[0] ?? '').text, 'kept\n\n\n');
  });

  test('long lines are not folded', async () => {
    const long = `${'word '.repeat(60)}end`;
    assert.ok((await injected(pod.replace('z: last', `z: ${long}`))).includes(`    z: ${long}\n`));
  });

  test('JSON comes out as YAML in block style', async () => {
    const json = JSON.stringify(parse(pod));
    const text = await injected(json);
    assert.match(text, /^apiVersion: v1\nkind: Pod\nmetadata:\n {2}name: web\n/);
  });

  test('empty documents are left out, other documents keep their order', async () => {
    const text = await injected(`---\n---\n# nothing\n---\n${pod}---\napiVersion: v1\nkind: Secret\n---\n`);
    assert.deepEqual(
      parseAllDocuments(text).map(document => document.get('kind')),
      ['Pod', 'Secret'],
    );
  });
});

describe('inject and YAML that shares values', () => {
  const shared = `apiVersion: v1
kind: Pod
metadata: { namespace: team-a }
spec:
  containers:
    - &first
      name: a
      env: &env
        - { name: X, value: "1" }
    - name: b
      env: *env
    - <<: *first
      name: c
`;

  test('each container gets its variables once, though env is one anchor', async () => {
    const { containers } = parse(await injected(shared), { merge: true }).spec;
    const names = containers.map((container: { env: { name: string }[] }) => container.env.map(({ name }) => name));
    const expected = [
      'X',
      'AWS_STS_REGIONAL_ENDPOINTS',
      'AWS_DEFAULT_REGION',
      'AWS_REGION',
      'AWS_ROLE_ARN',
      'AWS_WEB_IDENTITY_TOKEN_FILE',
      'AWS_ROLE_SESSION_NAME',
    ];
    assert.deepEqual(names, [expected, expected, expected]);
  });

  test('anchors that nothing changes stay', async () => {
    const text = await injected(
      `x-labels: &labels { app: web }\n${pod.replace('  annotations:', '  labels: *labels\n  annotations:')}`,
    );
    assert.match(text, /x-labels: &labels \{ app: web \}/);
    assert.match(text, / {2}labels: \*labels\n/);
  });

  test('an item of a List that is dropped leaves its anchors to those that stay', async () => {
    const list = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Pod
    metadata: { name: bad, namespace: team-b }
    spec: { containers: &c [{ name: a }] }
  - apiVersion: v1
    kind: Pod
    metadata: { name: good, namespace: team-a }
    spec: { containers: *c }
`;
    const { code, stdout } = await runCommand(['inject', '-f', '-', '--state', demoState], { stdin: list });
    assert.equal(code, 1);
    const { items } = parse(stdout);
    assert.deepEqual(
      items.map((item: { metadata: { name: string } }) => item.metadata.name),
      ['good'],
    );
    assert.equal(items[0].spec.containers[0].env.length, 6);
  });
});

/** Ways to write one value. */
function written(value: number, ways: string): readonly [written: string, read: unknown][] {
  return ways.split(' ').map(way => [way, value]);
}

describe('inject reads YAML as kubectl does', () => {
  test('0644 is octal and yes is true, in JSON as the API server would get them, in YAML as they were written', async () => {
    const text = pod.replace('spec:\n', 'spec:\n  hostNetwork: yes\n  securityContext: { fsGroup: 0644, old: 0899 }\n');
    const { spec } = JSON.parse(await injected(text, '-o', 'json'));
    assert.deepEqual([spec.hostNetwork, spec.securityContext.fsGroup], [true, 0o644]);
    const now = await injected(text);
    assert.match(now, /\n {2}hostNetwork: yes\n {2}securityContext: \{ fsGroup: 0644, old: 0899 \}\n/);
  });

  test('a string that looks like one of them is quoted where it is written again', async () => {
    const json = JSON.stringify(parse(pod.replace('"1"', "'yes'").replace("'80'", "'0644'")));
    const now = await injected(json);
    assert.match(now, /value: "yes"/);
    assert.match(now, /- "0644"/);
  });

  // As `kubectl label --local -f FILE x=y -o json` gives them.
  const values: readonly [written: string, read: unknown][] = [
    ...written(1000, '1_000 1__000 1_000_ 0x3e8 0X3E8 0x_3e8 +0x3e8 01_750 0o1750 0O1750'),
    ...written(5, '0b101 0b1_01 0_5 05 +5 5. 5_.0 0.5e1'),
    ...written(-5, '-5 -0b101 -0x5 -05'),
    ['0899', 899],
    ['1_0.5', 10.5],
    ['.5_0', 0.5],
    ['1_0e3', 10_000],
    ['123456789012345678901234567890', 1.2345678901234568e29],
    ...['_1', '0b12', '0x', '0o8', '1e', '.e3', '._5', '190:20:30', '1e400', '0x1ffffffffffffffff', '1_x'].map(
      (text): [string, string] => [text, text],
    ),
    ['2001-01-01', '2001-01-01'],
    ['!!timestamp 2001-01-01', '2001-01-01'],
    ['!!binary aGVsbG8=', 'hello'],
    ['!!binary |\n  aGVs\n  bG8=', 'hello'],
    ['!!float 1', 1],
    ['!!float "1.5"', 1.5],
    ['!!int "5"', 5],
    ['!!bool "yes"', true],
    ['!!str 1_000', '1_000'],
    ['!!set {a, b}', { a: null, b: null }],
    ['!!omap [a: 1]', [{ a: 1 }]],
    ['!mine 5', '5'],
    ['{1_000: a}', { '1000': 'a' }],
  ];
  for (const [text, read] of values) {
    test(`${JSON.stringify(text)} is ${JSON.stringify(read)}`, async () => {
      const stdin = `apiVersion: v1\nkind: Thing\nvalue: ${text}\n`;
      assert.deepEqual(JSON.parse(await injected(stdin, '-o', 'json')).value, read);
    });
  }

  const objects = ['a', 'b', 'c'].map(name => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name } }));
  const [a, b, c] = objects.map(object => JSON.stringify(object));
  const [aYaml, bYaml, cYaml] = objects.map(object => stringify(object));
  const bom = '\uFEFF';
  const rows: readonly [what: string, text: string][] = [
    ['as jq -c writes them', `${a}\n${b}\n${c}\n`],
    ['as jq writes them', objects.map(object => `${JSON.stringify(object, undefined, 2)}\n`).join('')],
    ['with nothing between them', `${a}${b}${c}`],
    ['then YAML', `${a}\n${b}\n${cYaml}`],
    ['then a document of YAML', `${a}\n${b}\n---\n${cYaml}`],
    ['with a byte order mark each', `${bom}${a}\n${bom}${b}${bom}\n${c}`],
    ['in CR LF', `\r\n${a}\r\n${b}\r\n\r\n${c}\r\n`],
  ];
  for (const [what, stdin] of rows) {
    test(`JSON in a row, ${what}`, async () => {
      assert.deepEqual(JSON.parse(await injected(stdin, '-o', 'json')).items, objects);
      assert.equal(await injected(stdin), [aYaml, bYaml, cYaml].join('---\n'));
    });
  }

  test('a brace in a string and an escaped quote end no object', async () => {
    const value = '}{ "\\" {';
    const stdin = `${JSON.stringify({ ...objects[0], value })}\n${b}`;
    assert.deepEqual(JSON.parse(await injected(stdin, '-o', 'json')).items, [{ ...objects[0], value }, objects[1]]);
  });

  test('what fails in the second of a row is told with its place in the file', async () => {
    const { code, stderr } = await runCommand(['inject', '-f', '-', '--state', demoState], {
      stdin: `${a}\n${b}\n  {"a":1}`,
    });
    assert.deepEqual([code, stderr], [2, 'carm-webhook: stdin:3: the object has no apiVersion or no kind\n']);
  });

  test('what kubectl would drop without a word is an error: a second object in a document of YAML', async () => {
    const { code, stderr } = await runCommand(['inject', '-f', '-', '--state', demoState], {
      stdin: `---\n${a}\n${b}\n`,
    });
    assert.deepEqual([code, stderr.slice(0, 24)], [2, 'carm-webhook: stdin:3:1:']);
  });

  test('a byte order mark before each document is part of none', async () => {
    const text = `${bom}# a\n${aYaml}---\n${bom}# b\n${bYaml}---\n${bom}${c}`;
    assert.deepEqual(JSON.parse(await injected(text, '-o', 'json')).items, objects);
    assert.equal(await injected(text), `# a\n${aYaml}---\n# b\n${bYaml}---\n${cYaml}`);
  });

  test('what is written again means the same', async () => {
    const flow =
      '{a: 1_000, b: 0644, c: 0x1F, d: yes, e: 1.0, f: !!binary aGVsbG8=, g: !!float 1, h: "1_000", containers: [{name: a}]}';
    const stdin = `apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: team-a}\nspec: ${flow}\n`;
    const text = await injected(stdin);
    assert.match(text, /\n {2}a: 1_000\n {2}b: 0644\n {2}c: 0x1F\n {2}d: yes\n {2}e: 1.0\n/);
    const json = await injected(stdin, '-o', 'json');
    assert.deepEqual(JSON.parse(await injected(text, '-o', 'json')), JSON.parse(json));
    assert.deepEqual(JSON.parse(await injected(await injected(json), '-o', 'json')), JSON.parse(json));
  });

  test('a value that kubectl takes for a boolean is no string', async () => {
    const stdin = pod.replace('"1"', 'on');
    const { code, stderr } = await runCommand(['inject', '-f', '-', '--state', demoState], { stdin });
    assert.equal(code, 2);
    assert.match(stderr, /^carm-webhook: stdin:2: .*"spec\.containers\[1\]\.env\[0\]\.value" is not a string/);
  });
});

test('a List of 400 pods takes no more than seconds', async () => {
  const item = pod
    .replace(/^#.*\n/, '')
    .trimEnd()
    .replaceAll('\n', '\n    ');
  const list = `apiVersion: v1\nkind: List\nitems:\n${`  - ${item}\n`.repeat(400)}`;
  const startedAt = cpuTimeMs();
  const text = await injected(list);
  assert.equal(text.match(/- name: AWS_ROLE_ARN/g)?.length, 800);
  assert.ok(cpuTimeMs() - startedAt < 3_000);
});
