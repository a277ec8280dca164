import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { credentialsModes } from '../../src/injection/credentials-modes.ts';
import { sdkVariables } from '../../src/injection/sdk-settings.ts';
import { keyRows, mirrorAnnotation } from '../../src/objects/keys.ts';
import { readPod } from '../../src/objects/pod.ts';

const read = (page: string): Promise<string> => readFile(new URL(`../../docs/${page}.md`, import.meta.url), 'utf8');

test('docs/annotations.md and docs/ack-resources.md name every key that people write and we read, and every key that we write', async () => {
  const pages = (await read('annotations')) + (await read('ack-resources'));
  const isNamed = (key: string) => pages.includes(key) || pages.includes(`\`…/${key.split('/')[1]}\``);
  const keys = keyRows.filter(({ key, us, written }) => key !== mirrorAnnotation && (us.length > 0 || written));
  assert.deepEqual(
    keys.map(({ key }) => key).filter(key => !isNamed(key)),
    [],
  );
});

test('docs/injection.md names every variable that is injected', async () => {
  const page = await read('injection');
  const given = credentialsModes.flatMap(mode => mode.variables('arn:aws:iam::111111111111:role/r', readPod({})));
  assert.deepEqual(
    [...sdkVariables, ...given.map(({ name }) => name)].filter(name => !page.includes(`\`${name}\``)),
    [],
  );
});
