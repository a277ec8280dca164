import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { demoState, runCommand } from '../command-runs.ts';

const state = ['--state', demoState] as const;
const thing = 'apiVersion: v1\nkind: Thing\n';

describe('inject: bad usage and unreadable input are exit 2, one line that quotes the value and its place', () => {
  const cases: readonly [what: string, stdin: string, said: string | RegExp][] = [
    ['bad YAML', 'a: 1\nb: [1\nc: 2\n', /^carm-webhook: stdin:3:1: .*\]\n$/],
    ['a tab', 'a:\n\tb: 1\n', /^carm-webhook: stdin:2:1: /],
    ['a key twice', 'a: 1\na: 2\n', /^carm-webhook: stdin:2:1: Map keys must be unique\n$/],
    ['an alias without anchor', 'a: 1\nb:  *x\n', 'carm-webhook: stdin:2:5: there is no anchor for the alias *x\n'],
    ['bad YAML in a later document', 'apiVersion: v1\nkind: A\nx: &a 1\n---\nb: *a\n', /^carm-webhook: stdin:5:4: /],
    ['no object', '- 1\n', 'carm-webhook: stdin:1: not a Kubernetes object\n'],
    ['no kind', '---\napiVersion: v1\n', 'carm-webhook: stdin:2: the object has no apiVersion or no kind\n'],
    [
      'an item of a List',
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n- 7\n',
      'carm-webhook: stdin:6: not a Kubernetes object\n',
    ],
    [
      'a field of a wrong type',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: team-a}\nspec: {containers: 3}\n',
      /^carm-webhook: stdin:1: Pod "p" in namespace "team-a": "spec\.containers" is not an array.*\(InvalidReview\)\n$/,
    ],
    [
      'metadata of a wrong type',
      'apiVersion: v1\nkind: Pod\nmetadata: 3\n',
      /^carm-webhook: stdin:1: .*"metadata" is not an object.*\n$/,
    ],
    [
      'a pod template of a wrong type',
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: 7}\n',
      'carm-webhook: stdin:1: "spec.template" is not an object\n',
    ],
    [
      'a name of a wrong type, of an object that is left as it is',
      'apiVersion: v1\nkind: Service\nmetadata: {name: 5}\n',
      'carm-webhook: stdin:1: "metadata.name" is not a string (put it in quotes if YAML could read it as something else)\n',
    ],
    ['nothing', '# only a comment\n', 'carm-webhook: there is no object in stdin\n'],
    [
      'aliases that would fill the memory',
      `a: &a [1,1,1,1,1,1,1,1,1]\n${bomb()}`,
      /^carm-webhook: stdin:1:1: Excessive alias count/,
    ],
    [
      'an anchor that contains itself',
      `${thing}spec: &s {containers: [{name: a}], x: *s}\n`,
      'carm-webhook: stdin:3:39: anchor "s" contains itself\n',
    ],
    [
      'an anchor that contains itself, deeper, under a name that was used before',
      `${thing}x: &s 1\ny:\n- &s\n  z: [&t {u: *s}]\n`,
      'carm-webhook: stdin:6:14: anchor "s" contains itself\n',
    ],
    [
      'an anchor that is merged into itself',
      `${thing}x: &s {<<: *s}\n`,
      'carm-webhook: stdin:3:12: anchor "s" contains itself\n',
    ],
    ...[300, 1000, 20_000].flatMap((levels): (typeof cases)[number][] => {
      const said = /^carm-webhook: stdin:\d+:\d+: lists and maps are nested too deeply \(more than 250 levels\)\n$/;
      return [
        [`${levels} lists in one another`, `${thing}x: ${'['.repeat(levels)}${']'.repeat(levels)}\n`, said],
        [`${levels} maps in one another`, `${thing}x: ${'{a: '.repeat(levels)}1${'}'.repeat(levels)}\n`, said],
        [`${levels} lists in one another, in block style`, `${thing}x:\n${'- '.repeat(levels)}1\n`, said],
      ];
    }),
    ['nothing but a brace', '}\n', /^carm-webhook: stdin:1:1: Unexpected flow-map-end/],
    ['no number of JSON', `${thing}x: .inf\n`, 'carm-webhook: stdin:3:4: .inf is not a number in JSON\n'],
    ['no number at all', `${thing}x: [-.Inf, .nan]\n`, 'carm-webhook: stdin:3:5: -.Inf is not a number in JSON\n'],
    ['null for a key', `${thing}x: {~: 1}\n`, 'carm-webhook: stdin:3:5: null cannot be a key\n'],
    ['no key', `${thing}x:\n  : 1\n`, 'carm-webhook: stdin:4:3: null cannot be a key\n'],
    ['a template', `${thing}x: {{ .Values.x }}\n`, 'carm-webhook: stdin:3:5: a map or list cannot be a key\n'],
    ['an alias of a list for a key', `${thing}x: &x []\ny: {*x : 1}\n`, /stdin:4:5: a map or list cannot be a key\n$/],
    ['a tag of another type', `${thing}x: !!int five\n`, /^carm-webhook: stdin:3:4: Unresolved tag: [^\n]*2002:int\n$/],
    ['!!binary that is none', `${thing}x: !!binary 5\n`, 'carm-webhook: stdin:3:4: !!binary is not base64\n'],
    [
      'a NUL byte in quotes',
      `${thing}x: "a\0"\n`,
      'carm-webhook: stdin:3:6: the control character U+0000 is not allowed\n',
    ],
    ['a NUL byte', '\0', 'carm-webhook: stdin:1:1: the control character U+0000 is not allowed\n'],
    ['an escape', `${thing}x: \u001b[1m\n`, 'carm-webhook: stdin:3:4: the control character U+001B is not allowed\n'],
  ];
  for (const [what, stdin, said] of cases) {
    test(what, async () => {
      const { code, stdout, stderr } = await runCommand(['inject', '-f', '-', ...state], { stdin });
      assert.deepEqual([code, stdout], [2, '']);
      if (typeof said === 'string') assert.equal(stderr, said);
      else assert.match(stderr, said);
      assert.equal(stderr.trimEnd().split('\n').length, 1);
    });
  }

  const usage: readonly [argv: readonly string[], said: RegExp][] = [
    [[], /^carm-webhook: -f is required: -f FILE, -f FOLDER, or -f - for stdin\n$/],
    [['-f'], /--filename needs a value/],
    [['pod.yaml'], /takes no argument "pod\.yaml"; name a file or folder with -f/],
    [['-f', '/nonexistent/pod.yaml'], /cannot read "\/nonexistent\/pod\.yaml": there is no such file/],
    [['-f', '-', '-f', '-'], /stdin \(-f -\) can be read only once/],
    [['-f', '-', '-n', 'No_Good'], /--namespace "No_Good" is not the name of a namespace/],
    [['-f', '-', '--nope'], /unknown flag "--nope"\. `carm-webhook inject --help`/],
    [['-f', '-', '--default-mode=off'], /--default-mode "off" is not one of: enforce, warn, audit/],
  ];
  for (const [argv, said] of usage) {
    test(`inject ${argv.join(' ')}`, async () => {
      const { code, stderr } = await runCommand(['inject', ...state, ...argv]);
      assert.equal(code, 2);
      assert.match(stderr, said);
    });
  }
});

