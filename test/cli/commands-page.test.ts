import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { inRepository, runCommand } from './command-runs.ts';

test('docs/commands.md names every flag of inject, check and why, and no flag that there is not', async () => {
  const page = await readFile(inRepository('docs/commands.md'), 'utf8');
  const helps = await Promise.all(['inject', 'check', 'why'].map(name => runCommand([name, '--help'])));
  const flags = new Set(
    helps.flatMap(({ stdout }) => [...stdout.matchAll(/^ {2}.{4}--([a-z-]+)/gm)].map(([, flag]) => flag)),
  );
  const named = new Set([...page.matchAll(/(?<!-)--([a-z][a-z-]+)/g)].map(([, flag]) => flag));
  assert.deepEqual([...named].filter(flag => flag !== 'help').sort(), [...flags].sort());
});

test('the examples of docs/commands.md are those of the help', async () => {
  const page = await readFile(inRepository('docs/commands.md'), 'utf8');
  for (const name of ['inject', 'check', 'why']) {
    const { stdout } = await runCommand([name, '--help']);
    const examples = stdout.split('Examples:\n')[1]?.split('\n\n')[0]?.split('\n') ?? [];
    for (const example of examples) assert.ok(page.includes(`\n${example.trim()}\n`), example);
  }
});
