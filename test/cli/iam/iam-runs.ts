import { type CommandResult, inRepository, runCommand } from '../command-runs.ts';

export const issuer = 'https://oidc.eks.eu-central-1.amazonaws.com/id/A1B2';
export const iamState = inRepository('test/cli/iam/state');

/** `carm-webhook iam` on the folder of manifests beside this file. */
export function runIam(...argv: readonly string[]): Promise<CommandResult> {
  return runCommand(['iam', '--state', iamState, '--source-accounts', '111111111111', ...argv]);
}

/** A step as `-o json` has it. */
export interface WrittenStep {
  readonly kind: string;
  readonly accountId: string | null;
  readonly roleArn?: string;
  readonly resourceArn?: string;
  readonly url?: string;
  readonly policyName?: string;
  readonly trustPolicy?: object;
  readonly policy?: object;
}

export async function stepsOf(...argv: readonly string[]): Promise<readonly WrittenStep[]> {
  const { stdout } = await runIam(...argv);
  return (JSON.parse(stdout) as { readonly steps: readonly WrittenStep[] }).steps;
}

/** Every policy of the steps, in their order. */
export function policiesOf(steps: readonly WrittenStep[]): readonly object[] {
  return steps.flatMap(({ trustPolicy, policy }) => trustPolicy ?? policy ?? []);
}
