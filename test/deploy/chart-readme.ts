import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { chartValues } from './chart-values.ts';
import { chartFolder } from './helm.ts';

export const chartReadme = join(chartFolder, 'README.md');

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** `README.md` of the chart, made from `Chart.yaml` and from the comments in `values.yaml`. */
export function readmeOfChart(): string {
  const chart = parse(readFileSync(join(chartFolder, 'Chart.yaml'), 'utf8'));
  const rows = chartValues().map(
    ({ path, description, fallback }) =>
      `| \`${path}\` | ${cell(description)} | \`${cell(JSON.stringify(fallback))}\` |`,
  );
  return `<!-- Made from Chart.yaml and values.yaml by \`make docs\`: do not edit. -->
# Chart ${chart.name}

${chart.description}. Kubernetes ${chart.kubeVersion.replace('-0', '')}.

\`\`\`console
$ helm install carm-webhook deploy/chart --namespace carm-webhook --create-namespace \\
    --set image.registry=REGISTRY,image.repository=carm-webhook,image.tag=${chart.appVersion}
\`\`\`

This needs cert-manager and the namespace \`ack-system\`. Without them, add \`certificates.provider=helm,ack.createNamespaces=true\`.
[Installation](../../docs/install.md) goes through each step. Names of the release and of its namespace are free. A cluster can have one release: the
names of the webhook configurations are fixed. A value that is unknown or of the wrong type is an error that names it.

| value | what | default |
|---|---|---|
${rows.join('\n')}
`;
}
