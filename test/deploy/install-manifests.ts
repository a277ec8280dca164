import { templateChart } from './helm.ts';

/** The file that `kubectl apply` takes. */
export const installFile = new URL('../../deploy/install.yaml', import.meta.url);

/** What makes the manifests for kubectl of the chart. Names under .invalid never resolve (RFC 2606): nobody's image is pulled by mistake. */
export const installValues = {
  createNamespace: true,
  image: { registry: 'registry.invalid', repository: 'carm-webhook', tag: 'unset' },
  // Jobs of Helm.
  startupCheck: { enabled: false },
  cleanup: { enabled: false },
  commonLabels: { 'app.kubernetes.io/managed-by': 'kubectl' },
} as const;

const head = `# Made from deploy/chart by \`make manifests\`: do not edit. Install cert-manager and create the ACK system namespace first, and set
# the image: none is published. See docs/install.md.
`;

/** The text of `deploy/install.yaml`. @throws {HelmFailed} */
export async function installManifests(helm: string): Promise<string> {
  const text = await templateChart(helm, installValues);
  // Helm names the template of each, and may end a block with blanks.
  const lines = text.split('\n').filter(line => !/^# Source: /.test(line) && !/^ +helm\.sh\/chart: /.test(line));
  return (
    head +
    lines
      .map(line => line.trimEnd())
      .join('\n')
      .replace(/\n+---/g, '\n---')
  );
}
