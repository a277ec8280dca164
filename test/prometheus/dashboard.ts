import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Target {
  readonly expr: string;
  readonly legendFormat: string;
  readonly refId: string;
  readonly datasource: { readonly type: string; readonly uid: string };
}

export interface Panel {
  readonly id: number;
  readonly type: 'row' | 'stat' | 'timeseries';
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
  readonly targets?: readonly Target[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly query: string }[];
  };
  readonly panels: readonly Panel[];
}

const root = join(import.meta.dirname, '..', '..');
export const pictureFile = join(root, 'docs', 'img', 'dashboard.svg');

/** The dashboard that the chart ships. */
export function shippedDashboard(): Dashboard {
  return JSON.parse(readFileSync(join(root, 'deploy', 'chart', 'files', 'dashboard.json'), 'utf8')) as Dashboard;
}

/** A query as Prometheus takes it: Grafana puts in four scrapes at least. https://grafana.com/docs/grafana/latest/datasources/prometheus/template-variables/#use-__rate_interval */
export function queryOf({ expr }: Target, scrapeSeconds: number): string {
  return expr.replaceAll('$__rate_interval', `${4 * scrapeSeconds}s`);
}

/** What the legend calls a series. */
export function legendOf({ legendFormat }: Target, labels: Readonly<Record<string, string>>): string {
  return legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '');
}
