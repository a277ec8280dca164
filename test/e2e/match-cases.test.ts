import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parse } from 'yaml';
import { guardMatchCases } from './ack-guard-match-cases.ts';
import { ackMatchCases } from './ack-match-cases.ts';
import { entries } from './match-case.ts';
import { namespaceCases } from './namespace-cases.ts';
import { podCases } from './pod-cases.ts';
import { workloadCases } from './workload-cases.ts';

test('the calls that are made on a real API server know every shipped entry, and each entry sees one of them', async () => {
  const shipped: string[] = [];
  for (const file of ['mutating', 'validating']) {
    const url = new URL(`../../deploy/${file}-webhook-configuration.yaml`, import.meta.url);
    const { webhooks } = parse(await readFile(url, 'utf8')) as {
      webhooks: readonly {
        readonly name: string;
        readonly clientConfig: { readonly service: { readonly path: string } };
      }[];
    };
    shipped.push(...webhooks.map(({ name, clientConfig }) => `${clientConfig.service.path.slice(1)}/${name}`));
  }
  assert.deepEqual(entries, shipped);
  const cases = [...namespaceCases, ...podCases, ...workloadCases, ...ackMatchCases, ...guardMatchCases];
  const seen = new Set(cases.flatMap(({ seenBy }) => seenBy));
  assert.deepEqual(
    entries.filter(entry => !seen.has(entry)),
    [],
  );
});
