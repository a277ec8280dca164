import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

export const alertsFile = join(import.meta.dirname, '..', '..', 'deploy', 'chart', 'files', 'alerts.yaml');

/** The alerts that the chart ships. */
export function shippedAlerts(): readonly Alert[] {
  const { groups } = parse(readFileSync(alertsFile, 'utf8')) as { groups: readonly { rules: readonly Alert[] }[] };
  return groups.flatMap(({ rules }) => rules);
}