test('check and why say the same of a file of the state', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'carm-circle-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'pod.yaml'), `${thing}spec: &s [*s]\n`);
  for (const command of [['check'], ['why', 'namespace', 'team-a']]) {
    const { code, stdout, stderr } = await runCommand([...command, '--state', folder]);
    assert.deepEqual([code, stdout], [2, '']);
    assert.equal(stderr, `carm-webhook: ${join(folder, 'pod.yaml')}:3:11: anchor "s" contains itself\n`);
  }
});

/** Nine levels of nine aliases each. */
function bomb(): string {
  const names = 'abcdefghi';
  return [...names.slice(1)]
    .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${names[index]}`).join(',')}]\n`)
    .join('');
}

test('several files are one input: a Namespace in one counts for a pod in another', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'carm-input-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const [pod, namespace] = [join(folder, 'pod,1.yaml'), join(folder, 'namespace.json')];
  await writeFile(
    pod,
    'apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: new}\nspec: {containers: [{name: a}]}\n',
  );
  const annotations = { 'services.k8s.aws/owner-account-id': '111122223333' };
  await writeFile(
    namespace,
    JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new', annotations } }),
  );
  const { code, stdout } = await runCommand(['inject', '-f', pod, '--filename', namespace, ...state, '-o=json']);
  assert.equal(code, 0);
  const [first, second] = JSON.parse(stdout).items;
  assert.equal(
    first.metadata.annotations['carm-webhook.dev/role-arn'],
    'arn:aws:iam::111122223333:role/team-a-workloads',
  );
  assert.equal(second.metadata.labels['carm-webhook.dev/inject'], 'enabled');
});
