import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { inRepository, runCommand } from './command-runs.ts';

/** The commands that the help lists, without the server: its flags stand in the README. */
async function commandsBesideServe(): Promise<readonly string[]> {
  const { stdout } = await runCommand(['--help']);
  const list = stdout.split('Commands:\n')[1]?.split('\n\n')[0] ?? '';
  return [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name = '']) => name).filter(name => name !== 'serve');
}

test('the table of docs/commands.md has every command beside serve, in the order of the help, and no other', async () => {
  const page = await readFile(inRepository('docs/commands.md'), 'utf8');
  const table = page.split(/^\| command .*\n/m)[1]?.split('\n\n')[0] ?? '';
  const documented = [...table.matchAll(/^\| `(\S+?)[ `]/gm)].map(([, name]) => name);
  assert.deepEqual(documented, await commandsBesideServe());
});

test('docs/commands.md names every flag of these commands, and no flag that there is not', async () => {
  const page = await readFile(inRepository('docs/commands.md'), 'utf8');
  const helps = await Promise.all((await commandsBesideServe()).map(name => runCommand([name, '--help'])));
  const flags = new Set(
    helps.flatMap(({ stdout }) => [...stdout.matchAll(/^ {2}.{4}--([a-z-]+)/gm)].map(([, flag]) => flag)),
  );
  const withoutKubectl = page.replaceAll(/\bkubectl [^`\n]*/g, '');
  const named = new Set([...withoutKubectl.matchAll(/(?<!-)--([a-z][a-z-]+)/g)].map(([, flag]) => flag));
  assert.deepEqual([...named].filter(flag => flag !== 'help').sort(), [...flags].sort());
});

test('the examples of docs/commands.md are those of the help', async () => {
  const page = await readFile(inRepository('docs/commands.md'), 'utf8');
  for (const name of await commandsBesideServe()) {
    const { stdout } = await runCommand([name, '--help']);
    const examples = stdout.split('Examples:\n')[1]?.split('\n\n')[0]?.split('\n') ?? [];
    for (const example of examples) assert.ok(page.includes(`\n${example.trim()}\n`), example);
  }
});
