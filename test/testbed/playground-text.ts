import { delimiter, dirname, join } from 'node:path';
import { controlPlaneProgram, isExecutable } from './binaries.ts';
import { otherAccount, sampleAccount, sampleNamespace } from './playground-sample.ts';

export interface PlaygroundText {
  /** What was started, in a sentence or two. */
  readonly started: string;
  readonly kubeconfig: string;
  readonly logFolder: string;
  /** Where the webhook has its health and metrics, if that can be reached. */
  readonly opsUrl?: string;
  /** Commands to try, and comments that say what each shows. */
  readonly tries: readonly string[];
}

/** Lines for a shell: what makes `kubectl` call the playground. */
function exportsFor(kubeconfig: string): readonly string[] {
  const lines = [`export KUBECONFIG=${kubeconfig}`];
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  if (!folders.some(folder => isExecutable(join(folder, 'kubectl')))) {
    lines.push(`export PATH=${dirname(controlPlaneProgram('kubectl'))}:$PATH`);
  }
  return lines;
}

const indented = (lines: readonly string[]): string => lines.map(line => `  ${line}`).join('\n');

const bucket = { apiVersion: 's3.services.k8s.aws/v1alpha1', kind: 'Bucket', spec: { name: 'assets' } };
const topic = { apiVersion: 'sns.services.k8s.aws/v1alpha1', kind: 'Topic', spec: { name: 'orders' } };

/** One line for a shell; no value has a quote in it. */
function kubectlCreate(object: object): string {
  return `echo '${JSON.stringify(object)}' | kubectl create -o yaml -f -`;
}

/** A pod that names a role which is not its account's. */
export function denialTries(image: string): readonly string[] {
  const foreignRole = `arn:aws:iam::${otherAccount}:role/other`;
  return [
    '# A role in another account is denied',
    `kubectl run stray -n ${sampleNamespace} --image=${image} --env=AWS_ROLE_ARN=${foreignRole}`,
  ];
}

/** Resources of ACK, whose controllers are not there. */
export const resourceTries: readonly string[] = [
  "# An ACK resource gets its namespace's region",
  kubectlCreate({ ...bucket, metadata: { name: 'assets', namespace: sampleNamespace } }),
  '# ACK would create this topic in the account of its controllers: the namespace is not bound',
  kubectlCreate({ ...topic, metadata: { name: 'orders', namespace: 'default' } }),
  '# Nobody but ACK may write what its controllers write',
  kubectlCreate({
    ...bucket,
    metadata: { name: 'taken', namespace: sampleNamespace, annotations: { 'services.k8s.aws/adopted': 'true' } },
  }),
];

/** Comes last: what is tried after it is denied. */
export const unboundTries: readonly string[] = [
  '# A binding that does not resolve gets a warning; pods are denied until the map has the account',
  `kubectl annotate namespace ${sampleNamespace} --overwrite services.k8s.aws/owner-account-id=${otherAccount}`,
];

/** What a person reads once the playground is ready. */
export function welcome({ started, kubeconfig, logFolder, opsUrl, tries }: PlaygroundText): string {
  const ops = opsUrl === undefined ? '' : `Health and metrics: ${opsUrl}/readyz, ${opsUrl}/metrics\n`;
  return `
${started}
Namespace ${sampleNamespace} is bound to account ${sampleAccount}, which ConfigMap ack-role-account-map in ack-system maps to a role.

In another terminal:

${indented(exportsFor(kubeconfig))}

Then try:

${indented(tries)}

${ops}Logs: ${logFolder}
Ctrl-C ends it and removes everything.`;
}
