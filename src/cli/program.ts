import { basename } from 'node:path';

/** As what the program is called: by itself, or as a plugin of kubectl. */
export type Program = 'carm-webhook' | 'kubectl carm';

/**
 * kubectl runs plugins by their names, and asks those with an underscore for completions.
 * https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
 */
const pluginName = 'kubectl-carm';
const completionName = 'kubectl_complete-carm';

/**
 * What a process is to run.
 * @param script the path that it was started by, which may be a link; the rest are its arguments.
 */
export function readProgram(
  script: string | undefined,
  args: readonly string[],
): { readonly program: Program; readonly argv: readonly string[] } {
  const name = basename(script ?? '');
  if (name === completionName) return { program: 'kubectl carm', argv: ['__complete', ...args] };
  return { program: name === pluginName ? 'kubectl carm' : 'carm-webhook', argv: args };
}

/** A text with the commands as people type them. The one name is as long as the other. */
export function calledAs(program: Program, text: string): string {
  if (program === 'carm-webhook') return text;
  return text.replaceAll(
    /(?<![\w/-])carm-webhook (?=COMMAND|(?:serve|inject|check|label|why|verify|iam|startup-check|remove-configurations|completion|version)\b)/g,
    `${program} `,
  );
}
