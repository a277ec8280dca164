import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { repositoryFolder } from '../deploy/helm.ts';

const folder = join(repositoryFolder, '.github', 'workflows');
const workflows = readdirSync(folder).map(name => ({ name, text: readFileSync(join(folder, name), 'utf8') }));

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly uses?: string;
  readonly steps?: readonly Step[];
}

const jobsOf = (text: string): readonly [string, Job][] => Object.entries(parse(text).jobs);

describe('the workflows', () => {
  test('actions are pinned by commit, with the version beside it, and the same one everywhere', () => {
    const pins = new Map<string, string>();
    for (const { name, text } of workflows) {
      for (const [line, used = ''] of text.matchAll(/uses: (.+)/g)) {
        if (used.startsWith('./')) continue;
        const [, action, pin] = /^([\w-]+\/[\w-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(used) ?? [];
        assert.ok(action !== undefined && pin !== undefined, `${name}: ${line}`);
        assert.equal(pins.get(action) ?? pin, pin, name);
        pins.set(action, pin);
      }
    }
    assert.ok(pins.size >= 4);
  });

  test('a token may read, and only jobs of the release may do more, each what it needs', () => {
    const more = workflows.flatMap(({ name, text }) => {
      const { permissions } = parse(text);
      assert.deepEqual(permissions, name === 'release.yaml' ? {} : { contents: 'read' }, name);
      return jobsOf(text).flatMap(([job, { permissions: own }]) => (own === undefined ? [] : [[job, own]]));
    });
    assert.deepEqual(Object.fromEntries(more), {
      test: { contents: 'read' },
      publish: { contents: 'read', packages: 'write', 'id-token': 'write' },
      'github-release': { contents: 'write' },
    });
  });

  test('a checkout leaves no token behind, and every job has a limit of time', () => {
    for (const { name, text } of workflows) {
      for (const [job, { steps = [], uses, 'timeout-minutes': limit }] of jobsOf(text)) {
        assert.ok(uses !== undefined || limit !== undefined, `${name}: ${job}`);
        const checkouts = steps.filter(step => step.uses?.startsWith('actions/checkout@'));
        for (const step of checkouts) assert.equal(step.with?.['persist-credentials'], false, `${name}: ${job}`);
      }
    }
  });

  test('no command has an expression in it, which whoever names a branch could fill', () => {
    for (const { name, text } of workflows) {
      for (const [, { steps = [] }] of jobsOf(text)) {
        for (const { run = '' } of steps) assert.doesNotMatch(run, /\$\{\{/, name);
      }
    }
  });

  test('what they run is there: targets of make, and files', () => {
    const makefile = readFileSync(join(repositoryFolder, 'Makefile'), 'utf8');
    const runs = workflows.flatMap(({ text }) =>
      jobsOf(text).flatMap(([, { steps = [] }]) => steps.map(step => step.run ?? '')),
    );
    const targets = runs.flatMap(run => [...run.matchAll(/\bmake ([a-z0-9-]+)/g)].map(([, target]) => target));
    const files = runs.flatMap(run => [...run.matchAll(/\bnode (\S+\.ts)/g)].map(([, file]) => file ?? ''));
    assert.ok(targets.length > 8 && files.length > 3);
    for (const target of targets) assert.match(makefile, new RegExp(`^${target}:`, 'm'));
    for (const file of files) assert.ok(existsSync(join(repositoryFolder, file)), file);
  });

  test('the cache of a control plane is named after all Go modules that are built into it', () => {
    for (const { name, text } of workflows) {
      if (!text.includes('carm-webhook/testbed')) continue;
      assert.match(text, /hashFiles\('test\/testbed\/\*\*\/go\.mod', 'test\/testbed\/\*\*\/go\.sum', /, name);
    }
  });
});

test('updates are asked for in every folder that has a go.mod of the test bed, but for those of other versions', () => {
  const { updates } = parse(readFileSync(join(repositoryFolder, '.github', 'dependabot.yml'), 'utf8'));
  const asked: readonly string[] = updates.find(
    (each: { 'package-ecosystem': string }) => each['package-ecosystem'] === 'gomod',
  ).directories;
  for (const each of asked) assert.ok(existsSync(join(repositoryFolder, each, 'go.mod')), each);
  const modules = readdirSync(join(repositoryFolder, 'test', 'testbed'), { recursive: true, encoding: 'utf8' })
    .filter(path => /(?:^|\/)go\.mod$/.test(path) && !path.startsWith('versions/'))
    .map(path => join('/test/testbed', path, '..'));
  assert.deepEqual(asked.filter(each => each.startsWith('/test/')).toSorted(), modules.toSorted());
});
