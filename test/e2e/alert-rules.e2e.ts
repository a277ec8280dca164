import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { alertCases } from '../prometheus/alert-cases.ts';
import { alertsFile, shippedAlerts } from '../prometheus/alerts.ts';
import { whyNoPrometheus } from '../prometheus/programs.ts';
import { judge, promtool } from '../prometheus/rule-test.ts';

const skip = whyNoPrometheus() ?? false;

describe('the alerts, by promtool', { skip }, () => {
  const alerts = shippedAlerts();

  test('are rules that Prometheus takes', async () => {
    const { code, output } = await promtool(['check', 'rules', alertsFile]);
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`SUCCESS: ${alerts.length} rules found`));
  });

  test('fire where they must, with the words that people read, and nowhere else', async () => {
    const failed = (await judge(alerts, alertCases)).filter(({ passed }) => !passed);
    assert.deepEqual(
      failed.map(({ judgedCase: { alert, what }, output }) => `${alert}: ${what}: ${output}`),
      [],
    );
  });

  test('and every case can fail: turned round, each does', async () => {
    const turned = alertCases.map(each => ({ ...each, firing: each.firing.length > 0 ? [] : [{}] }));
    const passed = (await judge(alerts, turned)).filter(each => each.passed);
    assert.deepEqual(
      passed.map(({ judgedCase: { alert, what } }) => `${alert}: ${what}`),
      [],
    );
  });
});
