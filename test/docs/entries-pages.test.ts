import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { shipped } from '../deploy/shipped.ts';

interface Entry {
  readonly name: string;
  readonly failurePolicy: string;
}

const read = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('the entries of the webhook configurations are documented', async () => {
  const configurations = await read('docs/webhook-configurations.md');
  const whenDown = await read('docs/break-glass.md');
  for (const kind of ['mutating', 'validating']) {
    const name = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}WebhookConfiguration`;
    const { webhooks } = shipped<{ webhooks: Entry[] }>(name);
    for (const { name, failurePolicy } of webhooks) {
      test(`${kind} ${name}: what it sees, and what fails while the webhook is down`, () => {
        const rows = configurations.split('\n').filter(line => line.startsWith(`| \`${name}\` | `));
        const [row = ''] = rows.filter(line => line.split(' | ')[1]?.includes(kind));
        assert.ok(row.endsWith(` | \`${failurePolicy}\` |`), `docs/webhook-configurations.md: ${row}`);
        const isNamed = whenDown.includes(`failed calling webhook "${name}"`);
        assert.equal(isNamed, failurePolicy === 'Fail', 'docs/break-glass.md');
      });
    }
  }
});
