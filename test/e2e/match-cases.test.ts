import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shipped } from '../deploy/shipped.ts';
import { guardMatchCases } from './ack-guard-match-cases.ts';
import { ackMatchCases } from './ack-match-cases.ts';
import { entries } from './match-case.ts';
import { namespaceCases } from './namespace-cases.ts';
import { podCases } from './pod-cases.ts';
import { workloadCases } from './workload-cases.ts';

test('the calls that are made on a real API server know every shipped entry, and each entry sees one of them', () => {
  const inShipped = ['Mutating', 'Validating'].flatMap(kind =>
    shipped<{
      webhooks: readonly {
        readonly name: string;
        readonly clientConfig: { readonly service: { readonly path: string } };
      }[];
    }>(`${kind}WebhookConfiguration`).webhooks.map(
      ({ name, clientConfig }) => `${clientConfig.service.path.slice(1)}/${name}`,
    ),
  );
  assert.deepEqual(entries, inShipped);
  const cases = [...namespaceCases, ...podCases, ...workloadCases, ...ackMatchCases, ...guardMatchCases];
  const seen = new Set(cases.flatMap(({ seenBy }) => seenBy));
  assert.deepEqual(
    entries.filter(entry => !seen.has(entry)),
    [],
  );
});
