import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type TemplateOptions, templateChart } from '../deploy/helm.ts';
import { installValues } from '../deploy/install-manifests.ts';
import { controlPlaneProgram, helmProgram } from '../testbed/binaries.ts';
import { runKubectl } from '../testbed/kubectl.ts';

/** The folder of the manifests that are shipped. */
export const deployFolder: string = join(import.meta.dirname, '..', '..', 'deploy');

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/extend-resources/mutating-webhook-configuration-v1/ */
export interface WebhookEntry {
  readonly name: string;
  readonly clientConfig: {
    readonly service?: { readonly path: string };
    readonly url?: string;
    readonly caBundle?: string;
  };
  readonly namespaceSelector?: {
    readonly matchLabels: Readonly<Record<string, string>>;
    readonly matchExpressions: readonly {
      readonly key: string;
      readonly operator: string;
      readonly values: readonly string[];
    }[];
  };
  readonly matchConditions: readonly { readonly name: string; readonly expression: string }[];
  readonly failurePolicy: 'Fail' | 'Ignore';
  readonly [field: string]: unknown;
}

export interface WebhookConfiguration extends Manifest {
  readonly webhooks: readonly WebhookEntry[];
}

async function render(folder: string): Promise<readonly Manifest[]> {
  const { stdout } = await runKubectl(controlPlaneProgram('kubectl'), tmpdir(), '', ['kustomize', folder]);
  return parseAllDocuments(stdout).map(document => document.toJS() as Manifest);
}

/** What `kubectl apply -k deploy` would apply, in its order. */
export function renderDeploy(): Promise<readonly Manifest[]> {
  return render(deployFolder);
}

/** What a kustomization beside `deploy/` makes of it. */
export async function renderBesideDeploy(kustomization: object): Promise<readonly Manifest[]> {
  const folder = mkdtempSync(join(tmpdir(), 'carm-webhook-deploy-'));
  try {
    cpSync(deployFolder, join(folder, 'deploy'), { recursive: true });
    writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify({ resources: ['deploy'], ...kustomization }));
    return await render(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a release of the chart with these values is made of, beside those by which `deploy/install.yaml` is made. */
export async function renderChart(values: object, options: TemplateOptions = {}): Promise<readonly Manifest[]> {
  const text = await templateChart(helmProgram(), { ...installValues, ...values }, options);
  return parseAllDocuments(text)
    .map(document => document.toJS() as Manifest | null)
    .filter(manifest => manifest !== null);
}

/** The chart where rules see every group of ACK's, also those that are younger than the list. */
export function renderForEveryGroup(): Promise<readonly Manifest[]> {
  return renderChart({ ack: { everyGroup: true } });
}

/** The manifests of some kinds, in their order. */
export function ofKinds(manifests: readonly Manifest[], ...kinds: readonly string[]): readonly Manifest[] {
  return manifests.filter(({ kind }) => kinds.includes(kind));
}

/** The one manifest of a kind, or the one with this name. */
export function only(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const [found, ...more] = manifests.filter(
    manifest => manifest.kind === kind && (name === undefined || manifest.metadata.name === name),
  );
  if (found === undefined || more.length > 0) {
    throw new Error(`${more.length + (found === undefined ? 0 : 1)} manifests are ${kind} ${name ?? ''}, not one`);
  }
  return found;
}

/** What stands for the cluster's people and what belongs to them: all but what needs a scheduler, cert-manager or a webhook. */
export const accessKinds = [
  'Namespace',
  'ServiceAccount',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
] as const;

/** Both webhook configurations. */
export function webhookConfigurations(manifests: readonly Manifest[]): readonly WebhookConfiguration[] {
  const found = ofKinds(manifests, 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration');
  return found as readonly WebhookConfiguration[];
}

/**
 * A configuration that calls a process instead of the Service; there is no Service network beside a lone API server.
 * @param urlOf the whole URL for an entry.
 */
export function pointAt(
  configuration: WebhookConfiguration,
  urlOf: (entry: WebhookEntry) => string,
  caPem: string,
): WebhookConfiguration {
  const caBundle = Buffer.from(caPem).toString('base64');
  const { 'cert-manager.io/inject-ca-from': _, ...annotations } = configuration.metadata.annotations ?? {};
  return {
    ...configuration,
    metadata: { ...configuration.metadata, annotations },
    webhooks: configuration.webhooks.map(entry => ({ ...entry, clientConfig: { url: urlOf(entry), caBundle } })),
  };
}

/** Objects as one text for `kubectl apply -f -`. */
export function asList(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}
