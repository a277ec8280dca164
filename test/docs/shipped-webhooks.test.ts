import assert from 'node:assert/strict';
import { test } from 'node:test';
import shipped from '../../src/cli/check/installation/shipped-webhooks.json' with { type: 'json' };
import { shippedWebhooks } from './shipped-webhooks.ts';

test('the webhook configurations that check compares with are those of deploy/ (npm run docs)', () => {
  assert.deepEqual(shipped, JSON.parse(JSON.stringify(shippedWebhooks())));
});
