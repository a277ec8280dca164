import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { chartFolder } from './helm.ts';

const described = '# -- ';

/** A value of the chart, as its comment in `values.yaml` describes it. */
export interface ChartValue {
  /** `config.defaultMode` */
  readonly path: string;
  readonly description: string;
  readonly fallback: unknown;
}

type Values = Readonly<Record<string, unknown>>;

const text = readFileSync(join(chartFolder, 'values.yaml'), 'utf8');

/** The values as the chart has them. */
export const chartDefaults: Values = parse(text);

export function isGroup(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at a path; undefined where there is none. */
export function valueAt(path: string, values: Values = chartDefaults): unknown {
  return path.split('.').reduce<unknown>((at, key) => (isGroup(at) ? at[key] : undefined), values);
}

/** The values that have a description, in their order. */
export function chartValues(): readonly ChartValue[] {
  const found: ChartValue[] = [];
  const path: string[] = [];
  let comment: string[] = [];
  for (const line of text.split('\n')) {
    const [, words = ''] = /^ *# ?(.*)$/.exec(line) ?? [];
    if (line.trimStart().startsWith(described)) comment = [line.trimStart().slice(described.length)];
    else if (line.trimStart().startsWith('#') && comment.length > 0) comment.push(words);
    const [, indent = '', key] = /^( *)([A-Za-z]\w*):/.exec(line) ?? [];
    if (key === undefined) continue;
    path.splice(indent.length / 2, path.length, key);
    if (comment.length === 0) continue;
    const at = path.join('.');
    found.push({ path: at, description: comment.join(' '), fallback: valueAt(at) });
    comment = [];
  }
  return found;
}
