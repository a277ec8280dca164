import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { alertCases } from './alert-cases.ts';
import { shippedAlerts } from './alerts.ts';
import { exportedSeries, notExported } from './exported-series.ts';
import { readQuery } from './promql.ts';

const alerts = shippedAlerts();
const names = alerts.map(({ alert }) => alert);
const all = await exportedSeries();
const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'operations.md'), 'utf8');
const ofSeverity = (severity: string): readonly string[] =>
  alerts.filter(({ labels }) => labels.severity === severity).map(({ alert }) => alert);

/** The labels that the words of an alert show. */
function labelsInWords(annotations: object): readonly string[] {
  return Array.from(JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g), ([, label = '']) => label);
}

describe('each alert', () => {
  for (const { alert, expr, labels, annotations } of alerts) {
    test(`${alert} asks for nothing that is not exported`, () => {
      assert.deepEqual(notExported(all, readQuery(expr), labelsInWords(annotations)), []);
    });

    test(`${alert} has a case in which it fires, and one in which it does not`, () => {
      const cases = alertCases.filter(each => each.alert === alert);
      assert.ok(cases.some(({ firing }) => firing.length > 0));
      assert.ok(cases.some(({ firing }) => firing.length === 0));
    });

    test(`${alert} leads to its section of the runbook, which says what it means and what to do`, () => {
      assert.equal(
        new URL(annotations.runbook_url).pathname,
        '/carm-webhook/carm-webhook/blob/main/docs/operations.md',
      );
      assert.equal(new URL(annotations.runbook_url).hash, `#${alert.toLowerCase()}`);
      const section = page.split(`\n### ${alert}\n`)[1]?.split(/\n##+ /)[0] ?? '';
      assert.match(section, /^\n\*\*What it means\.\*\* [\s\S]+\n\n\*\*What to do\.\*\*[\s\S]+/);
      const row = page.split('\n').find(line => line.startsWith(`| [${alert}](#`));
      assert.equal(row?.split(' | ')[1], labels.severity);
    });

    test(`${alert} says what is wrong in a line, and what it does`, () => {
      assert.doesNotMatch(annotations.summary, /\n/);
      assert.ok(annotations.summary.length <= 120);
      assert.match(annotations.description, /\bpods?\b|\bobjects\b|\b[Nn]othing\b/i);
    });
  }
});

test('names are unique, and every case is about one of them', () => {
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(
    alertCases.filter(({ alert }) => !names.includes(alert)),
    [],
  );
  assert.equal(ofSeverity('critical').length + ofSeverity('warning').length, names.length);
});

test('what one tenant can do at will wakes nobody', () => {
  const theirs = [
    'Denials',
    'Unverified',
    'InternalErrors',
    'RefusedRequests',
    'Slow',
    'RolesBroken',
    'MapEntriesInvalid',
  ];
  const woken = ofSeverity('critical');
  assert.deepEqual(
    theirs.filter(name => woken.includes(`CarmWebhook${name}`)),
    [],
  );
  assert.deepEqual(
    theirs.filter(name => !names.includes(`CarmWebhook${name}`)),
    [],
  );
});

describe('a slip in an expression is seen', () => {
  const slips: Readonly<Record<string, readonly [string, (readonly string[])?]>> = {
    'a metric': ['sum(carm_webhook_review_total)'],
    'a function': ['ratee(carm_webhook_ready)'],
    'a label': ['carm_webhook_reviews_total{result="denied"}'],
    'a value': ['carm_webhook_reviews_total{outcome="denyed"}'],
    'a value that goes together with no other': ['carm_webhook_reviews_total{reason="Injected",outcome="error"}'],
    'a value that is left out': ['carm_webhook_reviews_total{reason!="InvalidReviews"}'],
    'a pattern': ['carm_webhook_live_reads_total{result=~"founds?d"}'],
    'a label to group by': ['sum by (namespace) (carm_webhook_reviews_total)'],
    'a label in the words': ['carm_webhook_ready', ['webhook']],
    'a label in the words, lost by the grouping': ['sum by (reason) (carm_webhook_reviews_total)', ['webhook']],
  };
  for (const [what, [expression, words = []]] of Object.entries(slips)) {
    test(what, () => assert.equal(notExported(all, readQuery(expression), words).length, 1));
  }
});
