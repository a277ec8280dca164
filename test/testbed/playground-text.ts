import { delimiter, dirname, join } from 'node:path';
import { controlPlaneProgram, isExecutable } from './binaries.ts';
import { otherAccount, sampleAccount, sampleNamespace } from './playground-sample.ts';

export interface PlaygroundText {
  /** What was started, in a sentence or two. */
  readonly started: string;
  readonly kubeconfig: string;
  readonly logFolder: string;
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

/** A pod that names a role which is not its account's. */
export function denialTries(image: string): readonly string[] {
  const foreignRole = `arn:aws:iam::${otherAccount}:role/other`;
  return [
    '# A role in another account is denied',
    `kubectl run stray -n ${sampleNamespace} --image=${image} --env=AWS_ROLE_ARN=${foreignRole}`,
  ];
}

/** Comes last: what is tried after it is denied. */
export const unboundTries: readonly string[] = [
  '# A binding that does not resolve gets a warning; pods are denied until the map has the account',
  `kubectl annotate namespace ${sampleNamespace} --overwrite services.k8s.aws/owner-account-id=${otherAccount}`,
];

/** What a person reads once the playground is ready. */
export function welcome({ started, kubeconfig, logFolder, tries }: PlaygroundText): string {
  return `
${started}
Namespace ${sampleNamespace} is bound to account ${sampleAccount}, which ConfigMap ack-role-account-map in ack-system maps to a role.

In another terminal:

${indented(exportsFor(kubeconfig))}

Then try:

${indented(tries)}

Logs: ${logFolder}
Ctrl-C ends it and removes everything.`;
}
