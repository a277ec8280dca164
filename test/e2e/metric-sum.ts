/** Adds up the series of one metric in Prometheus' text that have these labels. https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function sumOf(text: string, metric: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  const series = text
    .split('\n')
    .map(line => /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line))
    .filter(match => match?.[1] === metric && wanted.every(label => match[2]?.split(',').includes(label)));
  // A metric under another name would otherwise look like one that stays at 0.
  if (series.length === 0) throw new Error(`no series of ${metric} with ${wanted.join(',') || 'any labels'}`);
  return series.reduce((sum, match) => sum + Number(match?.[3]), 0);
}

/** Objects that a webhook has asked the API server for, one by one. */
export function liveReadsIn(text: string): number {
  return sumOf(text, 'carm_webhook_live_reads_total');
}
