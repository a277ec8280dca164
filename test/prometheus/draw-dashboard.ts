import { escapeXml } from '../e2e-node/escape-xml.ts';
import { type Dashboard, legendOf, type Panel, type Target } from './dashboard.ts';
import type { QueryResult } from './prometheus-server.ts';

/** What Prometheus answered to the queries of a panel. */
export interface Drawn {
  readonly panel: Panel;
  readonly answers: readonly { readonly target: Target; readonly results: readonly QueryResult[] }[];
}

interface Line {
  readonly name: string;
  readonly values: readonly (readonly [number, number])[];
}

const column = 60;
const rowHeight = 22;
const gap = 6;
const mostLines = 8;
const mostLegend = 4;
const colours = ['#3274d9', '#e0752d', '#56a64b', '#c4162a', '#8f3bb8', '#b3a100', '#1f9e9e', '#7c7c7c'] as const;

/** A number as a person reads it, by the unit that Grafana is told. */
export function readable(value: number, unit: string): string {
  const short = (scaled: number): string => String(Number(scaled.toPrecision(3)));
  if (unit === 's') {
    if (value >= 2 * 86_400) return `${short(value / 86_400)} d`;
    return Math.abs(value) < 1 ? `${short(value * 1000)} ms` : `${short(value)} s`;
  }
  if (unit === 'bytes') return `${short(value / 2 ** 20)} MiB`;
  return unit === 'reqps' ? `${short(value)}/s` : short(value);
}

function linesOf({ answers }: Drawn): readonly Line[] {
  const lines = answers.flatMap(({ target, results }) =>
    results.map(({ metric, values }) => ({
      name: legendOf(target, metric),
      values: values.map(([at, value]) => [at, Number(value)] as const).filter(([, value]) => Number.isFinite(value)),
    })),
  );
  const peak = ({ values }: Line): number => Math.max(0, ...values.map(([, value]) => value));
  return lines.filter(({ values }) => values.length > 0).sort((one, other) => peak(other) - peak(one));
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

function text(x: number, y: number, kind: string, words: string, more = ''): string {
  return `<text class="${kind}" x="${Math.round(x)}" y="${Math.round(y)}"${more}>${escapeXml(words)}</text>`;
}

function drawStat({ x, y, w, h }: Box, unit: string, [line]: readonly Line[]): string {
  const [, value = Number.NaN] = line?.values.at(-1) ?? [];
  return text(x + w / 2, y + h - 20, 'v', readable(value, unit));
}

function drawLines({ x, y, w, h }: Box, unit: string, lines: readonly Line[], from: number, to: number): string {
  const shown = lines.slice(0, mostLines);
  const highest = Math.max(...shown.flatMap(({ values }) => values.map(([, value]) => value)), 0);
  const plot = { x: x + 8, y: y + 26, w: w - 16, h: h - 26 - 14 * Math.min(mostLegend, shown.length) - 8 };
  const point = ([at, value]: readonly [number, number]): string => {
    const right = plot.x + (plot.w * (at - from)) / (to - from);
    const down = plot.y + plot.h * (1 - Math.max(0, value) / (highest || 1));
    return `${Math.round(right)},${Math.round(down)}`;
  };
  const paths = shown.map(({ values }, index) => {
    // Nothing is drawn where nothing was known.
    const step =
      values.length > 1 ? Math.min(...values.slice(1).map(([at], before) => at - (values[before]?.[0] ?? at))) : 0;
    const path = values.map((value, at) => {
      const before = values[at - 1];
      return `${before !== undefined && value[0] - before[0] <= step * 1.5 ? 'L' : 'M'}${point(value)}`;
    });
    return `<path stroke="${colours[index]}" d="${path.join('')}"/>`;
  });
  const legend = shown.slice(0, mostLegend).map(({ name }, index) => {
    const more = index === mostLegend - 1 && lines.length > mostLegend ? `, and ${lines.length - mostLegend} more` : '';
    const down = y + h - 8 - 14 * (Math.min(mostLegend, shown.length) - 1 - index);
    return text(
      x + 8,
      down,
      'l',
      `${name.slice(0, Math.floor(w / 6.5) - more.length)}${more}`,
      ` style="fill:${colours[index]}"`,
    );
  });
  const top = text(x + w - 8, y + 16, 'm', `top: ${readable(highest, unit)}`);
  return [`<path stroke="#ccc" d="M${plot.x},${plot.y + plot.h}H${plot.x + plot.w}"/>`, ...paths, ...legend, top].join(
    '',
  );
}

/** The dashboard as an SVG, with the panels where Grafana has them. From and to are seconds since the epoch. */
export function drawDashboard({ title }: Dashboard, drawn: readonly Drawn[], from: number, to: number): string {
  const boxes = drawn.map(({ panel: { gridPos } }) => ({
    x: gridPos.x * column + gap / 2,
    y: gridPos.y * rowHeight + gap / 2,
    w: gridPos.w * column - gap,
    h: gridPos.h * rowHeight - gap,
  }));
  const width = 24 * column;
  const height = Math.max(...boxes.map(({ y, h }) => y + h)) + gap;
  const panels = drawn.map((each, index) => {
    const box = boxes[index] ?? { x: 0, y: 0, w: 0, h: 0 };
    const { panel } = each;
    const name = text(box.x + 8, box.y + 16, 't', panel.title);
    if (panel.type === 'row') return name;
    const unit = panel.fieldConfig?.defaults.unit ?? 'none';
    const lines = linesOf(each);
    const frame = `<rect x="${box.x}" y="${box.y}" width="${box.w}" height="${box.h}" rx="3"/>`;
    const inside = panel.type === 'stat' ? drawStat(box, unit, lines) : drawLines(box, unit, lines, from, to);
    return `${frame}${name}${inside}`;
  });
  const style =
    'text{font-family:sans-serif;font-size:11px;fill:#222}.t{font-weight:bold}.v{font-size:24px;text-anchor:middle}' +
    '.m{text-anchor:end;fill:#666}.l{font-size:10px}rect{fill:#fff;stroke:#ccc}path{fill:none;stroke-width:1.3}';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}">`,
    `<style>${style}</style>`,
    `<rect width="${width}" height="${height}" style="fill:#f4f5f5;stroke:none"/>`,
    ...panels,
    '</svg>\n',
  ].join('\n');
}
