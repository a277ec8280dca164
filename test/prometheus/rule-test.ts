import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { SupervisedProcess } from '../testbed/supervised-process.ts';
import type { AlertCase } from './alert-cases.ts';
import type { Alert } from './alerts.ts';
import { prometheusProgram } from './programs.ts';

const limitMs = 30_000;

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** @throws {TestbedMissing} */
export async function promtool(args: readonly string[], input?: string): Promise<Ran> {
  const tool = new SupervisedProcess(prometheusProgram('promtool'), args, input === undefined ? {} : { input });
  const output = Promise.all([tool.stdout, tool.stderr].map(stream => (stream === null ? '' : text(stream))));
  const end = await tool.wait(limitMs);
  if (end === undefined) await tool.stop();
  return { code: end?.code ?? null, output: (await output).join('') };
}

/** The words of a firing alert, as Prometheus must write them. */
function words(template: string, labels: Readonly<Record<string, string>>, value: string): string {
  return template
    .replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '')
    .replace(/\{\{ \$value(?: \| \w+)? \}\}/g, () => value);
}

function expected({ labels, annotations }: Alert, { firing }: AlertCase): readonly object[] {
  return firing.map(({ labels: own = {}, value = '?' }) => ({
    exp_labels: { ...labels, ...own },
    exp_annotations: Object.fromEntries(
      Object.entries(annotations).map(([name, template]) => [name, words(template, own, value)]),
    ),
  }));
}

export interface Judged {
  readonly judgedCase: AlertCase;
  readonly passed: boolean;
  readonly output: string;
}

/** Judges all cases by one `promtool test rules`: each with its alert alone, for promtool evaluates all that there are at each minute. */
export async function judge(alerts: readonly Alert[], cases: readonly AlertCase[]): Promise<readonly Judged[]> {
  const byName = new Map(alerts.map(alert => [alert.alert, alert]));
  const folder = mkdtempSync(join(tmpdir(), 'carm-webhook-rules-'));
  const fileOf = (index: number): string => join(folder, `case-${index}.yaml`);
  try {
    for (const [index, each] of cases.entries()) {
      const alert = byName.get(each.alert);
      if (alert === undefined) throw new Error(`no alert ${each.alert}`);
      const rules = join(folder, `rules-${index}.yaml`);
      writeFileSync(rules, stringify({ groups: [{ name: 'one', rules: [alert] }] }));
      const test = {
        interval: '1m',
        input_series: Object.entries(each.series).map(([series, values]) => ({ series, values })),
        alert_rule_test: [{ eval_time: each.at, alertname: each.alert, exp_alerts: expected(alert, each) }],
      };
      writeFileSync(fileOf(index), stringify({ rule_files: [rules], evaluation_interval: '1m', tests: [test] }));
    }
    const { output } = await promtool(['test', 'rules', ...cases.map((_, index) => fileOf(index))]);
    const sections = new Map(
      output.split('Unit Testing:  ').map(section => [section.split('\n', 1)[0]?.trim(), section]),
    );
    return cases.map((judgedCase, index) => {
      const section = sections.get(fileOf(index)) ?? output;
      return { judgedCase, passed: /^ {2}SUCCESS$/m.test(section) && !section.includes('FAILED'), output: section };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
