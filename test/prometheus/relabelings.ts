/** What the chart's monitors do to the labels of a target, as Prometheus and its operator both write it. */
export const monitorRelabelings = [{ action: 'labeldrop', regex: 'endpoint' }] as const;
