/**
 * No advice strands ACK resources: what says how to bind a namespace, to unbind it, or to have its binding count, also says what
 * becomes of the resources of another account. In the catalogue, in every message of the decision table, and on the pages.
 */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { denials } from '../../../src/admission/catalogue/denials.ts';
import { warnings } from '../../../src/admission/catalogue/warnings.ts';
import { findingKinds } from '../../../src/cli/check/finding.ts';
import { answeredRow } from '../../decisions/answered-row.ts';
import { rows } from '../../decisions/table.ts';

const root = join(import.meta.dirname, '..', '..', '..');

const advice = [
  /\b(?:un|re)?bind (?:it|them|the namespaces?|its namespaces?|their namespaces?|a namespace)\b/i,
  /\b(?:remove|change|correct|undo) (?:the|its) (?:namespace's )?binding\b/i,
  /\bturn (?:on )?(?:the (?:feature )?gate|CARM)\b(?! off)/i,
  /\bcorrect the annotation\b.*\b12 digits\b/i,
  /\bannotate (?:--overwrite )?namespace \S+ services\.k8s\.aws\/(?:owner-account-id|team-id)/,
];
/** ACK resources are named, or the account that they are in. */
const condition =
  /\bACK resources\b|\bexisting resources\b|\bACK has (?:made|created)\b|\baccount in (?:its|their|the) status\b|\b(?:the|to) (?:same|that) account again\b|\bAdopt it\b|\bhas recorded account\b/;

const isAdvice = (text: string): boolean => advice.some(words => words.test(text));

function assertSafe(texts: Iterable<readonly [where: string, text: string]>, atLeast: number): void {
  const unsafe: string[] = [];
  let given = 0;
  for (const [where, text] of texts) {
    if (!isAdvice(text)) continue;
    given += 1;
    if (!condition.test(text)) unsafe.push(`${where}: ${text}`);
  }
  assert.deepEqual(unsafe, []);
  assert.ok(given >= atLeast, `only ${given} with such advice: does the test still know it?`);
}

test('advice is known by its words, and is not safe without the condition', () => {
  for (const text of [
    'Ask your platform team to bind it: kubectl annotate namespace a services.k8s.aws/owner-account-id=ACCOUNT_ID',
    'Unbind the namespaces first, or keep the entry.',
    'Add the key to the account map, or correct the namespace’s binding.'.replace('’', "'"),
    'Set the label to `disabled` to opt out, or remove the binding first.',
    'Remove it, or turn the gate on.',
  ]) {
    assert.ok(isAdvice(text) && !condition.test(text), text);
  }
  assert.ok(!isAdvice('the namespace is bound: its label was removed, and has been restored'));
});

test('in the catalogue', () => {
  const entries = [...Object.entries(denials), ...Object.entries(warnings), ...Object.entries(findingKinds)];
  assertSafe(
    entries.map(([reason, { remedy }]) => [reason, remedy]),
    8,
  );
});

test('in every message of the decision table', async () => {
  const texts: [string, string][] = [];
  for (const row of rows) {
    const { response } = await answeredRow(row);
    for (const text of [response.status?.message, ...(response.warnings ?? [])])
      if (text) texts.push([row.proves, text]);
  }
  assertSafe(texts, 20);
});

test('in what the commands say', () => {
  const files = globSync('src/cli/**/*.ts', { cwd: root });
  const lines = files.flatMap(file =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .map((line): [string, string] => [file, line]),
  );
  // The account that a resource is in by its status, or one of the phrases above.
  const named = /\$\{(?:unlessResourcesStrand|whatStrands|onceNoneIsStranded)\}|to account \$\{quote\(owner\)\} again/;
  const said = lines.filter(
    ([, line]) => /['"`]/.test(line) && !/^\s*(?:\*|\/\/|\/\*)/.test(line) && !named.test(line),
  );
  assertSafe(said, 2);
});

/** A command that binds a namespace which was created just before it finds no resources. */
const createsIt = /kubectl create namespace (\S+)\n(?:kubectl )?annotate namespace \1 /;

test('on the pages', () => {
  const pages = ['README.md', ...globSync('docs/*.md', { cwd: root })];
  assertSafe(
    pages.flatMap(page => {
      const text = readFileSync(join(root, page), 'utf8');
      // A table's row stands for itself; a command stands with the words before it.
      const parts = text.split(/\n\n(?!```)|\n(?=\|)|\n(?=- )/);
      return parts
        .filter(part => !createsIt.test(part))
        .map((part): [string, string] => [page, part.replaceAll('\n', ' ')]);
    }),
    10,
  );
});
